"""A hundred thousand events through a queue of Azure's and Table Storage, while calls to both of them fail.

The services' clock is moved by hand (`tests/ahead`): nobody waits for a lease, or between two rounds of the
schedule. `pipeline.through_faults` says what is the same on every cloud.

Of a Storage Queue and of tables a proxy lets requests fail; of Service Bus the broker itself does, since the
faults are ones of AMQP. `make test` runs all the faults together through a Storage Queue. `FAULTS=each` runs
each kind alone as well, and all of it through Service Bus, whose client takes long for each new connection.
"""

from __future__ import annotations

import gc
import json
import os
import random
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import pytest

from aws import faulty
from aws.faulty import Faulty
from azure import faults
from azure.queues import broker_queue, queue_at
from azure.tables import table_at
from emulators import service_bus
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
    run_as_deployed,
    summary,
)
from tuppence import retry
from tuppence.config import load
from tuppence.runtime import Runtime
from tuppence_azure.store import TableStore

BATCH = {"storage": 400, "service_bus": 2000}
"""Events of a batch, by queue; as many as fit would make too few messages to meet faults.

By Service Bus each message that fails takes its connection along, with what others it holds.
"""
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
EVERY_KIND = os.environ.get("FAULTS") == "each"
LONG = {"unanswered": pytest.mark.timeout(3600)}
"""By Service Bus, whose tries are longer: each that is not answered is waited for."""
CASES = [("storage", "all together")]
if EVERY_KIND:
    CASES += [("storage", kind) for kind in KINDS]
    CASES += [
        pytest.param("service_bus", kind, marks=LONG.get(kind, ())) for kind in (*KINDS, "all together")
    ]
BROKER = {"throttling", "failing", "silent", "refused", "lost", "expired"}
"""What the broker knows of them."""


def configured(folder, queue, store):
    return load(
        environ={},
        folder=folder,
        project=PROJECT,
        provider="azure",
        capture={"directory": str(folder)},
        queue=queue,
        store={"connection_string": {"env": store}},
    )


@pytest.fixture(scope="module")
def journals(tmp_path_factory):
    """Return the journals of batches of a size, made when first asked for."""
    return cache(lambda each: journal_in(tmp_path_factory.mktemp("captured"), each))


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    """Let calls be small, and let nobody wait for what is not answered."""
    monkeypatch.setattr(retry, "FIRST_TRY", UNANSWERED / 2)  # Azurite is near
    monkeypatch.setattr(TableStore, "limits", replace(TableStore.limits, batch_items=FEW))


class Storage:
    """A Storage Queue, and a proxy before it."""

    name = "Storage Queue"

    def __init__(self, connection_string, stack, chosen, rate, setenv):
        told = dict(part.split("=", 1) for part in connection_string.split(";"))
        self.met = Faulty(told["QueueEndpoint"], chosen, rate=rate, seed=SEED)
        stack.enter_context(self.met.running())
        stack.enter_context(queue_at(connection_string, f"tuppence-{PROJECT}"))
        told["QueueEndpoint"] = f"{self.met.url}/devstoreaccount1"
        setenv("QUEUE", connection_string)
        setenv("QUEUE_THROUGH", ";".join(f"{name}={value}" for name, value in told.items()))

    def options(self, env):
        return {"service": "storage", "connection_string": {"env": env}}


class Bus:
    """A queue of a broker that fails now and then for those who call it by its number."""

    name = "Service Bus"

    def __init__(self, services_clock, folder, stack, chosen, rate, setenv):
        self._folder = folder
        self.faults = sorted(BROKER & {fault.__name__ for fault in chosen})
        plan = {"faults": self.faults, "rate": rate, "seed": SEED}
        (folder / "faults.json").write_text(json.dumps(plan), encoding="utf-8")
        broker = service_bus(folder, services_clock.environment, program="faulty.py")
        told = stack.enter_context(broker)
        stack.enter_context(broker_queue(folder, f"tuppence-{PROJECT}", lock=300, deliveries=50))
        setenv("QUEUE", told.replace("127.0.0.1", "localhost"))
        setenv("QUEUE_THROUGH", told)

    def options(self, env):
        return {"connection_string": {"env": env}}

    @property
    def met(self):
        file = self._folder / "met.json"
        asked, met = json.loads(file.read_text(encoding="utf-8")) if file.exists() else ({}, {})
        return SimpleNamespace(asked=sum(asked.values()), met=Counter(met))


