"""A hundred thousand events on their way from a journal to a day's numbers, while calls to a cloud fail.

They are captured once. Each run sends a copy of the journal, drains and seals as the schedule does, until
nothing is left to do. What a run without faults has counted, on the embedded provider, every other run must
count to the byte.

`SEED=7 EVENTS=1000000` repeats other faults on more events.
"""

from __future__ import annotations

import os
import shutil
from datetime import timedelta
from math import sqrt

import pytest

from pipeline.world import AROUND, NINE
from tuppence import functions
from tuppence.capture import packer, places
from tuppence.capture.client import Client
from tuppence.capture.sender import Sender
from tuppence.clock import Deadline, SystemClock
from tuppence.config import load
from tuppence.drivers import Record, Run
from tuppence.errors import DriverError, ErrorCode
from tuppence.jobs import orphans
from tuppence.pipeline import layout
from tuppence.pipeline.reader import read_days
from tuppence.runtime import Runtime
from tuppence.testing import ManualClock

EVENTS = int(os.environ.get("EVENTS", "100000"))
SEED = int(os.environ.get("SEED", "1"))
RATE = 0.15
HOURS = 6
PROJECT = "bot"
EVERY = timedelta(minutes=15)
ROUNDS = 400
"""How often the schedule comes round, at most."""
UNANSWERED = 0.3
"""Seconds until the first try of a call is given up."""
PASSING = {code for code in ErrorCode if code.retryable} | {ErrorCode.UNAUTHENTICATED}
"""What may end a job, and is over when the schedule comes round again."""


class World:
    """One project's queue and store, and its jobs.

    Args:
        outside: a runtime that meets no faults, for looking at what there is.
        runtime: one that does.
        clock: theirs.
        run: runs a job by its name, as the platform does.

    """

    def __init__(self, outside, runtime, clock, run):
        self.outside = outside
        self.runtime = runtime
        self.clock = clock
        self._run = run
        visitors = Record(key=layout.state(PROJECT, "visitor-key"), body=b"k" * 32)
        self.outside.store.put(visitors, deadline=self.soon())

    def take(self, journal):
        """Let a copy of a journal be what a dead process has left here."""
        shutil.copytree(journal, places.prepared(places.directory(self.runtime.config)) / journal.name)

    def soon(self):
        return Deadline.after(600, self.clock)

    def work_until_done(self):
        """Let the schedule come round until nothing is left to do; return how often it did."""
        for number in range(1, ROUNDS):
            for step in (self._send, *(lambda job=job: self._run(job) for job in ("drain", "seal"))):
                try:
                    step()
                except DriverError as error:
                    assert error.code in PASSING, error  # noqa: PT017
            if not self.left():
                return number
            self.clock.advance(EVERY)
        raise AssertionError(f"after {ROUNDS} rounds there is still {self.left()}")

    def _send(self):
        orphans(self.runtime, deadline=Deadline.after(60, self.clock))

    def left(self):
        """Return what is not yet where it belongs."""
        queue, aside = self.outside.queue, self.outside.queue.dead_letters()
        left = {
            "journals": len(list(places.instances(places.directory(self.runtime.config)))),
            "messages": queue.depth(deadline=self.soon())[0],
            "set aside": aside.depth(deadline=self.soon())[0] if aside else 0,
            "markers": len(list(self.outside.store.query(layout.dirty(PROJECT), deadline=self.soon()))),
        }
        if aside:
            aside.close()
        return {name: count for name, count in left.items() if count}

    def results(self):
        """Return the bodies of all rollups and texts, by key."""
        partitions = [f"{PROJECT}.{kind}.202611" for kind in ("hours", "texts")] + [f"{PROJECT}.days.2026"]
        return {
            record.key: record.body
            for partition in partitions
            for record in self.outside.store.query(partition, deadline=self.soon())
        }

    def counted(self):
        days = read_days(self.outside.store, PROJECT, *AROUND, deadline=self.soon()).rollups
        return sum(cell.events for day in days.values() for cell in day.cells.values())

    def dead(self):
        return list(self.outside.store.query(layout.dead(PROJECT).partition, deadline=self.soon()))

    def close(self):
        self.outside.close()
        self.runtime.close()


def journal_in(folder, each):
    """Return the journal that a client left whose queue was away, packed into batches of `each` events."""
    clock = ManualClock(NINE)
    config = load(
        environ={},
        folder=folder,
        project=PROJECT,
        capture={"directory": str(folder), "journal_bytes": 1024 * EVENTS + 2**24},
    )
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(packer, "MAX_EVENTS", each)
        patched.setattr(packer, "MAX_PENDING", EVENTS)
        _capture(Client(config, clock=clock), clock)
        sender = Sender(config, places.directory(config), _away, SystemClock())
        while sender.work(flush=True):
            pass
        sender.close()
    (path,) = places.instances(places.directory(config))
    assert len(list(path.glob("*.batch"))) >= EVENTS / each
    return path


def run_as_deployed(runtime, job):
    functions.run(runtime, Run(job=job, run_id="1"), left=timedelta(minutes=1))


def results_without_faults(journal, folder):
    """Return the rollups and texts that a journal leads to where no call fails."""
    config = load(
        environ={},
        folder=folder,
        project=PROJECT,
        provider="local",
        capture={"directory": str(folder)},
        queue={"path": "quiet.db"},
        store={"path": "quiet.db"},
    )
    clock = ManualClock(NINE)
    with Runtime(config, clock=clock) as runtime:
        world = World(runtime, runtime, clock, lambda job: run_as_deployed(runtime, job))
        world.take(journal)
        world.work_until_done()
        assert world.counted() == EVENTS
        return world.results()


def check_met(proxies, faults, rate):
    """Expect that each of the faults was met as often as chance would have it."""
    asked = sum(proxy.asked for proxy in proxies)
    for fault in faults:
        share = rate / len(faults)
        spread = sqrt(share * (1 - share) / asked)
        met = sum(proxy.met[fault.__name__] for proxy in proxies)
        assert met / asked == pytest.approx(share, abs=5 * spread)


def summary(kind, counted, rounds, proxies):
    """Return the line that is shown at the end of the tests."""
    failed, asked = sum(proxy.met.total() for proxy in proxies), sum(proxy.asked for proxy in proxies)
    told = f"{kind}: {EVENTS:,} captured, {counted:,} counted; {failed:,} of {asked:,} requests failed"
    return f"{told}, SEED={SEED}, {rounds} rounds"


def _capture(client, clock):
    step = timedelta(hours=HOURS) / EVENTS
    for number in range(EVENTS):
        if number % 10:
            client.capture("visit", user=f"u{number % 997}", page=number % 50)
        else:
            with client.question(f"Where is parcel {number % 90}?", user=f"u{number % 997}") as question:
                question.answered(model="m", score=0.5)
        clock.advance(step)
    client.close(timeout=30)


def _away():
    raise DriverError(ErrorCode.UNAVAILABLE, operation="queue.send", provider="nobody")
