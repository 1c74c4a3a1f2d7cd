"""What a month on Google Cloud uses of what is billed, by core's meter and from the requests themselves.

    PYTHONPATH=tests python benchmarks/gcp_units.py [--json]

For some numbers of hosts and of events a month, one hour of that traffic is sent, drained, sealed and, a
month later, purged, over HTTP at emulators, with the default settings and segments in Cloud Storage; proxies
in between read each request and work out what Google would bill for it. A month is 720 such hours, and what
lies there is what 720 of them have left. What Firestore gives is by the day. The weekly report is left out.

The columns are shares of what is free. Pub/Sub's is given twice: as its page is read here, and were the
base64 of JSON billed. Memory and CPU are the functions', each call rounded up to a tenth of a second.
"""

import json
import math
import os
import sys
import uuid
from base64 import b64decode
from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from month import FLUSH, HOUR, HOURS, MEMORY_GB, PROJECT, flushes, spend, two_hours_ago

from aws.faulty import Answer, Faulty, Forward, Request
from emulators import firestore, pubsub, storage
from gcp.monitored import Monitored
from gcp.queues import queues_at
from gcp.stores import OneByOne, bucket_at
from tuppence.clock import Deadline, SystemClock
from tuppence.config import Retention
from tuppence.drivers import Context
from tuppence.meter import UnitMeter
from tuppence.pipeline.retention import purge
from tuppence.queue import Queue
from tuppence.schedules import SCHEDULED
from tuppence.store import Store
from tuppence_gcp.queue import PubSubQueue
from tuppence_gcp.store import FirestoreStore

CASES: Final = tuple(
    (hosts, events, every)
    for hosts, every in ((4, FLUSH), (8, FLUSH), (20, FLUSH), (20, 3 * FLUSH))
    for events in (10_000, 1_000_000, 10_000_000, 30_000_000, 100_000_000)
)
BYTES, READS, WRITES, DELETES = "pubsub.bytes", "firestore.reads", "firestore.writes", "firestore.deletes"
CLASS_A, CLASS_B = "gcs.class_a", "gcs.class_b"
UNITS: Final = (BYTES, READS, WRITES, DELETES, CLASS_A, CLASS_B)
GIB: Final = 1024**3
DAYS: Final = HOURS // 24
FREE: Final = {
    BYTES: 10 * GIB,
    READS: 50_000 * DAYS,
    WRITES: 20_000 * DAYS,
    DELETES: 20_000 * DAYS,
    CLASS_A: 5_000,
    CLASS_B: 50_000,
}
"""Of a month (https://cloud.google.com/free/docs/free-cloud-features, read November 2026; what is free of
Cloud Storage's operations is not verified, and its 5 GB are those of regions in the US)."""
FREE_DOCUMENTS, FREE_OBJECTS = GIB, 5 * 10**9
FREE_CALLS, FREE_GB_SECONDS, FREE_CPU_SECONDS, FREE_SCHEDULES = 2_000_000, 360_000, 180_000, 3
LEAST_BYTES: Final = 1_000
"""Bytes that each publish and pull is billed for at least."""
STAMP: Final = 20
DRAINS: Final = 4
"""Of an hour."""


class Later(SystemClock):
    """The time when what was stored has expired."""

    def now(self) -> datetime:
        """Return it."""
        return super().now() + Retention().events + HOUR


class Case(NamedTuple):
    """An hour's units as both have counted them, what it leaves behind, and seconds of the functions."""

    hosts: int
    events: int
    flush_seconds: int
    metered: dict[str, int]
    read_off: dict[str, int]
    in_base64: int
    documents: int
    objects: int
    seconds: float


class Bill:
    """Works out what the requests that pass cost. It shares no code with the drivers."""

    def __init__(self) -> None:
        self.units: Counter[str] = Counter()
        self.in_base64 = 0
        self.kept: dict[str, int] = {}
        self.objects = 0

    def queued(self, request: Request, forward: Forward) -> Answer:
        """Pass a request to Pub/Sub on, and add what it is billed."""
        answer = forward(request)
        action = request.path.rpartition(":")[2]
        if action in {"publish", "pull"}:
            asked, told = json.loads(request.body), json.loads(answer.body)
            if action == "publish":
                numbers = told["messageIds"]
                messages = [one | {"messageId": n} for one, n in zip(asked["messages"], numbers, strict=True)]
            else:
                messages = [one["message"] for one in told.get("receivedMessages", [])]
            size = sum(len(b64decode(one["data"])) + _around(one) for one in messages)
            self.units[BYTES] += max(LEAST_BYTES, size)
            self.in_base64 += max(LEAST_BYTES, sum(len(one["data"]) + _around(one) for one in messages))
        return answer

    def stored(self, request: Request, forward: Forward) -> Answer:
        """Pass a request to Firestore on."""
        answer = forward(request)
        asked, told = json.loads(request.body), json.loads(answer.body)
        action = request.path.rpartition(":")[2]
        if action == "batchWrite":
            for write, status in zip(asked["writes"], told["status"], strict=True):
                self.units[DELETES if "delete" in write else WRITES] += 1
                if not status.get("code") and "update" in write:
                    update = write["update"]
                    self.kept[update["name"]] = _weight(update)
        elif action == "batchGet":
            self.units[READS] += len(asked["documents"])
        elif action == "runQuery":
            self.units[READS] += max(1, sum("document" in row for row in told))
        return answer

    def held(self, request: Request, forward: Forward) -> Answer:
        """Pass a request to Cloud Storage on."""
        if request.path.startswith("/upload/"):
            self.units[CLASS_A] += 1
            self.objects += len(request.body)
        else:
            self.units[CLASS_B] += 1
        return forward(request)


