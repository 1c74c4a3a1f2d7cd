"""An hour of a month's traffic, as hosts send it: what the benchmarks of billable units have in common."""

import random
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from bot import made_up

from tuppence.batch import Header, pack
from tuppence.clock import Deadline, SystemClock
from tuppence.config import Capture, Pipeline, Retention
from tuppence.drivers import Message
from tuppence.event import hour_of, milliseconds
from tuppence.meter import UnitMeter
from tuppence.pipeline.drain import drain
from tuppence.pipeline.seal import seal
from tuppence.queue import Queue
from tuppence.store import Store

HOSTS = (4, 20)
HOURS = 720
EVENTS = 1_400
"""Events of the benchmark's kind in a full batch."""
HOUR = timedelta(hours=1)
PROJECT = "units"
FLUSH: Final = Capture().flush_interval
MEMORY_GB: Final = 0.5
"""Of a function."""


class Spent(NamedTuple):
    """What an hour took: units by the meter, until it was drained and for sealing, and CPU seconds."""

    drained: Counter[str]
    sealed: Counter[str]
    drain_seconds: float
    seal_seconds: float


def flushes(
    hosts: int, events: int, start: datetime, every: timedelta = FLUSH
) -> Iterator[tuple[int, list[Message]]]:
    """Yield the minute and the messages of each time that a host sends, in one hour of such a month."""
    chance = random.Random(7)
    each = events / HOURS / hosts
    for host in range(hosts):
        seq = 0
        for number in range(HOUR // every):
            due = int(each * (number + 1) / (HOUR // every) + host / hosts)
            begin = milliseconds(start + number * every)
            made = [made_up(chance, seq + n + 1, begin + n * 100 % 100_000) for n in range(due - seq)]
            parts = [made[at : at + EVENTS] for at in range(0, len(made), EVENTS)]
            messages = []
            for part in parts:
                header = Header(
                    project=PROJECT,
                    hour=hour_of(part[0].time),
                    count=len(part),
                    instance=f"host{host}",
                    first=part[0].seq,
                    last=part[-1].seq,
                    captured=part[-1].seq,
                    hello=part[0].seq == 1,
                )
                batch = pack(header, part)
                messages.append(Message(id=batch.id, body=batch.body, lane=batch.id[:1]))
            seq = due
            yield int(number * every / timedelta(minutes=1)), messages


def spend(
    queue: Queue, store: Store, meter: UnitMeter, waiting: Iterator[tuple[int, list[Message]]]
) -> Spent:
    """Send, drain every quarter of an hour, and seal; return what that took."""
    clock = SystemClock()
    flushed = sorted(waiting, key=lambda flush: flush[0])
    used = 0.0
    for end in range(15, 61, int(Pipeline().every / timedelta(minutes=1))):
        for messages in [messages for minute, messages in flushed if end - 15 <= minute < end and messages]:
            assert not queue.send(messages, deadline=Deadline.after(60))
        began = time.process_time()
        limit = Deadline.after(900)
        drain(queue, store, project=PROJECT, retention=Retention(), clock=clock, deadline=limit)
        used += time.process_time() - began
    drained, began = Counter(meter.take()), time.process_time()
    seal(
        store,
        project=PROJECT,
        zone=ZoneInfo("UTC"),
        retention=Retention(),
        clock=clock,
        deadline=Deadline.after(900),
    )
    return Spent(drained, Counter(meter.take()), used, time.process_time() - began)


def two_hours_ago() -> datetime:
    """Return the beginning of an hour that is over."""
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - 2 * HOUR
