"""The pipeline over the embedded provider, with faults that can be put between any two calls."""

from __future__ import annotations

import random
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from tuppence.batch import Header, pack
from tuppence.clock import Deadline
from tuppence.config import Retention
from tuppence.drivers import Context, Message, QueueDriver, Record, StoreDriver
from tuppence.errors import DriverError, ErrorCode
from tuppence.event import Event, hour_of, milliseconds
from tuppence.local.database import FileOptions
from tuppence.local.queue import LocalQueue
from tuppence.local.store import LocalStore
from tuppence.meter import UnitMeter
from tuppence.pipeline import layout
from tuppence.pipeline.drain import LEASE, drain
from tuppence.pipeline.reader import read_days, read_texts
from tuppence.pipeline.seal import seal
from tuppence.queue import Queue
from tuppence.store import Store
from tuppence.testing.clock import ManualClock

PROJECT = "bot"
NINE = datetime(2026, 11, 16, 9, tzinfo=UTC)
AROUND = NINE.date() - timedelta(days=2), NINE.date() + timedelta(days=2)
CALLS = frozenset({"put", "get", "query", "delete", "send", "receive", "ack", "nack", "extend"})


class Crash(BaseException):
    """The process died here."""


class Faults:
    """What happens around driver calls: nothing, until told otherwise."""

    def __init__(self):
        self.calls = 0
        self.crash_at = None
        self.before = lambda operation: None
        self.after = lambda operation: None

    def around(self, operation, call):
        """Make one call; each call has two points at which to crash, before it and after it."""
        self._step()
        self.before(operation)
        result = call()
        self.after(operation)
        self._step()
        return result

    def _step(self):
        if self.calls == self.crash_at:
            self.crash_at = None
            raise Crash
        self.calls += 1


class Faulty:
    """A driver seen through faults."""

    def __init__(self, driver, faults):
        self._driver = driver
        self._faults = faults

    def __getattr__(self, name):
        found = getattr(self._driver, name)
        if name not in CALLS:
            return found
        return lambda *args, **options: self._faults.around(name, lambda: found(*args, **options))


QueueDriver.register(Faulty)
StoreDriver.register(Faulty)


class World:
    """A queue and a store in one file, and the pipeline's steps on them."""

    def __init__(self, folder, *, clock=None, zone="Europe/London", limits=None):
        self.clock = clock or ManualClock(NINE + timedelta(minutes=30))
        self.meter = UnitMeter()
        self.faults = Faults()
        self.zone = ZoneInfo(zone)
        self.retention = Retention()
        options = FileOptions(str(Path(folder) / "tuppence.db"))
        context = Context(project=PROJECT, meter=self.meter, clock=self.clock)
        store = LocalStore(options, context)
        if limits is not None:
            store.limits = limits
        self.drivers = LocalQueue(options, context), store
        self.queue = Queue(Faulty(self.drivers[0], self.faults), self.clock)
        self.store = Store(Faulty(store, self.faults), self.clock)

    def close(self):
        for driver in self.drivers:
            driver.close()

    @property
    def deadline(self):
        return Deadline.after(600, self.clock)

    def know_visitors_by(self, key=b"k" * 32):
        """Fix the visitor key, so that two worlds can be compared byte by byte."""
        self.store.put(Record(key=layout.state(PROJECT, "visitor-key"), body=key), deadline=self.deadline)

    def send(self, *bodies):
        """Put messages into the queue, equal ones too."""
        messages = [Message(id=f"{random.random()}", body=body) for body in bodies]
        assert not self.queue.send(messages, deadline=self.deadline)

    def drain(self, **options):
        return drain(
            self.queue,
            self.store,
            project=PROJECT,
            retention=self.retention,
            clock=self.clock,
            deadline=self.deadline,
            **options,
        )

    def seal(self, **options):
        return seal(
            self.store,
            project=PROJECT,
            zone=self.zone,
            retention=self.retention,
            clock=self.clock,
            **{"deadline": self.deadline, **options},
        )

    def attempt(self, step, crash):
        """Run a step; with a number, it is killed at that point of its calls, and its leases run out."""
        self.faults.crash_at = None if crash is None else self.faults.calls + crash
        try:
            getattr(self, step)()
        except Crash:
            self.clock.advance(2 * LEASE)
        self.faults.crash_at = None

    def take_in(self, *bodies):
        """Send, drain and seal."""
        self.send(*bodies)
        self.drain()
        return self.seal()

    def days(self):
        return read_days(self.store, PROJECT, *AROUND, deadline=self.deadline)

    def day(self):
        """Return the rollup of the day of `NINE`."""
        return self.read_day(NINE.date())

    def read_day(self, day):
        return read_days(self.store, PROJECT, day, day, deadline=self.deadline).rollups[day]

    def texts(self):
        return read_texts(self.store, PROJECT, [self.zone], *AROUND, deadline=self.deadline)

    def letters(self):
        return list(self.store.query(layout.dead(PROJECT).partition, deadline=self.deadline))

    def markers(self):
        return [one.key.sort for one in self.store.query(layout.dirty(PROJECT), deadline=self.deadline)]

    def results(self):
        """Return the bodies of all rollups and texts, by key."""
        partitions = [f"{PROJECT}.{kind}.202611" for kind in ("hours", "texts")] + [f"{PROJECT}.days.2026"]
        return {
            record.key: record.body
            for partition in partitions
            for record in self.store.query(partition, deadline=self.deadline)
        }


@contextmanager
def fresh_world(**options):
    """Yield a world of its own, for tests that need many."""
    with TemporaryDirectory() as folder:
        world = World(folder, **options)
        try:
            yield world
        finally:
            world.close()


def at(minutes=0.0, start=NINE):
    """Return a time in milliseconds, so many minutes after nine."""
    return milliseconds(start + timedelta(minutes=minutes))


def question(seq=0, minutes=0.0, *, user=None, name=None, start=NINE, **data):
    """Return a question; `name` is its id."""
    given = {"text": "Where is my parcel?", **data}
    return Event(time=at(minutes, start), type="question", seq=seq, id=name, user=user, data=given)


def captured(*events, instance="i1", **header):
    """Return a batch as a capturing process sends it."""
    seqs = [event.seq for event in events] or [0]
    given = {"first": min(seqs), "last": max(seqs), "captured": max(seqs), "instance": instance, **header}
    return _packed(events, **given)


def outside(*events):
    """Return a batch of events that have ids."""
    return _packed(events)


def _packed(events, **header):
    hour = hour_of(events[0].time) if events else "2026111609"
    return pack(Header(project=PROJECT, hour=hour, count=len(events), **header), events).body


def unavailable(operation="store.put", code=ErrorCode.UNAVAILABLE):
    """Return an error that a driver might raise."""
    return DriverError(code, operation=operation, provider="faulty")
