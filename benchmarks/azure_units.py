"""What a month on Azure uses of what is billed, counted by core's meter and from the requests themselves.

    PYTHONPATH=tests python benchmarks/azure_units.py [--json]

For some numbers of events a month, and for both queues, one hour of that traffic is sent, drained, sealed
and, a month later, purged, with the default settings; the month is 720 such hours. A proxy before the
emulator reads each request to the tables and to the Storage Queue, and works out what Azure would bill; what
Service Bus would bill is worked out from the messages. The weekly report is left out: some thousand reads of
a table, of which ten thousand cost $0.00036.

Prices are list prices of the United States in 2026 (infracost's copy of Azure's list), and a pound is $1.30.
"""

import json
import math
import os
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from month import HOUR, HOURS, PROJECT, flushes

from aws.faulty import Answer, Faulty, Forward, Request
from azure.queues import broker_queue, queue_at
from azure.tables import table_at
from emulators import azurite, service_bus
from tuppence.clock import Deadline
from tuppence.config import Pipeline, Retention
from tuppence.drivers import Context, Message
from tuppence.meter import UnitMeter
from tuppence.pipeline.drain import drain
from tuppence.pipeline.retention import purge
from tuppence.pipeline.seal import seal
from tuppence.queue import Queue
from tuppence.settings import Secret
from tuppence.store import Store
from tuppence.testing import ManualClock
from tuppence_azure import queue as service_bus_queue
from tuppence_azure.queue import QueueOptions, ServiceBusQueue
from tuppence_azure.storage_queue import StorageQueue, StorageQueueOptions
from tuppence_azure.store import TableStore
from tuppence_azure.table import StoreOptions

HOSTS = 4
VOLUMES = (10_000, 1_000_000, 10_000_000, 100_000_000)
BUS, STORAGE, TABLES = "service_bus.operations", "storage_queue.operations", "tables.operations"
PRICES = {BUS: 0.05e-6, STORAGE: 0.4e-6, TABLES: 0.036e-6}
"""Dollars an operation: Service Bus Basic; Storage Queue and Table Storage, locally redundant."""
GB_MONTH = 0.045
HOST = 0.045
"""Dollars a month: an estimate of what the function host itself does in its storage account, with a timer
every quarter of an hour. Measure it on your own bill."""
EXECUTIONS = HOURS * (int(HOUR / Pipeline().every) + 1) + 5
MEMORY_GB = 0.5
FREE_EXECUTIONS, FREE_GB_SECONDS = 250_000, 100_000
"""Of the Flex Consumption plan, a month (not verified at its source)."""
EXECUTION, GB_SECOND = 0.4e-6, 26e-6
RATE = 1.30
"""Dollars for a pound."""
CHUNK = 64 * 1024
LIVES = {"segments": HOURS, "texts": HOURS, "hours": 2 * HOURS, "days": 800}
"""How many of each lie there at once, of one an hour or, for days, one a day."""


class Case(NamedTuple):
    """An hour's units as both have counted them, the bytes it leaves, and the CPU seconds of its jobs."""

    queue: str
    events: int
    metered: dict[str, int]
    read_off: dict[str, int]
    stored: dict[str, int]
    seconds: float

    def month(self) -> dict[str, float]:
        """Return the dollars of a month, line by line."""
        gigabytes = sum(size * LIVES.get(kind, 1) for kind, size in self.stored.items()) / 1e9
        seconds = self.seconds * HOURS * MEMORY_GB
        return {
            "queue": sum(self.metered[unit] * HOURS * PRICES[unit] for unit in (BUS, STORAGE)),
            "tables": self.metered[TABLES] * HOURS * PRICES[TABLES],
            "at rest": gigabytes * GB_MONTH,
            "functions": max(0, EXECUTIONS - FREE_EXECUTIONS) * EXECUTION
            + max(0.0, seconds - FREE_GB_SECONDS) * GB_SECOND,
            "host": HOST,
        }


class Bill:
    """Works out what the requests that pass cost. It shares no code with the drivers."""

    def __init__(self) -> None:
        self.units: Counter[str] = Counter()
        self.stored: dict[tuple[str, str], int] = {}

    def queued(self, request: Request, forward: Forward) -> Answer:
        """Pass a request to the queue on, and add it."""
        self.units[STORAGE] += 1
        return forward(request)

    def tabled(self, request: Request, forward: Forward) -> Answer:
        """Pass a request to the tables on, and add it and what it leaves there."""
        self.units[TABLES] += 1
        for line in request.body.splitlines():
            if line.startswith(b"{"):
                entity = json.loads(line)
                self.stored[entity["PartitionKey"], entity["RowKey"]] = _size(entity)
        return forward(request)

    def bytes_by_kind(self) -> dict[str, int]:
        """Return how much lies in the table after an hour, by what it is."""
        sizes: Counter[str] = Counter()
        for (partition, _), size in self.stored.items():
            sizes[partition.split(".")[1] if "." in partition else partition] += size
        return {kind: sizes[kind] for kind in LIVES}


def _size(entity: dict[str, Any]) -> int:
    """Return the bytes of an entity as Table Storage counts them.

    https://learn.microsoft.com/archive/blogs/avkashchauhan/how-the-size-of-an-entity-is-caclulated-in-windows-azure-table-storage
    """
    total = 4 + 2 * (len(entity["PartitionKey"]) + len(entity["RowKey"]))
    for name, value in entity.items():
        if name in {"PartitionKey", "RowKey"} or name.endswith("@odata.type"):
            continue
        kind = entity.get(f"{name}@odata.type", "Edm.String")
        binary = 4 + len(value) * 3 // 4
        sizes = {"Edm.Binary": binary, "Edm.Int64": 8, "Edm.String": 4 + 2 * len(value)}
        total += 8 + 2 * len(name) + sizes[kind]
    return total


