"""What a month on AWS uses of what is billed, counted by core's meter and from the requests themselves.

    PYTHONPATH=tests python benchmarks/aws_units.py [--json]

For some numbers of hosts and of events a month, one hour of that traffic is sent, drained and sealed over
HTTP at an emulator, with the default settings; a proxy in between reads each request and works out what AWS
would bill for it. The month is 720 such hours. The weekly report, at most 28,000 reads of 64 million, is
left out. The last column is how long the table's 25 read units take for a day's segments, were they sealed at
once.
"""

import json
import math
import os
import sys
from base64 import b64decode
from collections import Counter
from typing import Any, NamedTuple

from month import HOSTS, HOURS, MEMORY_GB, PROJECT, flushes, spend, two_hours_ago

from aws.faulty import Answer, Faulty, Forward, Request
from aws.queues import queues_at
from aws.tables import table_at
from emulators import ministack
from tuppence.clock import SystemClock
from tuppence.drivers import Context
from tuppence.meter import UnitMeter
from tuppence.queue import Queue
from tuppence.store import Store
from tuppence_aws.queue import QueueOptions, SqsQueue
from tuppence_aws.store import DynamoStore
from tuppence_aws.table import StoreOptions

VOLUMES = (10_000, 1_000_000, 10_000_000, 100_000_000, 500_000_000)
SQS, WRITES, READS = "sqs.requests", "dynamodb.wcu", "dynamodb.rcu"
UNITS = (SQS, WRITES, READS)
SQS_CHUNK, WRITE_UNIT, READ_UNIT = 64 * 1024, 1024, 4 * 1024
FREE = {SQS: 1_000_000, WRITES: 25 * 3600 * HOURS, READS: 25 * 3600 * HOURS}
"""Always free in a month (https://aws.amazon.com/free/, read November 2026): a table of 25 and 25 units."""
PROVISIONED = 25
FREE_GB_SECONDS = 400_000


class Case(NamedTuple):
    """An hour's units as both have counted them, and the CPU seconds of drain and seal."""

    hosts: int
    events: int
    metered: dict[str, int]
    read_off: dict[str, int]
    seconds: float
    seal_reads: int


class Bill:
    """Works out what the requests that pass cost. It shares no code with the drivers."""

    def __init__(self) -> None:
        self.units: Counter[str] = Counter()

    def passing(self, request: Request, forward: Forward) -> Answer:
        """Pass a request on, and add what it is billed."""
        answer = forward(request)
        asked, told = json.loads(request.body), json.loads(answer.body or b"{}")
        target = next((text for name, text in request.headers.items() if name.lower() == "x-amz-target"), "")
        if target.startswith("AmazonSQS"):
            size = sum(map(_message_size, [*asked.get("Entries", []), *told.get("Messages", [])]))
            self.units[SQS] += max(1, math.ceil(size / SQS_CHUNK))
        elif target.endswith((".PutItem", ".DeleteItem")):
            self.units[WRITES] += math.ceil(_size(asked.get("Item", asked.get("Key"))) / WRITE_UNIT)
        elif target.endswith(".BatchWriteItem"):
            for requests in asked["RequestItems"].values():
                items = [one["PutRequest"]["Item"] if "PutRequest" in one else {} for one in requests]
                self.units[WRITES] += sum(max(1, math.ceil(_size(item) / WRITE_UNIT)) for item in items)
        elif target.endswith(".Query"):
            size = sum(map(_size, told["Items"]))
            self.units[READS] += max(1, math.ceil(size / READ_UNIT))
        elif target.endswith(".BatchGetItem"):
            wanted = sum(len(one["Keys"]) for one in asked["RequestItems"].values())
            found = [item for items in told["Responses"].values() for item in items]
            self.units[READS] += sum(math.ceil(_size(item) / READ_UNIT) for item in found)
            self.units[READS] += wanted - len(found)
        return answer


def _message_size(message: dict[str, Any]) -> int:
    """Return the billed bytes of a message: its body, and the names, types and values of its attributes."""
    attributes = message.get("MessageAttributes", {})
    size = len(message.get("MessageBody", message.get("Body", "")).encode())
    for name, value in attributes.items():
        raw = b64decode(value["BinaryValue"]) if "BinaryValue" in value else value["StringValue"].encode()
        size += len(name) + len(value["DataType"]) + len(raw)
    return size


def _size(value: Any) -> int:
    """Return the bytes of an item as DynamoDB counts them."""
    total = 0
    for name, typed in value.items():
        ((kind, content),) = typed.items()
        total += len(name.encode())
        if kind == "B":
            total += len(b64decode(content))
        elif kind == "N":
            total += (len(content) + 1) // 2 + 1
        elif kind == "M":
            total += 3 + len(content) + _size(content)
        else:
            total += len(content.encode())
    return total


def hour_of_a_month(url: str, hosts: int, events: int) -> Case:
    """Send, drain and seal one hour of such a month's traffic."""
    bill, clock = Bill(), SystemClock()
    meter = UnitMeter()
    context = Context(project=PROJECT, meter=meter, clock=clock)
    proxy = Faulty(url, (bill.passing,), rate=1.0)
    with queues_at(url, PROJECT), table_at(url, f"tuppence-{PROJECT}"), proxy.running():
        queue = Queue(SqsQueue(QueueOptions(endpoint=proxy.url), context), clock)
        options = StoreOptions(endpoint=proxy.url, read_units=0, write_units=0)
        store = Store(DynamoStore(options, context), clock)
        spent = spend(queue, store, meter, flushes(hosts, events, two_hours_ago()))
        queue.close()
        store.close()
    metered = {unit: (spent.drained + spent.sealed)[unit] for unit in UNITS}
    read_off = {unit: bill.units[unit] for unit in UNITS}
    seconds = spent.drain_seconds + spent.seal_seconds
    return Case(hosts, events, metered, read_off, seconds, spent.sealed[READS])


def main() -> None:
    """Print a line for each case."""
    os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "eu-west-2"}
    os.environ["AWS_DEFAULT_REGION"] = os.environ["AWS_REGION"]
    with ministack() as url:
        cases = [hour_of_a_month(url, hosts, events) for hosts in HOSTS for events in VOLUMES]
    if "--json" in sys.argv:
        print(json.dumps([case._asdict() for case in cases]))
        return
    head = f"{'hosts':>5} {'events a month':>15}"
    head += "".join(f" {unit:>14} {'(read off)':>12} {'of free':>8}" for unit in UNITS)
    print(f"{head} {'GB-s of free':>13} {'s for a day':>12}")
    for case in cases:
        line = f"{case.hosts:>5} {case.events:>15,}"
        for unit in UNITS:
            month, other = case.metered[unit] * HOURS, case.read_off[unit] * HOURS
            line += f" {month:>14,} {other:>12,} {month / FREE[unit]:>8.1%}"
        line += f" {case.seconds * HOURS * MEMORY_GB / FREE_GB_SECONDS:>13.1%}"
        print(f"{line} {case.seal_reads * 24 / PROVISIONED:>12.0f}")


if __name__ == "__main__":
    main()
