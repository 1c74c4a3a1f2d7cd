"""The pipeline over Pub/Sub, Firestore and Cloud Storage: through faults, and what a month of it costs."""

from datetime import timedelta

import pytest

from aws.faulty import Faulty, lost, unavailable
from aws.faulty import refused as broken_off
from gcp.faults import failing, throttling
from gcp.monitored import Monitored
from gcp.queues import queues_at
from gcp.stores import bucket_at
from pipeline.world import NINE, PROJECT, captured, question
from tuppence.batch import peek
from tuppence.clock import Deadline, SystemClock
from tuppence.config import Retention
from tuppence.drivers import Message
from tuppence.pipeline import layout
from tuppence.pipeline.drain import drain
from tuppence.queue import Queue
from tuppence.store import Store
from tuppence_gcp.queue import PubSubQueue
from tuppence_gcp.store import FirestoreStore

BATCHES = 60
LOOKS = 30
"""How often the queue is drained, at most."""
HOUR = f"{NINE:%Y%m%d%H}"


EVERYWHERE = (broken_off, lost, unavailable, failing, throttling)


class Quick(SystemClock):
    """A clock on which pauses between tries are short; the services' own time stays real."""

    def sleep(self, seconds):
        super().sleep(min(seconds, 0.01))


@pytest.fixture
def clock():
    return Quick()


@pytest.fixture
def bucket(storage_url, project, monkeypatch):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", storage_url)
    with bucket_at(storage_url, project) as bucket:
        yield bucket


@pytest.fixture
def emptied(clock):
    """Return what drains a queue into a store."""

    def emptied(queue, store):
        return drain(
            queue,
            store,
            project=PROJECT,
            retention=Retention(),
            clock=clock,
            deadline=Deadline.after(120, clock),
        )

    return emptied


def message(number):
    body = captured(question(number))
    return Message(id=peek(body)[0], body=body)


def segments(store, clock):
    return list(store.query(layout.segments(PROJECT, HOUR), deadline=Deadline.after(30, clock)))


@pytest.mark.slow  # what a lost answer has leased comes again when the lease is over
def test_through_faults_every_batch_arrives_and_is_one_segment(
    pubsub_url, firestore_url, project, opened, clock, emptied, monkeypatch
):
    monkeypatch.setattr("tuppence.pipeline.drain.LEASE", timedelta(seconds=3))
    sent = [message(number) for number in range(1, BATCHES + 1)]
    with (
        queues_at(pubsub_url, project),
        Monitored(pubsub_url, faults=EVERYWHERE, rate=0.15, seed=1).running() as waiting,
        Faulty(firestore_url, EVERYWHERE, rate=0.15, seed=2).running() as kept,
    ):
        queue = Queue(opened(PubSubQueue, waiting.url), clock)
        store = Store(opened(FirestoreStore, kept.url, collection=project), clock)

        errors = [error for one in sent for error in queue.send([one], deadline=Deadline.after(60, clock))]
        for _ in range(LOOKS):
            emptied(queue, store)
            left, _age = queue.depth(deadline=Deadline.after(30, clock))
            if len(segments(store, clock)) == BATCHES and not left:
                break
        stored = segments(store, clock)

    assert not errors
    assert set(waiting.met) | set(kept.met) == {fault.__name__ for fault in EVERYWHERE}
    assert sorted(one.key.sort for one in stored) == sorted(one.id for one in sent)
    assert {one.body for one in stored} == {one.body for one in sent}
    assert not left


@pytest.fixture
def billed(monitored_url, pubsub_url, firestore_url, bucket, project, opened, clock):
    """Yield a queue and a store with a bucket, whose units the context's meter counts."""
    with queues_at(pubsub_url, project):
        kept = opened(FirestoreStore, firestore_url, collection=project, blobs=f"gs://{bucket.name}")
        yield Queue(opened(PubSubQueue, monitored_url), clock), Store(kept, clock)


def test_a_drain_costs_its_bytes_its_documents_and_one_object(
    billed, bucket, clock, emptied, meter, monkeypatch
):
    monkeypatch.setattr("tuppence_gcp.store.LEAST", 1)  # these batches are small
    queue, store = billed
    sent = [message(number) for number in range(1, 24)]
    size = sum(len(one.body) for one in sent)
    queue.send(sent, deadline=Deadline.after(30, clock))
    published = meter.take()

    drained = emptied(queue, store)

    counted = meter.take()
    assert (drained.messages, drained.segments) == (23, 23)
    assert size < published["pubsub.bytes"] < size + 23 * 80
    # received once; then nothing, here and where dead letters wait, in five requests of the least size
    assert counted.pop("pubsub.bytes") == pytest.approx(published["pubsub.bytes"] + 5_000, abs=100)
    assert counted == {"gcs.class_a": 1, "firestore.writes": 23 + 1}  # the segments, and the hour's marker
    assert len(list(bucket.list_blobs())) == 1
