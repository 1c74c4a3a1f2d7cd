"""Runs one client through one fault, and counts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clients import EAGER, OURS, Known
from collector.handle import Collector, collecting, counted, identities
from collector.moods import Mood
from collector.reported import reported
from process import environment
from successor import succeed

from faults.progress import Progress
from faults.scenarios import Ending, Scenario

LIMIT: Final = 60.0
"""Seconds from its first call after which a process is killed, as any platform would by then."""
START: Final = 60.0
"""Seconds for importing a client."""
FREEZE: Final = 3.0
_POLL: Final = 0.002
_SIGNALS: Final = {Ending.TERMINATED: signal.SIGTERM, Ending.KILLED: signal.SIGKILL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a client.

    Attributes:
        calls: of `capture()` that returned, and so the events that should have arrived.
        raised: calls that raised instead.
        lost: events that never arrived, not even once a successor had run where files were left for one.
        copies: events that arrived again.
        doubled: of those, the ones that no backend could have told by an id, and so counted twice.
        longest: the longest call, in ms.
        exit: from when the process was to end until it had, in ms.
        killed: whether it had to be killed, `LIMIT` after its first call.

    """

    calls: int
    raised: int
    lost: int
    copies: int
    doubled: int
    longest: float
    exit: float
    killed: bool


def play_all(
    clients: Sequence[Known], scenarios: Sequence[Scenario], jobs: int, say: Callable[[str], None]
) -> dict[str, dict[str, Outcome]]:
    """Return outcomes by scenario and client, several playing at once."""

    def one(pair: tuple[Scenario, Known]) -> Outcome:
        scenario, client = pair
        outcome = play(client, scenario)
        say(f"{scenario.name}: {client.name}")
        return outcome

    pairs = [(scenario, client) for scenario in scenarios for client in clients]
    with ThreadPoolExecutor(jobs) as pool:
        outcomes = list(pool.map(one, pairs))
    found: dict[str, dict[str, Outcome]] = {scenario.name: {} for scenario in scenarios}
    for (scenario, client), outcome in zip(pairs, outcomes, strict=True):
        found[scenario.name][client.name] = outcome
    return found


def play(client: Known, scenario: Scenario) -> Outcome:
    """Run one client through one fault, and start its successor."""
    with (
        collecting(client.speaks) as collector,
        tempfile.TemporaryDirectory() as home,
        tempfile.TemporaryDirectory() as notes,
    ):
        collector.be(scenario.mood)
        file = Path(notes) / "progress"
        own, child = Progress(file), Progress(file, slot=1)
        process = _start(client, collector, scenario, Path(home), file)
        ended, killed = _lead(process, collector, scenario, own)
        longest = max(own.longest(), child.get("longest"))
        collector.be(Mood.HEALTHY)
        if scenario.disk:
            succeed(client, f"http://127.0.0.1:{collector.port}", Path(home))
        requests = collector.taken()
    taken = counted(requests)
    if client.name in {OURS, EAGER} and reported(requests) != identities(requests):
        raise RuntimeError(f"{scenario.name}: the report counts other events than arrived")
    calls = int(own.get("calls") + child.get("calls"))
    return Outcome(
        calls=calls,
        raised=int(own.get("raised") + child.get("raised")),
        lost=max(0, calls - taken.delivered),
        copies=taken.copies,
        doubled=taken.doubled,
        longest=round(longest * 1000, 1),
        exit=round(ended * 1000, 1),
        killed=killed,
    )


def _start(
    client: Known, collector: Collector, scenario: Scenario, home: Path, file: Path
) -> subprocess.Popen[bytes]:
    told = (scenario.count, scenario.rate, scenario.rest, scenario.ending.value)
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "faults.worker", client.name, f"http://127.0.0.1:{collector.port}"),
            *map(str, told),
            "yes" if scenario.forks else "no",
            str(file),
        ],
        env=environment(home),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _lead(
    process: subprocess.Popen[bytes], collector: Collector, scenario: Scenario, own: Progress
) -> tuple[float, bool]:
    """See a process to its end; return how many seconds ending took, and whether it had to be killed."""
    started = time.monotonic()
    healed = scenario.heals == 0 or scenario.heals is None
    told_to_end = 0.0
    while process.poll() is None:
        now = time.monotonic()
        begun = own.get("begun")
        if now > (begun + LIMIT if begun else started + START):
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return now - (own.get("ending") or told_to_end or now), True
        if not healed and begun and scenario.heals is not None and now > begun + scenario.heals:
            collector.be(Mood.HEALTHY)
            healed = True
        if own.get("done") and not told_to_end and scenario.ending not in {Ending.CLOSED, Ending.LEFT}:
            told_to_end = now
            _end(process, scenario.ending)
        time.sleep(_POLL)
    return time.monotonic() - (own.get("ending") or told_to_end), False


def _end(process: subprocess.Popen[bytes], ending: Ending) -> None:
    if ending is Ending.FROZEN:
        process.send_signal(signal.SIGSTOP)
        time.sleep(FREEZE)
        process.kill()
    else:
        process.send_signal(_SIGNALS[ending])
