"""An hour of a month's traffic, as hosts send it: what the benchmarks of billable units have in common."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from bot import made_up

from tuppence.batch import Header, pack
from tuppence.config import Capture
from tuppence.drivers import Message
from tuppence.event import hour_of, milliseconds

HOSTS = (4, 20)
HOURS = 720
EVENTS = 1_400
"""Events of the benchmark's kind in a full batch."""
HOUR = timedelta(hours=1)
PROJECT = "units"


def flushes(hosts: int, events: int, start: datetime) -> Iterator[tuple[int, list[Message]]]:
    """Yield the minute and the messages of each time that a host sends, in one hour of such a month."""
    chance = random.Random(7)
    every = Capture().flush_interval
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
