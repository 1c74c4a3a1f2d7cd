"""Invents a week of a shop's support bot: believable, and the same for the same seed and week."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from importlib.resources import files
from itertools import islice
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

HOURS: Final = (2, 1, 1, 1, 1, 2, 5, 12, 20, 26, 30, 31, 33, 30, 27, 26, 27, 32, 41, 52, 54, 44, 24, 8)
"""How busy each hour of the shop's day is: a bump before lunch, the peak on the sofa."""
WEEKDAYS: Final = (19, 17, 16, 17, 13, 12, 17)
OUTAGE: Final = (timedelta(days=3, hours=19, minutes=10), timedelta(days=3, hours=20, minutes=25))
"""Thursday evening of the week reported: the model cannot be reached."""
LONGEST_SESSION: Final = timedelta(minutes=20)
MODELS: Final = {"llama-3.1-8b": 620, "llama-3.1-70b": 1_900}
"""Their median time to an answer, in milliseconds."""
FAILURES: Final = {"timeout": 10_000, "aborted": 2_500, "error": 240, "rate_limited": 5}
"""How long it took until a question had failed, likewise."""
MISHAPS: Final = {
    "timeout": ("slow_model", 6),
    "rate_limited": ("too_many_questions", 3),
    "aborted": ("page_closed", 10),
}
"""What goes wrong on any day, its cause, and how often in a thousand questions."""
CHANNELS: Final = {"web": 70, "app": 22, "whatsapp": 8}


