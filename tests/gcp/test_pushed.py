"""Pub/Sub calls a function with its messages by itself, through to the store: `trigger = "event"`."""

import threading
from contextlib import contextmanager
from dataclasses import replace

import pytest

from aws.faulty import Faulty
from gcp.issuer import INVOKER
from gcp.queues import PROJECT, clients_at
from gcp.served import ACKNOWLEDGED, served
from pipeline.world import NINE, captured, question
from pipeline.world import PROJECT as BOT
from tuppence.batch import peek
from tuppence.clock import Deadline
from tuppence.config import Retention
from tuppence.drivers import Message
from tuppence.pipeline import layout
from tuppence.pipeline.drain import Drain
from tuppence.store import Store
from tuppence_gcp.compute import CloudRunCompute
from tuppence_gcp.queue import PubSubQueue
from tuppence_gcp.store import FirestoreStore

ADDRESS = "https://functions.example/consume"
COUNT = 5


class Pushing(Faulty):
    """A proxy before the function: the emulator attaches no token to what it pushes, and Pub/Sub does."""

    def __init__(self, upstream, issuer):
        super().__init__(upstream)
        self._issuer = issuer
        self.statuses = []
        self.done = threading.Event()

    def answer(self, request):
        headers = {**request.headers, **self._issuer.bearer(ADDRESS)}
        answer = super().answer(replace(request, headers=headers))
        with self._lock:
            self.statuses.append(answer.status)
            if sum(status in ACKNOWLEDGED for status in self.statuses) == COUNT:
                self.done.set()
        return answer


@pytest.fixture
def store(opened, firestore_url, project, clock):
    return Store(opened(FirestoreStore, firestore_url, collection=project), clock)


@pytest.fixture
def compute(opened, issuer):
    return opened(
        CloudRunCompute,
        "http://127.0.0.1:1",
        function_url="https://functions.example/{function}",
        invoker=INVOKER,
        certificates=issuer.certificates,
    )


@pytest.fixture
def pushed_to(pubsub_url, project):
    """Return what makes a queue whose messages are pushed to an address; lends Google's publisher."""
    names = [f"projects/{PROJECT}/{kind}/tuppence-{project}" for kind in ("topics", "subscriptions")]
    with clients_at(pubsub_url) as (publisher, subscriber):
        publisher.create_topic(request={"name": names[0]}, retry=None)

        @contextmanager
        def pushed_to(url):
            made = {"name": names[1], "topic": names[0], "push_config": {"push_endpoint": url}}
            subscriber.create_subscription(request=made, retry=None)
            yield
            subscriber.delete_subscription(request={"subscription": names[1]}, retry=None)

        yield pushed_to
        publisher.delete_topic(request={"topic": names[0]}, retry=None)


@pytest.mark.parametrize("signature", ["http", "cloudevent"])
def test_what_is_sent_is_stored_though_the_function_fails_at_first(
    opened, pushed_to, pubsub_url, compute, issuer, store, clock, signature
):
    work = Drain(store, project=BOT, retention=Retention(), clock=clock)
    broken = ["at first"]

    def handle(deliveries):
        if broken:
            raise RuntimeError(broken.pop())
        return work.handle(deliveries, deadline=Deadline.after(30, clock))

    native = compute.consumer(handle) if signature == "http" else compute.listener(handle)
    bodies = [captured(question(number)) for number in range(1, COUNT + 1)]
    path = (
        "/" if signature == "http" else f"/projects/{PROJECT}/topics/x?__GCP_CloudEventsMode=CUSTOM_PUBSUB_x"
    )
    with (
        served(native, signature) as url,
        Pushing(url, issuer).running() as service,
        pushed_to(f"{service.url}{path}"),
    ):
        queue = opened(PubSubQueue, pubsub_url)
        sent = [Message(id=peek(body)[0], body=body) for body in bodies]
        assert not queue.send(sent, deadline=Deadline.after(30, clock))
        assert service.done.wait(30), service.statuses

    assert (
        len(list(store.query(layout.segments(BOT, f"{NINE:%Y%m%d%H}"), deadline=Deadline.after(30, clock))))
        == COUNT
    )
    assert 500 in service.statuses
