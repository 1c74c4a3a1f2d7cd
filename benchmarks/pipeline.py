"""How many events a second one core takes from the queue to the rollups.

    python benchmarks/pipeline.py [--json]

A busy bot's day waits in a queue; the drain and the seal are timed in CPU seconds of this process. Beside
them, in the same run, stands a floor: decoding the same events from lines of JSON and doing nothing with
them. The ratio moves less from machine to machine than the numbers do.
"""

import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from tuppence.batch import Header, pack
from tuppence.clock import Deadline, SystemClock
from tuppence.config import Retention
from tuppence.drivers import Context, Message
from tuppence.event import Event, hour_of, milliseconds
from tuppence.local.database import FileOptions
from tuppence.local.queue import LocalQueue
from tuppence.local.store import LocalStore
from tuppence.meter import UnitMeter
from tuppence.pipeline.drain import drain
from tuppence.pipeline.seal import seal
from tuppence.queue import Queue
from tuppence.store import Store

EVENTS = 240_000
BATCH = 1_000
TEXTS = 3_000
PEOPLE = 20_000
ROUTES = ("/ask", "/history/{id}", "/health", "/feedback")
PROJECT = "bench"


def batches(chance: random.Random) -> list[list[Event]]:
    """Return a day of yesterday's events, a batch each: six in ten are questions, three requests."""
    start = milliseconds(
        datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    )
    step = 86_400_000 // EVENTS
    events = [made_up(chance, seq, start + (seq - 1) * step) for seq in range(1, EVENTS + 1)]
    return [events[at : at + BATCH] for at in range(0, EVENTS, BATCH)]


def made_up(chance: random.Random, seq: int, at: int) -> Event:
    """Return one event. Some texts and people come often, most seldom."""
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


def message(events: list[Event]) -> Message:
    """Return a batch as it is sent."""
    header = Header(
        project=PROJECT,
        hour=hour_of(events[0].time),
        count=len(events),
        instance="run",
        first=events[0].seq,
        last=events[-1].seq,
        captured=events[-1].seq,
    )
    batch = pack(header, events)
    return Message(id=batch.id, body=batch.body)


def timed(action: Callable[[], Any]) -> float:
    """Return the CPU seconds an action takes."""
    before = time.process_time()
    action()
    return time.process_time() - before


def measured(folder: Path) -> dict[str, float]:
    """Return events a second of each step."""
    made = batches(random.Random(1))
    lines = [msgspec.json.encode(event) for events in made for event in events]
    clock = SystemClock()
    context = Context(project=PROJECT, meter=UnitMeter(), clock=clock)
    options = FileOptions(str(folder / "bench.db"))
    queue, store = Queue(LocalQueue(options, context), clock), Store(LocalStore(options, context), clock)
    deadline = Deadline.after(600, clock)
    given: dict[str, Any] = {
        "project": PROJECT,
        "retention": Retention(),
        "clock": clock,
        "deadline": deadline,
    }
    queue.send([message(events) for events in made], deadline=deadline)
    floor = timed(lambda: [json.loads(line) for line in lines])
    drained = timed(lambda: drain(queue, store, **given))
    sealed = timed(lambda: seal(store, zone=ZoneInfo("Europe/London"), **given))
    queue.close()
    store.close()
    return {
        "floor": EVENTS / floor,
        "drain": EVENTS / drained,
        "seal": EVENTS / sealed,
        "both": EVENTS / (drained + sealed),
        "ratio": floor / (drained + sealed),
    }


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        found = measured(Path(folder))
    if "--json" in sys.argv:
        print(json.dumps(found))
        return
    for name in ("floor", "drain", "seal", "both"):
        print(f"{name:<6} {found[name]:>12,.0f} events/s")
    print(f"drain and seal together are {found['ratio']:.2f} times as fast as decoding JSON alone")


if __name__ == "__main__":
    main()
