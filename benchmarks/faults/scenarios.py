"""The faults, and the work that is going on while they happen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from collector.moods import Mood


class Ending(StrEnum):
    """How a process ends."""

    CLOSED = "closed"  # as the client's documentation asks for
    LEFT = "left"  # normally, without a word to the client
    TERMINATED = "terminated"  # SIGTERM
    KILLED = "killed"  # SIGKILL
    FROZEN = "frozen"  # stopped as a serverless platform stops it, and killed before it is woken


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A fault.

    Attributes:
        name: as tables call it.
        about: what happens, in a sentence.
        mood: the collector's from the start.
        heals: after how many seconds it is healthy; `None` means not before the process has ended.
        count: events captured.
        rate: of them a second; 0 means one right after the other.
        rest: seconds that the process lives on after the last.
        ending: how it ends.
        forks: whether it forks after its first events, and parent and child both go on.
        disk: whether its disk is there for a successor.

    """

    name: str
    about: str
    mood: Mood = Mood.HEALTHY
    heals: float | None = 0.0
    count: int = 2_013
    rate: int = 200
    rest: float = 15.0
    ending: Ending = Ending.CLOSED
    forks: bool = False
    disk: bool = True

    def quick(self) -> Scenario:
        """Return the same in a fifth of the time."""
        heals = None if self.heals is None else self.heals / 5
        return replace(self, heals=heals, count=max(13, self.count // 10), rest=self.rest / 5)


TRICKLE = 10
"""Events a second of an application that few people use."""
OUTAGE = 10.0

SCENARIOS = (
    Scenario(
        name="refusing for 10 s",
        about="Nobody listens for the first ten seconds.",
        mood=Mood.REFUSING,
        heals=OUTAGE,
    ),
    Scenario(
        name="refusing throughout",
        about="Nobody listens as long as the process lives.",
        mood=Mood.REFUSING,
        heals=None,
        rate=400,
        rest=2.0,
    ),
    Scenario(name="500", about="Every request fails for ten seconds.", mood=Mood.FAILING, heals=OUTAGE),
    Scenario(
        name="429", about="Every request is one too many for ten seconds.", mood=Mood.THROTTLING, heals=OUTAGE
    ),
    Scenario(
        name="hanging",
        about="No request is answered as long as the process lives.",
        mood=Mood.HANGING,
        heals=None,
        rate=400,
        rest=2.0,
    ),
    Scenario(
        name="reset", about="Every connection is reset for ten seconds.", mood=Mood.RESETTING, heals=OUTAGE
    ),
    Scenario(
        name="answers lost",
        about="For ten seconds what is sent is taken, and the connection reset before the answer.",
        mood=Mood.LOSING,
        heals=OUTAGE,
    ),
    Scenario(
        name="normal exit",
        about="The program ends right after a burst, without a word to the client.",
        rate=0,
        rest=0.0,
        ending=Ending.LEFT,
    ),
    Scenario(
        name="SIGTERM",
        about="Ten events a second, then SIGTERM.",
        count=43,
        rate=TRICKLE,
        rest=0.0,
        ending=Ending.TERMINATED,
    ),
    Scenario(
        name="SIGKILL",
        about="Ten events a second, then SIGKILL.",
        count=43,
        rate=TRICKLE,
        rest=0.0,
        ending=Ending.KILLED,
    ),
    Scenario(
        name="SIGKILL, disk gone",
        about="The same in a container whose disk goes with it.",
        count=43,
        rate=TRICKLE,
        rest=0.0,
        ending=Ending.KILLED,
        disk=False,
    ),
    Scenario(
        name="fork",
        about="The process forks with events pending; parent and child capture on, and end as documented.",
        count=547,
        rate=250,
        rest=0.5,
        forks=True,
    ),
    Scenario(
        name="freeze",
        about="Ten events a second, then the process is frozen, and killed three seconds later.",
        count=43,
        rate=TRICKLE,
        rest=0.0,
        ending=Ending.FROZEN,
    ),
)
