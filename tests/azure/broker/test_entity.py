"""The queues of the broker do what the service's documentation says of its own."""

import uuid

import pytest

from azure.broker.entity import Entity


@pytest.fixture
def queue():
    return Entity("q", lock=30, deliveries=3, dead=Entity("q/$deadletterqueue"))


def test_a_message_is_locked_for_one_receiver(queue):
    queue.put("a", "1", 0.0)

    one = queue.take(0.0)

    assert one.message == "a"
    assert queue.take(29.9) is None
    assert queue.locked(one.token, 29.9) is one


def test_a_lock_that_ended_settles_nothing(queue):
    queue.put("a", "1", 0.0)
    first = queue.take(0.0).token

    again = queue.take(30.0)

    assert queue.locked(first, 30.0) is None
    assert again.token != first
    assert again.deliveries == 2


def test_a_lock_that_was_renewed_ends_later(queue):
    queue.put("a", "1", 0.0)
    one = queue.take(0.0)

    until = queue.renew(one, 20.0)

    assert until == 50.0
    assert queue.take(49.9) is None


def test_messages_come_first_in_first_out_and_back_to_their_place(queue):
    for name in "abc":
        queue.put(name, name, 0.0)
    first, second = queue.take(0.0), queue.take(0.0)

    queue.release(second)
    queue.release(first)

    assert [queue.take(0.0).message for _ in range(3)] == ["a", "b", "c"]


def test_what_was_delivered_too_often_is_set_aside(queue):
    queue.put("a", "1", 0.0)
    for _ in range(3):
        queue.release(queue.take(0.0))

    assert queue.take(0.0) is None
    assert queue.dead.take(0.0).message == "a"


def test_an_id_within_the_window_is_dropped_also_when_the_first_is_gone():
    queue = Entity("q", window=60)
    queue.put("a", "1", 0.0)
    queue.complete(queue.take(0.0))

    queue.put("b", "1", 59.9)
    within = queue.take(59.9)
    queue.put("c", "1", 60.0)

    assert within is None
    assert queue.take(60.0).message == "c"


def test_a_look_shows_locked_messages_too(queue):
    for name in "abc":
        queue.put(name, name, 0.0)
    queue.take(0.0)

    assert [one.message for one in queue.seen_from(1, 2)] == ["a", "b"]
    assert [one.message for one in queue.seen_from(3, 9)] == ["c"]
    assert queue.locked(uuid.uuid4(), 0.0) is None
