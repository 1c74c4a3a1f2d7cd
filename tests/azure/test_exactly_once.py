"""A hundred thousand events through a Storage Queue and Table Storage, while calls to both of them fail.

The services' clock is moved by hand (`tests/ahead`): nobody waits for a lease, or between two rounds of the
schedule. `pipeline.through_faults` says what is the same on every cloud.

`make test` runs all the faults together. `FAULTS=each` runs each kind alone as well.
"""

from __future__ import annotations

import os
import random
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from aws import faulty
from aws.faulty import Faulty
from azure import faults
from azure.queues import queue_at
from azure.tables import table_at
from pipeline.through_faults import (
    EVENTS,
    PROJECT,
    RATE,
    SEED,
    UNANSWERED,
    World,
    check_met,
    journal_in,
    summary,
)
from tuppence import functions, retry
from tuppence.config import load
from tuppence.drivers import Run
from tuppence.runtime import Runtime
from tuppence_azure.store import TableStore

EACH = 400
"""Events of a batch; as many as fit would make too few messages to meet faults."""
FEW = 4
"""Records of a call on the table, for the same reason."""
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


def configured(folder, reference):
    place = {"connection_string": reference}
    return load(
        environ={},
        folder=folder,
        project=PROJECT,
        provider="azure",
        capture={"directory": str(folder)},
        queue={"service": "storage", **place},
        store=place,
    )


@pytest.fixture(scope="module")
def journal(tmp_path_factory):
    return journal_in(tmp_path_factory.mktemp("captured"), EACH)


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    """Let calls be small, and let nobody wait for what is not answered."""
    monkeypatch.setattr(retry, "FIRST_TRY", UNANSWERED / 2)  # Azurite is near
    monkeypatch.setattr(TableStore, "limits", replace(TableStore.limits, batch_items=FEW))


class Nothing:
    """What a Storage Queue sets aside."""

    def depth(self, *, deadline):
        return 0, None

    def close(self):
        pass


@pytest.fixture
def run(journal, connection_string, service_clock, monkeypatch, tmp_path):
    """Return what does a run through proxies, in a world that is lent."""

    @contextmanager
    def run(chosen=(), rate=0.0):
        with ExitStack() as stack:
            told = dict(part.split("=", 1) for part in connection_string.split(";"))
            proxies = []
            for number, service in enumerate(("QueueEndpoint", "TableEndpoint")):
                proxy = Faulty(told[service], chosen, rate=rate, seed=SEED + number)
                proxies.append(stack.enter_context(proxy.running()))
                told[service] = f"{proxy.url}/devstoreaccount1"
            monkeypatch.setenv("AZURITE", connection_string)
            monkeypatch.setenv("THROUGH", ";".join(f"{name}={value}" for name, value in told.items()))
            stack.enter_context(queue_at(connection_string, f"tuppence-{PROJECT}"))
            stack.enter_context(table_at(connection_string, f"tuppence{PROJECT}"))
            folder = tmp_path / f"t{random.randrange(10**9)}"
            folder.mkdir()
            outside, runtime = (
                Runtime(configured(folder, {"env": name}), clock=service_clock)
                for name in ("AZURITE", "THROUGH")
            )
            monkeypatch.setattr(outside.queue, "dead_letters", Nothing)
            world = World(outside, runtime, service_clock, lambda job: run_as_deployed(runtime, job))
            world.take(journal)
            world.rounds = world.work_until_done()
            world.proxies = proxies
            yield world
            world.close()

    return run


def run_as_deployed(runtime, job):
    functions.run(runtime, Run(job=job, run_id="1"), left=timedelta(minutes=1))


@pytest.fixture(scope="module")
def quiet():
    """Keep what the run without faults has found."""
    return {}


@pytest.fixture
def expected(run, quiet):
    if not quiet:
        with run() as world:
            assert world.counted() == EVENTS
            quiet.update(world.results())
    return quiet


@pytest.mark.slow  # thousands of requests, twice
@pytest.mark.parametrize("kind", [*ALONE, "all together"])
def test_whatever_happens_to_its_calls_every_event_is_counted_once(run, expected, kind, record_property):
    chosen = KINDS.get(kind, ALL)
    rate = RATE if kind in KINDS else 2 * RATE
    with run(chosen, rate) as world:
        counted, results, dead = world.counted(), world.results(), world.dead()

    record_property("summary", summary(f"{kind}, by Storage Queue", counted, world.rounds, world.proxies))
    assert counted == EVENTS
    assert results == expected
    assert dead == []
    check_met(world.proxies, chosen, rate)