def _around(message: dict[str, Any]) -> int:
    """Return the bytes that are billed of a message beside its data."""
    attributes = sum(len(f"{name}{value}".encode()) for name, value in message.get("attributes", {}).items())
    return attributes + len(message.get("orderingKey", "")) + len(message["messageId"]) + STAMP


def _weight(document: dict[str, Any]) -> int:
    """Return the bytes of a document as Firestore counts them, and those of the index on when it expires.

    By https://cloud.google.com/firestore/docs/storage-size, not verified: a name is its parts and 16 bytes, a
    document 32 more, a text its bytes and one.
    """
    parts = document["name"].partition("/documents/")[2].split("/")
    name = sum(len(part) + 1 for part in parts) + 16
    size = name + 32
    for field, value in document["fields"].items():
        ((kind, content),) = value.items()
        size += len(field) + 1
        if kind == "bytesValue":
            size += len(b64decode(content))
        else:
            size += 8 if kind == "timestampValue" else len(content.encode()) + 1
    expires = 2 * (name + 48) if "e" in document["fields"] else 0  # one entry in each direction
    return size + expires


def hour_of_a_month(urls: tuple[str, str, str], hosts: int, events: int, every: timedelta) -> Case:
    """Send, drain, seal and later purge one hour of such a month's traffic."""
    queue_url, store_url, storage_url = urls
    bill, clock, meter = Bill(), SystemClock(), UnitMeter()
    context = Context(project=PROJECT, meter=meter, clock=clock)
    collection = f"u{uuid.uuid4().hex[:8]}"
    os.environ["STORAGE_EMULATOR_HOST"] = storage_url
    with (
        Faulty(queue_url, (bill.queued,), rate=1.0).running() as queued,
        Faulty(store_url, (bill.stored,), rate=1.0).running() as stored,
        Faulty(storage_url, (bill.held,), rate=1.0).running() as held,
        queues_at(queue_url, PROJECT),
        bucket_at(storage_url, collection),
    ):
        os.environ["STORAGE_EMULATOR_HOST"] = held.url
        options = FirestoreStore.Options(
            endpoint=stored.url, collection=collection, blobs=f"gs://{collection}"
        )
        queue = Queue(PubSubQueue(PubSubQueue.Options(endpoint=queued.url), context), clock)
        store = Store(FirestoreStore(options, context), clock)
        spent = spend(queue, store, meter, flushes(hosts, events, two_hours_ago(), every))
        later = Later()
        old = Store(FirestoreStore(options, Context(project=PROJECT, meter=meter, clock=later)), later)
        purge(old, clock=later, deadline=Deadline.after(900))
        for one in (queue, store, old):
            one.close()
        os.environ["STORAGE_EMULATOR_HOST"] = storage_url
    metered = spent.drained + spent.sealed + Counter(meter.take())
    return Case(
        hosts,
        events,
        int(every.total_seconds()),
        {unit: metered[unit] for unit in UNITS},
        {unit: bill.units[unit] for unit in UNITS},
        bill.in_base64,
        sum(bill.kept.values()),
        bill.objects,
        DRAINS * _tenths(spent.drain_seconds / DRAINS) + _tenths(spent.seal_seconds),
    )


def _tenths(seconds: float) -> float:
    return math.ceil(seconds * 10) / 10


def shares(case: Case) -> dict[str, float]:
    """Return how much of each free allowance a month of such hours uses."""
    month = {unit: case.metered[unit] * HOURS / FREE[unit] for unit in UNITS}
    calls = (DRAINS + 1) * HOURS
    return {
        "Pub/Sub": month[BYTES],
        "or base64": case.in_base64 * HOURS / FREE[BYTES],
        "reads": month[READS],
        "writes": month[WRITES],
        "deletes": month[DELETES],
        "documents": case.documents * HOURS / FREE_DOCUMENTS,
        "class A": month[CLASS_A],
        "class B": month[CLASS_B],
        "objects": case.objects * HOURS / FREE_OBJECTS,
        "calls": calls / FREE_CALLS,
        "GB-s": case.seconds * HOURS * MEMORY_GB / FREE_GB_SECONDS,
        "CPU-s": case.seconds * HOURS / FREE_CPU_SECONDS,
        "jobs": len(SCHEDULED) / FREE_SCHEDULES,
    }


def main() -> None:
    """Print a line for each case."""
    os.environ["GOOGLE_CLOUD_PROJECT"] = "proj"
    with (
        pubsub() as queue,
        firestore() as store,
        storage() as objects,
        Monitored(queue).running() as monitored,
        OneByOne(objects).running() as held,
    ):
        cases = [hour_of_a_month((monitored.url, store, held.url), *case) for case in CASES]
    if "--json" in sys.argv:
        print(json.dumps([case._asdict() | {"shares": shares(case)} for case in cases]))
        return
    heads = shares(cases[0])
    print(f"{'hosts':>5} {'every':>5} {'events a month':>15}" + "".join(f" {head:>9}" for head in heads))
    for case in cases:
        line = f"{case.hosts:>5} {case.flush_seconds:>4}s {case.events:>15,}"
        print(line + "".join(f" {share:>9.1%}" for share in shares(case).values()))
    wrong = [case for case in cases if case.metered != case.read_off]
    print(f"meter and requests agree in {len(cases) - len(wrong)} of {len(cases)} cases")
    for case in wrong:
        print(f"{case.hosts} hosts, {case.events:,}: metered {case.metered}, read off {case.read_off}")


if __name__ == "__main__":
    main()
