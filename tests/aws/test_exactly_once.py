"""A hundred thousand events through SQS and DynamoDB, by Lambda's own way of calling, while calls fail.

A run takes a quarter of an hour of the services' own clock (`tests/ahead`), with the pauses, leases and
capacity of every day. Only the time until a call counts as unanswered is shorter, since it passes on the
connection itself. `pipeline.through_faults` says what is the same on every cloud.

`make test` runs all the faults together. `FAULTS=each` runs each kind alone as well.
"""

from __future__ import annotations

import os
import random
from contextlib import contextmanager

import pytest

from aws import faulty as faults
from aws.calling import Call, call
from aws.faulty import Faulty
from aws.queues import queues_at
from aws.tables import table_at
from pipeline.through_faults import (
    EVENTS,
    PROJECT,
    RATE,
    SEED,
    UNANSWERED,
    World,
    check_met,
    journal_in,
    results_without_faults,
    summary,
)
from tuppence import retry
from tuppence.config import load
from tuppence.runtime import Runtime
from tuppence_aws import handlers

EACH = 200
"""Events of a batch; as many as fit would make too few messages to meet faults."""
KINDS = {
    "throttled": (faults.throttling,),
    "5xx": (faults.unavailable, faults.failing),
    "unanswered": (faults.silent,),
    "reset before": (faults.refused,),
    "reset after": (faults.lost,),
    "expired tokens": (faults.expired,),
}
ALL = tuple(fault for kind in KINDS.values() for fault in kind)
ALONE = list(KINDS) if os.environ.get("FAULTS") == "each" else []


def configured(url, folder):
    place = {"endpoint": url, "region": "eu-west-2"}
    return load(
        environ={},
        folder=folder,
        project=PROJECT,
        capture={"directory": str(folder)},
        queue=place,
        store=place,
    )


def run_by_lambda(job):
    call(handlers.run, {"job": job, "run_id": "1", "payload": {}}, Call(left=60_000))


@pytest.fixture(scope="module")
def journal(tmp_path_factory):
    return journal_in(tmp_path_factory.mktemp("captured"), EACH)


@pytest.fixture
def run(journal, ministack_url, service_clock, monkeypatch, tmp_path):
    """Return what does a run through a proxy, in a world that is lent."""
    monkeypatch.setattr(retry, "FIRST_TRY", UNANSWERED)

    @contextmanager
    def run(proxy):
        with queues_at(ministack_url, PROJECT), table_at(ministack_url, f"tuppence-{PROJECT}"):
            folder = tmp_path / str(random.random())
            folder.mkdir()
            outside, runtime = (
                Runtime(configured(url, folder), clock=service_clock) for url in (ministack_url, proxy.url)
            )
            world = World(outside, runtime, service_clock, run_by_lambda)
            world.take(journal)
            monkeypatch.setattr(handlers, "_runtime", lambda: world.runtime)
            world.rounds = world.work_until_done()
            yield world
            world.close()

    return run


@pytest.fixture(scope="module")
def expected(journal, tmp_path_factory):
    return results_without_faults(journal, tmp_path_factory.mktemp("quiet"))


@pytest.mark.slow  # thousands of requests
@pytest.mark.parametrize("kind", [*ALONE, "all together"])
def test_whatever_happens_to_its_calls_every_event_is_counted_once(
    run, expected, ministack_url, kind, record_property
):
    chosen = KINDS.get(kind, ALL)
    rate = RATE if kind in KINDS else 2 * RATE
    with Faulty(ministack_url, chosen, rate=rate, seed=SEED).running() as proxy, run(proxy) as world:
        counted, results, dead = world.counted(), world.results(), world.dead()
        rounds = world.rounds

    record_property("summary", summary(kind, counted, rounds, [proxy]))
    assert counted == EVENTS
    assert results == expected
    assert dead == []
    check_met([proxy], chosen, rate)
