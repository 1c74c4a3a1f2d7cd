"""Messages of every kind a queue may hold, and what is to become of them."""

import gzip
import json
from datetime import timedelta

from pipeline.world import NINE, captured, outside, question
from tuppence.batch import Header, pack

EVENTS = 6 * 5 * 20 + 6 * 2 * 15 + 6 + 3
"""Different events in the messages below that can be counted."""
DEAD = 5
"""Messages below that can not."""


def bodies():
    """Return batches that overlap, events from outside that come again, single events, and poison."""
    made = [
        *(instance_batch(instance, number) for instance in range(6) for number in range(5)),
        *(instance_batch(0, number, more=7) for number in range(4)),
        *(outside_batch(day, half) for day in range(6) for half in range(2)),
        *(outside(question(name="same", minutes=number, user="eve")) for number in (1, 1, 2, 2, 3, 3)),
        *(single(number) for number in range(6)),
        gzip.compress(single(0), mtime=0),
    ]
    whole = made[0]
    poison = [
        b"{",
        b'{"id": "x", "type": "t"}',
        whole[:3] + b"\x09" + whole[4:],
        whole[:-1] + bytes([whole[-1] ^ 1]),
        pack(Header(project="other", hour="2026111609", count=1), [question(name="x")]).body,
    ]
    return made + poison


def instance_batch(instance, number, more=0):
    """Return 20 events of a process; `more` adds some of its next batch, as after a crash of the sender."""
    first = 20 * number + 1
    events = [asked(instance, seq) for seq in range(first, first + 20 + more)]
    return captured(*events, instance=f"process{instance}", hello=number == 0)


def asked(instance, seq):
    texts = ("Where is my parcel?", "May I return it?", "Are you open on Sunday?")
    outcome = ("answered", "answered", "no_match")[seq % 3]
    minutes = 60 * (instance % 4) + seq / 10
    return question(seq, minutes, user=f"u{seq % 17}", text=texts[seq % 3], outcome=outcome)


def outside_batch(day, half):
    """Return 15 events with ids, on a day of their own."""
    start = NINE + timedelta(hours=6 * day)
    names = range(15 * half, 15 * half + 15)
    return outside(*(question(name=f"{day}-{n}", minutes=n, start=start, user=f"v{n}") for n in names))


def single(number):
    """Return an event as another language's sender writes it."""
    at = f"2026-11-16T{9 + number:02}:30:00Z"
    return json.dumps({"id": f"single{number}", "type": "signup", "time": at, "user": "zoe"}).encode()
