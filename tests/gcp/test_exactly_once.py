"""A hundred thousand events through Pub/Sub, Firestore and Cloud Storage, while calls to all of them fail.

The services' own time is real: a message whose delivery was lost comes again when the subscription's lease
is over. Here that is three seconds, which the emulator lets pass, and not ten. Everything else waits on a
clock that is moved by hand. `pipeline.through_faults` says what is the same on every cloud.

`make test` runs all the faults together. `FAULTS=each` runs each kind alone as well.
"""

from __future__ import annotations

import os
import random
import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from aws import faulty
from aws.faulty import Faulty
from gcp import faults
from gcp.queues import queues_at
from gcp.stores import bucket_at
from pipeline.through_faults import (
    EVENTS,
    NINE,
    PROJECT,
    RATE,
    SEED,
    World,
    check_met,
    journal_in,
    results_without_faults,
    run_as_deployed,
    summary,
)
from tuppence import retry
from tuppence.config import load
from tuppence.drivers import ZERO
from tuppence.pipeline import drain
from tuppence.runtime import Runtime
from tuppence.testing import ManualClock
from tuppence_gcp import store
from tuppence_gcp.queue import PubSubQueue

EACH = 125
"""Events of a batch; as many as fit would make too few messages to meet faults."""
FEW = 5
"""Messages of a call, for the same reason."""
PASS = 20
"""Messages stored together, which is one object."""
LEASE = 3
"""Seconds, of the services' real time."""
UNANSWERED = 0.15
"""Seconds until the first try of a call is given up: the emulators are quick, and thousands are given up."""
LOOK = 0.2
"""Seconds of real time between two rounds of the schedule."""
KINDS = {
    "throttled": (faults.throttling,),
    "5xx": (faulty.unavailable, faults.failing),
    "unanswered": (faulty.silent,),
    "reset before": (faulty.refused,),
    "reset after": (faulty.lost,),
    "expired tokens": (faults.expired,),
}
ALL = tuple(fault for kind in KINDS.values() for fault in kind)
ALONE = list(KINDS) if os.environ.get("FAULTS") == "each" else []


class Clock(ManualClock):
    """A clock that is moved by hand; between two rounds, leases run out in real time."""

    def advance(self, span):
        super().advance(span)
        if span >= timedelta(minutes=15):
            time.sleep(LOOK)


def configured(folder, queue, firestore, bucket):
    return load(
        environ={},
        folder=folder,
        project=PROJECT,
        provider="gcp",
        capture={"directory": str(folder)},
        queue={"endpoint": queue, "project_id": "proj"},
        store={
            "endpoint": firestore,
            "project_id": "proj",
            "collection": folder.name,
            "blobs": f"gs://{bucket.name}" if bucket else "",
        },
    )


@pytest.fixture(scope="module")
def journal(tmp_path_factory):
    return journal_in(tmp_path_factory.mktemp("captured"), EACH)


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    """Let calls be small, leases short, and nobody wait for what has not come."""
    monkeypatch.setattr(retry, "FIRST_TRY", UNANSWERED)
    monkeypatch.setattr(drain, "LEASE", timedelta(seconds=LEASE))
    monkeypatch.setattr(drain, "WAIT", ZERO)
    monkeypatch.setattr(store, "LEAST", 1)  # these batches are small
    monkeypatch.setattr(drain, "PASS", PASS)
    monkeypatch.setattr(PubSubQueue, "limits", replace(PubSubQueue.limits, batch_items=FEW))


@pytest.fixture
def run(journal, monitored_url, firestore_url, storage_url, pubsub_url, monkeypatch, tmp_path):
    """Return what does a run through proxies, in a world that is lent."""

    @contextmanager
    def run(chosen=(), rate=0.0, *, apart=False):
        with ExitStack() as stack:
            queue, firestore, storage = proxies = [
                stack.enter_context(Faulty(url, chosen, rate=rate, seed=SEED + number).running())
                for number, url in enumerate((monitored_url, firestore_url, storage_url))
            ]
            bucket = None
            if apart:
                monkeypatch.setenv("STORAGE_EMULATOR_HOST", storage_url)
                bucket = stack.enter_context(bucket_at(storage_url, f"b{random.randrange(10**9)}"))
                monkeypatch.setenv("STORAGE_EMULATOR_HOST", storage.url)
            stack.enter_context(queues_at(pubsub_url, PROJECT, ack_deadline=LEASE))
            folder = tmp_path / f"t{random.randrange(10**9)}"
            folder.mkdir()
            clock = Clock(NINE)
            outside = Runtime(configured(folder, monitored_url, firestore_url, bucket), clock=clock)
            runtime = Runtime(configured(folder, queue.url, firestore.url, bucket), clock=clock)
            world = World(outside, runtime, clock, lambda job: run_as_deployed(runtime, job))
            world.take(journal)
            world.rounds = world.work_until_done()
            world.proxies = proxies if apart else proxies[:2]
            yield world
            world.close()

    return run


@pytest.fixture(scope="module")
def expected(journal, tmp_path_factory):
    return results_without_faults(journal, tmp_path_factory.mktemp("quiet"))


@pytest.mark.slow  # thousands of requests
@pytest.mark.parametrize("kind", [*ALONE, "all together"])
def test_whatever_happens_to_its_calls_every_event_is_counted_once(run, expected, kind, record_property):
    chosen = KINDS.get(kind, ALL)
    with run(chosen, RATE, apart=kind not in KINDS) as world:
        counted, results, dead = world.counted(), world.results(), world.dead()

    record_property("summary", summary(f"{kind}, on Google Cloud", counted, world.rounds, world.proxies))
    assert counted == EVENTS
    assert results == expected
    assert dead == []
    check_met(world.proxies, chosen, RATE)