def worked_out(sent: list[Message], drains: int) -> int:
    """Return Service Bus's operations: each message in, out and completed, and the looks that find none.

    A drain asks for more with what it has, again when that is stored, and once for what was set aside.
    """
    chunks = sum(max(1, math.ceil(len(message.body) / CHUNK)) for message in sent)
    return 2 * chunks + len(sent) + 3 * drains


def hour_of_a_month(name: str, events: int, places: dict[str, str], folder: Path) -> Case:
    """Send, drain, seal and purge one hour of such a month's traffic."""
    bill, clock, meter = Bill(), ManualClock(), UnitMeter()
    clock.advance(timedelta(minutes=30))
    context = Context(project=PROJECT, meter=meter, clock=clock)
    told = dict(part.split("=", 1) for part in places["azurite"].split(";"))
    used, sent = 0.0, []
    with ExitStack() as stack:
        for service, passing in (("QueueEndpoint", bill.queued), ("TableEndpoint", bill.tabled)):
            proxy = stack.enter_context(Faulty(told[service], (passing,), rate=1.0).running())
            told[service] = f"{proxy.url}/devstoreaccount1"
        os.environ["THROUGH"] = ";".join(f"{part}={value}" for part, value in told.items())
        os.environ["SERVICE_BUS"] = places["broker"]
        stack.enter_context(table_at(places["azurite"], f"tuppence{PROJECT}"))
        stack.enter_context(queue_at(places["azurite"], f"tuppence-{PROJECT}"))
        stack.enter_context(broker_queue(folder, f"tuppence-{PROJECT}", lock=300, deliveries=10))
        through = Secret(env="THROUGH")
        driver: ServiceBusQueue | StorageQueue
        if name == "storage":
            driver = StorageQueue(StorageQueueOptions(connection_string=through), context)
        else:
            options = QueueOptions(connection_string=Secret(env="SERVICE_BUS"))
            driver = ServiceBusQueue(options, context)
        queue = Queue(driver, clock)
        store = Store(TableStore(StoreOptions(connection_string=through), context), clock)
        stack.callback(store.close)
        stack.callback(queue.close)
        waiting = sorted(flushes(HOSTS, events, clock.now() - HOUR), key=lambda flush: flush[0])
        every = int(Pipeline().every / timedelta(minutes=1))
        for end in range(every, 61, every):
            for messages in [m for minute, m in waiting if end - every <= minute < end and m]:
                assert not queue.send(messages, deadline=Deadline.after(600, clock))
                sent += messages
            used += _timed(
                lambda: drain(
                    queue, store, project=PROJECT, retention=Retention(), clock=clock, deadline=_soon(clock)
                )
            )
            clock.advance(Pipeline().every)
        clock.advance(HOUR)
        zone = ZoneInfo("UTC")
        used += _timed(
            lambda: seal(
                store, project=PROJECT, zone=zone, retention=Retention(), clock=clock, deadline=_soon(clock)
            )
        )
        used += _timed(lambda: purge(store, clock=clock, deadline=_soon(clock)))
        stored = bill.bytes_by_kind()
        clock.advance(Retention().events + HOUR)
        assert purge(store, clock=clock, deadline=_soon(clock)) >= len(sent)
    metered = Counter(meter.take())
    if name == "service_bus":
        bill.units[BUS] = worked_out(sent, int(HOUR / Pipeline().every))
    units = (BUS, STORAGE, TABLES)
    return Case(
        name,
        events,
        {unit: metered[unit] for unit in units},
        {unit: bill.units[unit] for unit in units},
        stored,
        used,
    )


def _soon(clock: ManualClock) -> Deadline:
    return Deadline.after(900, clock)


def _timed(work: Any) -> float:
    """Return the CPU seconds that work takes."""
    began = time.process_time()
    work()
    return time.process_time() - began


def main() -> None:
    """Print a line for each case."""
    service_bus_queue.LEAST_WAIT = 0.2  # type: ignore[misc]  # the broker is near
    with tempfile.TemporaryDirectory() as folder, azurite() as storage, service_bus(Path(folder)) as broker:
        places = {"azurite": storage, "broker": broker}
        cases = [
            hour_of_a_month(name, events, places, Path(folder))
            for name in ("service_bus", "storage")
            for events in VOLUMES
        ]
    if "--json" in sys.argv:
        print(json.dumps([case._asdict() | {"month": case.month()} for case in cases]))
        return
    counted = ("queue ops", "(read off)", "table ops", "(read off)")
    lines = ("$queue", "$tables", "$at rest", "$functions", "$host", "$total")
    head = "".join(f"{text:>12}" for text in counted + lines)
    print(f"{'queue':<12}{'events a month':>15}{head}{'£total':>9}{'GB-s':>7}")
    for case in cases:
        month, unit = case.month(), BUS if case.queue == "service_bus" else STORAGE
        counts = (case.metered[unit], case.read_off[unit], case.metered[TABLES], case.read_off[TABLES])
        total = sum(month.values())
        print(
            f"{case.queue:<12}{case.events:>15,}"
            + "".join(f"{count * HOURS:>12,}" for count in counts)
            + "".join(f"{dollars:>12.4f}" for dollars in (*month.values(), total))
            + f"{total / RATE:>9.3f}{case.seconds * HOURS * MEMORY_GB:>7,.0f}"
        )


if __name__ == "__main__":
    main()
