"""A hundred thousand events on their way from a journal to a day's numbers, while calls to AWS fail.

They are captured once. Each run sends a copy of the journal, drains and seals as the schedule does, in a
quarter of an hour of the services' own clock (`tests/ahead`), with the pauses, leases and capacity of every
day. Only the time until a call counts as unanswered is shorter, since it passes on the connection itself.

`SEED=7 EVENTS=1000000` repeats other faults on more events.
"""

from __future__ import annotations

import os
import random
import shutil
from contextlib import contextmanager
from datetime import timedelta
from math import sqrt

import pytest

from aws import faulty as faults
from aws.calling import Call, call
from aws.faulty import Faulty
from aws.queues import queues_at
from aws.tables import table_at
from pipeline.world import AROUND, NINE
from tuppence import retry
from tuppence.capture import packer, places
from tuppence.capture.client import Client
from tuppence.capture.sender import Sender
from tuppence.clock import Deadline, SystemClock
from tuppence.config import load
from tuppence.drivers import Record
from tuppence.errors import DriverError, ErrorCode
from tuppence.jobs import orphans
from tuppence.pipeline import layout
from tuppence.pipeline.reader import read_days
from tuppence.runtime import Runtime
from tuppence.testing import ManualClock
from tuppence_aws import handlers

EVENTS = int(os.environ.get("EVENTS", "100000"))
SEED = int(os.environ.get("SEED", "1"))
RATE = 0.15
EACH = 200
"""Events of a batch; as many as fit would make too few messages to meet faults."""
HOURS = 6
PROJECT = "bot"
EVERY = timedelta(minutes=15)
ROUNDS = 400
"""How often the schedule comes round, at most."""
UNANSWERED = 0.3
"""Seconds until the first try of a call is given up."""
KINDS = {
    "throttled": (faults.throttling,),
    "5xx": (faults.unavailable, faults.failing),
    "unanswered": (faults.silent,),
    "reset before": (faults.refused,),
    "reset after": (faults.lost,),
    "expired tokens": (faults.expired,),
}
ALL = tuple(fault for kind in KINDS.values() for fault in kind)


class World:
    """One project's queue and table, and its functions as Lambda has them."""

    def __init__(self, url, faulty, clock, folder):
        self.clock = clock
        self.outside = Runtime(self._configuration(url, folder), clock=clock)
        self.runtime = Runtime(self._configuration(faulty, folder), clock=clock)
        visitors = Record(key=layout.state(PROJECT, "visitor-key"), body=b"k" * 32)
        self.outside.store.put(visitors, deadline=self.soon())

    def _configuration(self, url, folder):
        place = {"endpoint": url, "region": "eu-west-2"}
        return load(
            environ={},
            folder=folder,
            project=PROJECT,
            capture={"directory": str(folder)},
            queue=place,
            store=place,
        )

    def soon(self):
        return Deadline.after(600, self.clock)

    def work_until_done(self):
        """Let the schedule come round until nothing is left to do; return how often it did."""
        for number in range(1, ROUNDS):
            for step in (self._send, *(lambda job=job: self._run(job) for job in ("drain", "seal"))):
                try:
                    step()
                except DriverError as error:
                    assert error.code in {*RETRIED, ErrorCode.UNAUTHENTICATED}, error  # noqa: PT017
            if not self.left():
                return number
            self.clock.advance(EVERY)
        raise AssertionError(f"after {ROUNDS} rounds there is still {self.left()}")

    def _send(self):
        orphans(self.runtime, deadline=Deadline.after(60, self.clock))

    def _run(self, job):
        call(handlers.run, {"job": job, "run_id": "1", "payload": {}}, Call(left=60_000))

    def left(self):
        """Return what is not yet where it belongs."""
        queue, aside = self.outside.queue, self.outside.queue.dead_letters()
        left = {
            "journals": len(list(places.instances(places.directory(self.runtime.config)))),
            "messages": queue.depth(deadline=self.soon())[0],
            "set aside": aside.depth(deadline=self.soon())[0],
            "markers": len(list(self.outside.store.query(layout.dirty(PROJECT), deadline=self.soon()))),
        }
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


