"""The pipeline over SQS: through faults, and from where SQS set aside what came too often."""

from datetime import timedelta

import pytest

from aws import faulty as faults
from aws.queues import RECEIVED
from pipeline.world import NINE, PROJECT, captured, question
from tuppence.batch import peek
from tuppence.clock import Deadline, SystemClock
from tuppence.config import Retention
from tuppence.drivers import ZERO, Message
from tuppence.local.database import FileOptions
from tuppence.local.store import LocalStore
from tuppence.pipeline import layout
from tuppence.pipeline.drain import drain
from tuppence.queue import Queue
from tuppence.store import Store

BATCHES = 120
LOOKS = 60
"""How often the queue is drained, at most: each time for a second longer than there is something."""
HOUR = f"{NINE:%Y%m%d%H}"


class Quick(SystemClock):
    """A clock on which pauses between tries are short; the service's own time stays real."""

    def sleep(self, seconds):
        super().sleep(min(seconds, 0.01))


@pytest.fixture
def clock():
    return Quick()


@pytest.fixture
def store(context, clock, tmp_path):
    driver = LocalStore(FileOptions(str(tmp_path / "store.db")), context)
    yield Store(driver, clock)
    driver.close()


@pytest.fixture
def emptied(store, clock):
    """Return what drains a queue into the store."""

    def emptied(queue):
        return drain(
            queue,
            store,
            project=PROJECT,
            retention=Retention(),
            clock=clock,
            deadline=Deadline.after(120, clock),
        )

    return emptied


@pytest.fixture
def through(faulty, opened, clock, monkeypatch):
    """Return the queue as core uses it, through faults, and with leases that a test can outwait."""
    monkeypatch.setattr("tuppence.pipeline.drain.LEASE", timedelta(seconds=3))
    return Queue(opened(faulty.url), clock)


def message(number):
    body = captured(question(number))
    return Message(id=peek(body)[0], body=body, lane=peek(body)[0][0])


def segments(store, clock):
    return list(store.query(layout.segments(PROJECT, HOUR), deadline=Deadline.after(30, clock)))


@pytest.mark.slow  # what a lost answer has leased comes again when the lease is over
@pytest.mark.parametrize("seed", [1, 2])
def test_through_faults_every_batch_arrives_and_is_one_segment(
    queue, faulty, through, store, emptied, clock, soon, seed
):
    faulty.rate = 0.2
    faulty._chance.seed(seed)
    sent = [message(number) for number in range(1, BATCHES + 1)]

    errors = through.send(sent, deadline=Deadline.after(60, clock))
    for _ in range(LOOKS):
        emptied(through)
        if len(segments(store, clock)) == BATCHES and queue.depth(deadline=soon())[0] == 0:
            break

    assert not errors
    assert set(faulty.met) == {fault.__name__ for fault in faults.EVERYWHERE}
    assert sorted(one.key.sort for one in segments(store, clock)) == sorted(one.id for one in sent)
    assert {one.body for one in segments(store, clock)} == {one.body for one in sent}
    assert queue.depth(deadline=soon())[0] == 0


def test_what_sqs_set_aside_becomes_a_segment_or_a_dead_letter(queue, store, emptied, clock, soon):
    good, bad = message(1), Message(id="bad", body=b"bad", lane="b")
    queue.send([good, bad], deadline=soon())
    for _ in range(2 * RECEIVED + 2):
        held = queue.receive(max_messages=10, wait=ZERO, lease=timedelta(minutes=1), deadline=soon())
        queue.nack(held, deadline=soon())
    assert not held

    drained = emptied(Queue(queue, clock))

    assert (drained.messages, drained.segments, drained.dead) == (2, 1, 1)
    assert [one.key.sort for one in segments(store, clock)] == [good.id]
    assert emptied(Queue(queue, clock)).messages == 0
