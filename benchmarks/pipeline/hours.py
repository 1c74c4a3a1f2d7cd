"""Some hours of traffic, from the queue to rollups and texts: events a second, memory, bytes."""

import json
import time
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from tuppence.batch import MAX_EVENTS, TARGET_BODY, Batch, Header, pack
from tuppence.clock import Deadline, SystemClock
from tuppence.config import Retention
from tuppence.drivers import Context, Message
from tuppence.event import Event, hour_of, milliseconds
from tuppence.local.database import FileOptions
from tuppence.local.queue import LocalQueue
from tuppence.local.store import LocalStore
from tuppence.meter import UnitMeter
from tuppence.pipeline import layout
from tuppence.pipeline.drain import drain
from tuppence.pipeline.seal import seal
from tuppence.queue import Queue
from tuppence.store import Store

from .traffic import INSTANCE, Traffic

PROJECT = "bench"
EVENTS = 240_000
"""At most so many events, or one hour."""
PATIENCE = 3_600
MINUTE = 60_000


def fill(path: Path, a_month: int) -> dict[str, float]:
    """Put as many whole hours of such a month into a queue as hold at most `EVENTS`, one at least."""
    traffic = Traffic(a_month)
    hours = max(1, min(24, EVENTS // traffic.an_hour))
    events = list(_events(traffic, hours))
    messages = [Message(id=batch.id, body=batch.body) for batch in _batches(events)]
    queue, _, deadline = _opened(path)
    queue.send(messages, deadline=deadline)
    queue.close()
    lines = [msgspec.json.encode(event) for event in events]
    floor = timed(lambda: deque(map(json.loads, lines), maxlen=0))
    wire = sum(len(message.body) for message in messages)
    return {"events": len(events), "floor": floor, "wire": wire}


def measured(path: Path, _: int) -> dict[str, float]:
    """Return the CPU seconds of drain and seal, the most memory, and the bytes of what is left."""
    queue, store, deadline = _opened(path)
    given: dict[str, Any] = {
        "project": PROJECT,
        "retention": Retention(),
        "clock": SystemClock(),
        "deadline": deadline,
    }
    found = {
        "drain": timed(lambda: drain(queue, store, **given)),
        "seal": timed(lambda: seal(store, zone=ZoneInfo("Europe/London"), **given)),
        "memory": peak(),
    }
    at = _yesterday()
    partitions = {
        "hours": layout.hour(PROJECT, f"{at:%Y%m%d%H}").partition,
        "texts": layout.texts(PROJECT, f"{at:%Y%m%d%H}").partition,
        "days": layout.day(PROJECT, at.date()).partition,
    }
    for name, partition in partitions.items():
        found[name] = sum(len(record.body) for record in store.query(partition, deadline=deadline))
    queue.close()
    store.close()
    return found


def timed(action: Callable[[], Any]) -> float:
    """Return the CPU seconds an action takes."""
    before = time.process_time()
    action()
    return time.process_time() - before


def peak() -> int:
    """Return the most bytes of memory this process has held, as Linux tells it."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def _opened(path: Path) -> tuple[Queue, Store, Deadline]:
    clock = SystemClock()
    context = Context(project=PROJECT, meter=UnitMeter(), clock=clock)
    options = FileOptions(str(path))
    queue, store = Queue(LocalQueue(options, context), clock), Store(LocalStore(options, context), clock)
    return queue, store, Deadline.after(PATIENCE, clock)


def _yesterday() -> datetime:
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=1)


def _events(traffic: Traffic, hours: int) -> Iterator[Event]:
    start = milliseconds(_yesterday())
    for hour in range(hours):
        first = hour * traffic.an_hour + 1
        yield from traffic.events(start + hour * 60 * MINUTE, traffic.an_hour, first)


def _batches(events: list[Event]) -> Iterator[Batch]:
    """Yield batches as one process sends them: each minute what has come, or more often when one is full."""
    full = _full(events)
    group: list[Event] = []
    for event in events:
        if group and (len(group) == full or event.time // MINUTE != group[0].time // MINUTE):
            yield _packed(group)
            group = []
        group.append(event)
    yield _packed(group)


def _full(events: list[Event]) -> int:
    """Return how many of these events fill a message."""
    sample = events[:1_000]
    return min(MAX_EVENTS, TARGET_BODY * len(sample) // len(_packed(sample).body))


def _packed(events: list[Event]) -> Batch:
    header = Header(
        project=PROJECT,
        hour=hour_of(events[0].time),
        count=len(events),
        instance=INSTANCE,
        first=events[0].seq,
        last=events[-1].seq,
        captured=events[-1].seq,
    )
    return pack(header, events)
