"""What Google Cloud costs a program: our own requests, and Google's clients, in one run.

    python benchmarks/gcp_requests.py [--json]

Each publishes batches of the usual size to Google's emulator of Pub/Sub, and then writes and reads documents
with Firestore's, from a process of its own: how long imports and the first request take, how much memory they
add, and the CPU time of each further request, all of the client alone. The ratios move less from machine to
machine than the numbers do.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

BODY: Final = bytes(range(256)) * 120
"""Some 30 KB: a batch of seven hundred events."""
REQUESTS: Final = 200
RUNS: Final = 5
TOPIC: Final = "projects/proj/topics/tuppence-bot"


def our_publish() -> Callable[[], object]:
    from tuppence.clock import Deadline, SystemClock
    from tuppence.drivers import Context, Message
    from tuppence.meter import UnitMeter
    from tuppence_gcp.queue import PubSubQueue

    context = Context(project="bot", meter=UnitMeter(), clock=SystemClock())
    queue = PubSubQueue(PubSubQueue.Options(), context)
    message = Message(id="a" * 32, body=BODY)
    return lambda: queue.send([message], deadline=Deadline.after(10))


def their_publish() -> Callable[[], object]:
    from google.cloud.pubsub_v1 import PublisherClient

    client = PublisherClient()
    messages = [{"data": BODY, "attributes": {"id": "a" * 32}}]
    return lambda: client.api.publish(request={"topic": TOPIC, "messages": messages})


def our_put() -> Callable[[], object]:
    from tuppence.clock import Deadline, SystemClock
    from tuppence.drivers import Context, Key, Record
    from tuppence.meter import UnitMeter
    from tuppence_gcp.store import FirestoreStore

    context = Context(project="bot", meter=UnitMeter(), clock=SystemClock())
    store = FirestoreStore(FirestoreStore.Options(collection="bench"), context)
    record = Record(key=Key(partition="ours", sort="ours"), body=BODY)

    def put_and_get() -> None:
        store.put([record], deadline=Deadline.after(10))
        store.get([record.key], deadline=Deadline.after(10))

    return put_and_get


def their_put() -> Callable[[], object]:
    from google.cloud.firestore import Client

    document = Client(project="proj").document("bench/theirs")

    def put_and_get() -> None:
        document.set({"b": BODY})
        document.get()

    return put_and_get


WORK: Final = {"publish": (our_publish, their_publish), "put and get": (our_put, their_put)}


def resident() -> int:
    """Return the bytes of memory this process has, on Linux."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def measured(name: str, way: int) -> dict[str, float]:
    """Return what one way costs, in this process, which has done nothing else yet."""
    import tuppence.capture.client  # noqa: F401 - an application that captures has it anyway

    memory, start = resident(), time.perf_counter()
    call = WORK[name][way]()
    call()
    ready = time.perf_counter() - start
    added = resident() - memory
    before = time.process_time()
    for _ in range(REQUESTS):
        call()
    each = (time.process_time() - before) / REQUESTS
    return {"set-up ms": ready * 1e3, "memory MB": added / 1024**2, "CPU us": each * 1e6}


def compared() -> dict[str, list[dict[str, float]]]:
    """Return the median cost of each way, ours first."""
    from emulators import firestore, pubsub
    from gcp.queues import clients_at

    with pubsub() as queue, firestore() as store:
        environment = {
            **os.environ,
            "PUBSUB_EMULATOR_HOST": queue.removeprefix("http://"),
            "FIRESTORE_EMULATOR_HOST": store.removeprefix("http://"),
            "GOOGLE_CLOUD_PROJECT": "proj",
        }
        with clients_at(queue) as (publisher, _):
            publisher.create_topic(request={"name": TOPIC}, retry=None)
        runs: dict[str, list[list[dict[str, float]]]] = {name: [[], []] for name in WORK}
        for _ in range(RUNS):
            for name, ways in runs.items():
                for way, found in enumerate(ways):
                    command = [sys.executable, str(Path(__file__)), "--measure", name, str(way)]
                    found.append(json.loads(subprocess.check_output(command, env=environment)))
    return {
        name: [{key: median(run[key] for run in found) for key in found[0]} for found in ways]
        for name, ways in runs.items()
    }


def main() -> None:
    costs = compared()
    if "--json" in sys.argv:
        print(json.dumps(costs))
        return
    print(f"{'':24}{'ours':>10}{'Google':>10}{'Google / ours':>15}")
    for name, (ours, theirs) in costs.items():
        for key, cost in ours.items():
            print(f"{name + ', ' + key:24}{cost:10.1f}{theirs[key]:10.1f}{theirs[key] / cost:15.1f}")


if __name__ == "__main__":
    if "--measure" in sys.argv:
        print(json.dumps(measured(sys.argv[-2], int(sys.argv[-1]))))
    else:
        main()
