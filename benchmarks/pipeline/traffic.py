"""Made-up traffic of any volume: what is asked has a long tail, and so has who asks.

One question in six hundred is the most frequent one, and the distinct ones grow with the 0.6th power of all;
of ten thousand real ones (Casanueva et al. 2020) hardly two are the same. They are those of the demo's shop,
with more and more words replaced the rarer they are, so that near duplicates abound.
"""

import tomllib
from importlib.resources import files
from random import Random
from typing import Any

from tuppence.batch import Columns
from tuppence.event import Event, captured_id

TAIL = 0.6
HEAD = 400
"""A question is rarer than the `rank`th with probability (1 + rank / HEAD) ** -TAIL."""
EACH = 4
"""Events of one conversation, and of one person in a week, on average; some come all the time."""
TALKING = 50
"""Conversations that go on at the same time."""
KINDS = ("question",) * 7 + ("request",) * 2 + ("feedback",)
ROUTES = ("/ask", "/history/{id}", "/health", "/feedback")
OUTCOMES = ("answered",) * 8 + ("no_match", "error")
MODELS = ("llama-3.1-8b", "llama-3.1-70b")
INSTANCE = "0k3v8q2m5t7x9z1c4b6n8h0j2w"
REMEMBERED = 1_000_000
_MIX = 0x9E3779B97F4A7C15
_WORD = 64


class Traffic:
    """The events of a project, an hour at a time; the same for the same seed.

    Args:
        a_month: events in thirty days.
        seed: chooses another project of this size.

    """

    def __init__(self, a_month: int, seed: int = 1) -> None:
        self.an_hour = max(1, round(a_month / 720))
        self._people = max(EACH, a_month * 7 // 30 // EACH)
        self._random = Random(seed)
        shop = tomllib.loads(files("tuppence.demo").joinpath("shop.toml").read_text(encoding="utf-8"))
        self._asks = [ask for topic in shop["topic"] for ask in topic["asks"]]
        self._words = sorted({word for ask in self._asks for word in ask.rstrip("?").split()})
        self._texts: dict[int, str] = {}
        self._talking = [self._visitor() for _ in range(TALKING)]

    def events(self, start: int, count: int, first: int) -> list[Event]:
        """Return `count` events of the hour that begins at `start` (milliseconds), numbered from `first`."""
        step = 3_600_000 / count
        return [self._event(start + int(at * step), first + at) for at in range(count)]

    def columns(self, start: int) -> Columns:
        """Return an hour's questions as columns of what is counted of them, without making events."""
        chance, count = self._random, self.an_hour
        people = [person for _ in range(-(-count // EACH)) for person in [self._visitor()] * EACH][:count]
        return Columns(
            time=[start] * count,
            type=["question"] * count,
            source=["web"] * count,
            user=[f"visitor-{person}" for person in people],
            session=[f"s-{person}-{start // 3_600_000}" for person in people],
            data={
                "text": [self._text(self._rank()) for _ in range(count)],
                "outcome": chance.choices(OUTCOMES, k=count),
                "latency_ms": [int(chance.expovariate(0.001)) for _ in range(count)],
                "model": chance.choices(MODELS, k=count),
                "input_tokens": chance.choices(range(50, 900), k=count),
                "output_tokens": chance.choices(range(5, 400), k=count),
            },
        )

    def _event(self, at: int, seq: int) -> Event:
        chance = self._random
        person = self._person()
        kind = chance.choice(KINDS)
        return Event(
            time=at,
            type=kind,
            seq=seq,
            source="web",
            user=f"visitor-{person}",
            session=f"s-{person}-{at // 3_600_000}",
            data=getattr(self, f"_{kind}")(seq),
        )

    def _question(self, _: int) -> dict[str, Any]:
        chance = self._random
        outcome = chance.choice(OUTCOMES)
        data = {
            "text": self._text(self._rank()),
            "outcome": outcome,
            "latency_ms": int(chance.expovariate(0.001)),
        }
        if outcome != "answered":
            return data | {"cause": "low_score"}
        return data | {
            "model": chance.choice(MODELS),
            "input_tokens": chance.randrange(50, 900),
            "output_tokens": chance.randrange(5, 400),
            "score": round(chance.uniform(0.55, 0.97), 2),
            "sources": [f"help#{chance.randrange(30)}"],
        }

    def _request(self, _: int) -> dict[str, Any]:
        chance = self._random
        latency = int(chance.expovariate(0.01))
        return {"method": "GET", "route": chance.choice(ROUTES), "status": 200, "latency_ms": latency}

    def _feedback(self, seq: int) -> dict[str, Any]:
        asked = captured_id(INSTANCE, max(1, seq - self._random.randrange(1, 40)))
        return {"question": asked, "useful": self._random.choice((True, True, True, False))}

    def _person(self) -> int:
        """Return who comes next: one of those who are talking, or in their place somebody else."""
        place = self._random.randrange(TALKING)
        if self._random.randrange(EACH) == 0:
            self._talking[place] = self._visitor()
        return self._talking[place]

    def _visitor(self) -> int:
        return int(self._people * self._random.random() ** 2)

    def _rank(self) -> int:
        return int(HEAD * ((1 - self._random.random()) ** (-1 / TAIL) - 1))

    def _text(self, rank: int) -> str:
        """Return the question of this rank, always the same."""
        text = self._texts.get(rank)
        if text is None:
            if len(self._texts) > REMEMBERED:
                self._texts.clear()
            text = self._texts[rank] = self._worded(rank)
        return text

    def _worded(self, rank: int) -> str:
        """Return a shop's question; beyond the first ones with other words in it, and slips of the finger."""
        turn, ask = divmod(rank, len(self._asks))
        words = self._asks[ask].split()
        mixed = (rank + 1) * _MIX % 2**_WORD
        while turn:
            turn //= 100
            mixed, at = divmod(mixed, len(words))
            mixed, other = divmod(mixed, len(self._words))
            words[at] = self._words[other]
        text = " ".join(words)
        if mixed % 10 == 0:
            at = mixed % (len(text) - 1)
            text = text[:at] + text[at + 1 :]
        return text.lower() if mixed % 3 else text