@pytest.fixture
def service(queue, connection_string, services_clock, monkeypatch, tmp_path):
    """Return what makes one of the two queues."""

    def made(stack, chosen, rate):
        if queue == "storage":
            return Storage(connection_string, stack, chosen, rate, monkeypatch.setenv)
        monkeypatch.setattr(retry, "FIRST_TRY", 2 * UNANSWERED)  # a connection is opened by many frames
        folder = tmp_path / f"b{random.randrange(10**9)}"
        folder.mkdir()
        return Bus(services_clock, folder, stack, chosen, rate, monkeypatch.setenv)

    return made


@pytest.fixture
def run(journals, queue, service, connection_string, service_clock, monkeypatch, tmp_path):
    """Return what does a run through faults, in a world that is lent."""

    @contextmanager
    def run(chosen=(), rate=0.0):
        with ExitStack() as stack:
            made = service(stack, chosen, rate)
            told = dict(part.split("=", 1) for part in connection_string.split(";"))
            tables = Faulty(told["TableEndpoint"], chosen, rate=rate, seed=SEED + 1)
            stack.enter_context(tables.running())
            told["TableEndpoint"] = f"{tables.url}/devstoreaccount1"
            monkeypatch.setenv("TABLE", connection_string)
            monkeypatch.setenv("TABLE_THROUGH", ";".join(f"{name}={value}" for name, value in told.items()))
            stack.enter_context(table_at(connection_string, f"tuppence{PROJECT}"))
            folder = tmp_path / f"t{random.randrange(10**9)}"
            folder.mkdir()
            outside, runtime = (
                Runtime(configured(folder, made.options(f"QUEUE{way}"), f"TABLE{way}"), clock=service_clock)
                for way in ("", "_THROUGH")
            )
            world = World(outside, runtime, service_clock, lambda job: run_as_deployed(runtime, job))
            world.take(journals(BATCH[queue]))
            world.rounds = world.work_until_done()
            world.queue, world.proxies = made, [made.met, tables]
            yield world
            world.close()

    return run


@pytest.fixture(scope="module")
def quiet(journals, tmp_path_factory):
    """Return the results of a run without faults, by the size of its batches: a rollup names them."""
    return cache(lambda each: results_without_faults(journals(each), tmp_path_factory.mktemp("quiet")))


@pytest.fixture
def expected(quiet, queue):
    return quiet(BATCH[queue])


@pytest.mark.slow  # thousands of requests
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the SDK's broken connections
@pytest.mark.parametrize(("queue", "kind"), CASES)
def test_whatever_happens_to_its_calls_every_event_is_counted_once(
    run, expected, queue, kind, record_property
):
    chosen = KINDS.get(kind, ALL)
    rate = 2 * RATE if (queue, kind) == CASES[0] else RATE
    with run(chosen, rate) as world:
        counted, results, dead = world.counted(), world.results(), world.dead()
    gc.collect()  # while what is left of them is let pass

    told = summary(f"{kind}, by {world.queue.name}", counted, world.rounds, world.proxies)
    record_property("summary", told)
    assert counted == EVENTS
    assert results == expected
    assert dead == []
    check_met([one for one in world.proxies if isinstance(one, Faulty)], chosen, rate)
    if isinstance(world.queue, Bus):
        assert set(world.queue.met.met) == set(world.queue.faults)