RETRIED = {code for code in ErrorCode if code.retryable}


def capture(client, clock):
    step = timedelta(hours=HOURS) / EVENTS
    for number in range(EVENTS):
        if number % 10:
            client.capture("visit", user=f"u{number % 997}", page=number % 50)
        else:
            with client.question(f"Where is parcel {number % 90}?", user=f"u{number % 997}") as question:
                question.answered(model="m", score=0.5)
        clock.advance(step)
    client.close(timeout=30)


def away():
    raise DriverError(ErrorCode.UNAVAILABLE, operation="queue.send", provider="nobody")


@pytest.fixture(scope="module")
def journal(tmp_path_factory):
    """Return the journal that a client left whose queue was away, packed into small batches."""
    folder = tmp_path_factory.mktemp("captured")
    clock = ManualClock(NINE)
    config = load(
        environ={},
        folder=folder,
        project=PROJECT,
        capture={"directory": str(folder), "journal_bytes": 1024 * EVENTS + 2**24},
    )
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(packer, "MAX_EVENTS", EACH)
        patched.setattr(packer, "MAX_PENDING", EVENTS)
        capture(Client(config, clock=clock), clock)
        sender = Sender(config, places.directory(config), away, SystemClock())
        while sender.work(flush=True):
            pass
        sender.close()
    (path,) = places.instances(places.directory(config))
    assert len(list(path.glob("*.batch"))) >= EVENTS / EACH
    return path


@pytest.fixture
def run(journal, ministack_url, service_clock, monkeypatch, tmp_path):
    """Return what does a run through a proxy, in a world that is lent."""
    monkeypatch.setattr(retry, "FIRST_TRY", UNANSWERED)

    @contextmanager
    def run(proxy):
        with queues_at(ministack_url, PROJECT), table_at(ministack_url, f"tuppence-{PROJECT}"):
            folder = tmp_path / str(random.random())
            folder.mkdir()
            world = World(ministack_url, proxy.url, service_clock, folder)
            shutil.copytree(journal, places.prepared(places.directory(world.runtime.config)) / journal.name)
            monkeypatch.setattr(handlers, "_runtime", lambda: world.runtime)
            world.rounds = world.work_until_done()
            yield world
            world.close()

    return run


@pytest.fixture(scope="module")
def quiet():
    """Keep what the run without faults has found."""
    return {}


@pytest.fixture
def expected(run, ministack_url, quiet):
    if not quiet:
        with Faulty(ministack_url).running() as proxy, run(proxy) as world:
            assert world.counted() == EVENTS
            quiet.update(world.results())
    return quiet


@pytest.mark.slow  # thousands of requests, several times over
@pytest.mark.parametrize("kind", [*KINDS, "all together"])
def test_whatever_happens_to_its_calls_every_event_is_counted_once(
    run, expected, ministack_url, kind, record_property
):
    chosen = KINDS.get(kind, ALL)
    rate = RATE if kind in KINDS else 2 * RATE
    with Faulty(ministack_url, chosen, rate=rate, seed=SEED).running() as proxy, run(proxy) as world:
        counted, results, dead = world.counted(), world.results(), world.dead()
        rounds = world.rounds

    record_property(
        "summary",
        f"{kind}: {EVENTS:,} captured, {counted:,} counted; {proxy.met.total():,} of {proxy.asked:,} requests"
        f" failed, SEED={SEED}, {rounds} rounds",
    )
    assert counted == EVENTS
    assert results == expected
    assert dead == []
    for fault in chosen:
        share = rate / len(chosen)
        spread = sqrt(share * (1 - share) / proxy.asked)
        assert proxy.met[fault.__name__] / proxy.asked == pytest.approx(share, abs=5 * spread)