class Topic(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing people ask about, as `shop.toml` describes it."""

    name: str
    weight: int
    answered: int
    useful: int
    source: str
    asks: list[str]
    before: int | None = None
    answered_before: int | None = None
    miss: str = "no_match"
    cause: str = "low_score"


class Week:
    """One week of the shop: its topics, its people and its luck.

    Args:
        monday: its first day.
        zone: the shop's time zone.
        seed: the same seed and week give the same events.
        before: whether it is the week before the one reported: other topics, and no outage.

    """

    def __init__(self, monday: date, zone: ZoneInfo, *, seed: int, before: bool) -> None:
        self._start = datetime.combine(monday, time(), zone)
        self._random = Random(f"{seed} {monday}")  # noqa: S311 - made-up traffic, no secret
        self._before = before
        shop = tomllib.loads(files(__package__).joinpath("shop.toml").read_text(encoding="utf-8"))
        self._topics = msgspec.convert(shop["topic"], list[Topic])
        self._numbered = 0

    def events(self, count: int) -> list[dict[str, Any]]:
        """Return `count` events in order of time, each as one line of an import."""
        people = max(1, count // 4)
        events = islice(self._sessions(people), count)
        return sorted(events, key=lambda event: (event["time"], event["id"]))

    def _sessions(self, people: int) -> Iterator[dict[str, Any]]:
        """Yield events for ever, conversation after conversation, in no order."""
        while True:
            # A few come every day and most come once: the square draws towards the first numbers.
            person = int(people * self._random.random() ** 2)
            yield from self._session(f"visitor-{person:04}")

    def _session(self, user: str) -> Iterator[dict[str, Any]]:
        random = self._random
        at = self._moment()
        self._numbered += 1
        who = {
            "user": user,
            "session": f"s-{self._start:%G%V}-{self._numbered:05}",
            "source": random.choices(list(CHANNELS), list(CHANNELS.values()))[0],
        }
        topic = self._topic()
        for _ in range(random.choices((1, 2, 3, 4), (58, 25, 12, 5))[0]):
            question = self._question(topic, at) | who
            yield question
            yield from self._reaction(question, topic, at, who)
            at += timedelta(seconds=random.uniform(20, 200))
            topic = topic if self._happens(400) else self._topic()
        if self._happens(60):
            yield self._event("order", at, {"items": random.randint(1, 4)}) | who

    def _question(self, topic: Topic, at: datetime) -> dict[str, Any]:
        often = [1 / place for place in range(1, len(topic.asks) + 1)]  # most people find the same words
        text = self._spelled(self._random.choices(topic.asks, often)[0])
        return self._event("question", at, {"text": text} | self._ending(topic, at))

    def _reaction(
        self, question: dict[str, Any], topic: Topic, at: datetime, who: dict[str, str]
    ) -> Iterator[dict[str, Any]]:
        """Yield what the person said of the answer, which most do not."""
        outcome = question["data"]["outcome"]
        if outcome in {"answered", "no_match"} and self._happens(130):
            liked = outcome == "answered" and self._happens(topic.useful)
            said = at + timedelta(seconds=self._random.uniform(8, 18))
            yield self._event("feedback", said, {"question": question["id"], "useful": liked}) | who

    def _ending(self, topic: Topic, at: datetime) -> dict[str, Any]:
        """Return how a question ended, with what the bot knows of it."""
        random = self._random
        if not self._before and OUTAGE[0] <= at - self._start < OUTAGE[1]:
            return self._failure(random.choice(("error", "error", "timeout")), "model_unavailable")
        for outcome, (cause, often) in MISHAPS.items():
            if self._happens(often):
                return self._failure(outcome, cause)
        answered = topic.answered
        if self._before and topic.answered_before is not None:
            answered = topic.answered_before
        if self._happens(answered):
            return self._answer(topic)
        score = round(random.uniform(0.05, 0.34), 2)
        return {"outcome": topic.miss, "cause": topic.cause, "latency_ms": self._around(180), "score": score}

    def _answer(self, topic: Topic) -> dict[str, Any]:
        random = self._random
        model = random.choices(list(MODELS), (85, 15))[0]
        words = random.randint(40, 180)
        return {
            "outcome": "answered",
            "latency_ms": self._around(MODELS[model] + 3 * words),
            "model": model,
            "input_tokens": random.randint(350, 900),
            "output_tokens": words,
            "score": round(random.uniform(0.55, 0.97), 2),
            "sources": [topic.source],
        }

    def _failure(self, outcome: str, cause: str) -> dict[str, Any]:
        return {"outcome": outcome, "cause": cause, "latency_ms": self._around(FAILURES[outcome])}

    def _happens(self, often: int) -> bool:
        """Whether something happens that happens so often in a thousand times."""
        return self._random.randrange(1000) < often

    def _around(self, median: int) -> int:
        """Return a time in milliseconds: log-normal, as answer times are."""
        return round(median * self._random.lognormvariate(0, 0.35))

    def _topic(self) -> Topic:
        weights = [t.before if self._before and t.before is not None else t.weight for t in self._topics]
        return self._random.choices(self._topics, weights)[0]

    def _moment(self) -> datetime:
        """Return when a conversation begins, early enough that it ends within the week."""
        random = self._random
        day = random.choices(range(7), WEEKDAYS)[0]
        hour = random.choices(range(24), HOURS)[0]
        offset = timedelta(days=day, hours=hour, minutes=random.uniform(0, 60))
        return self._start + min(offset, timedelta(days=7) - LONGEST_SESSION)

    def _spelled(self, text: str) -> str:
        """Return the text as somebody in a hurry types it."""
        random = self._random
        if self._happens(120):
            text = random.choice(("Hi, {}", "Hello, {}", "{} please", "{} Thanks!")).format(text)
        if self._happens(450):
            text = text.rstrip("?.")
        if self._happens(350):
            text = text.lower()
        if self._happens(100):
            at = random.randrange(1, len(text) - 1)
            text = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
        return text

    def _event(self, kind: str, at: datetime, data: dict[str, Any]) -> dict[str, Any]:
        self._numbered += 1
        return {
            "id": f"{self._start:%G-W%V}-{self._numbered:06}",
            "type": kind,
            "time": at.astimezone(UTC).isoformat(timespec="milliseconds"),
            "data": data,
        }
