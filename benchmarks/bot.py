"""A busy bot's events, one at a time: some texts and people come often, most seldom."""

import random
from typing import Any

from tuppence.event import Event

TEXTS = 3_000
PEOPLE = 20_000
ROUTES = ("/ask", "/history/{id}", "/health", "/feedback")


def made_up(chance: random.Random, seq: int, at: int) -> Event:
    """Return one event."""
    person = int(chance.paretovariate(0.7)) % PEOPLE
    kind = chance.choices(("question", "request", "feedback"), (6, 3, 1))[0]
    data = asked(chance)
    if kind == "feedback":
        data = {"question": f"run-{max(1, seq - 40)}", "useful": chance.choice((True, True, True, False))}
    elif kind == "request":
        data = {"method": "GET", "route": chance.choice(ROUTES), "status": 200}
        data["latency_ms"] = chance.randrange(900)
    session = f"session-{person}-{seq % 3}"
    return Event(time=at, type=kind, seq=seq, source="web", user=f"user-{person}", session=session, data=data)


def asked(chance: random.Random) -> dict[str, Any]:
    """Return the data of a question."""
    topic = int(chance.paretovariate(0.6)) % TEXTS
    return {
        "text": f"How do I get number {topic} back onto my account?",
        "outcome": chance.choice(("answered",) * 6 + ("no_match",)),
        "latency_ms": chance.randrange(80, 4_000),
        "model": chance.choice(("small", "large")),
        "input_tokens": chance.randrange(50, 900),
        "output_tokens": chance.randrange(5, 400),
    }
