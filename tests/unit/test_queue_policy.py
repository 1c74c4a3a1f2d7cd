"""What core adds to a queue."""

import pytest

from pipeline.world import World, unavailable
from tuppence.drivers import LETTERS, MAX_ID, Limits, Message
from tuppence.errors import DriverError, ErrorCode
from tuppence.pipeline.drain import LEASE


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    yield world
    world.close()


def message(number, size=10):
    return Message(id=f"m{number}", body=b"x" * size)


def receive(world, most=1_000):
    return world.queue.receive(max_messages=most, lease=LEASE, deadline=world.deadline)


def depth(world):
    return world.queue.depth(deadline=world.deadline)[0]


def test_any_number_of_messages_is_sent_and_acknowledged(world):
    world.drivers[0].limits = Limits(batch_items=7, batch_bytes=1_000, item_bytes=100)

    assert world.queue.send([message(n) for n in range(50)], deadline=world.deadline) == []
    while found := receive(world):
        assert len(found) <= 7
        assert world.queue.ack(found, deadline=world.deadline) == []

    assert depth(world) == 0


def test_a_message_over_the_limit_is_named_and_the_others_are_sent(world):
    messages = [message(0), message(1, 300 * 1024), message(2)]

    [failed] = world.queue.send(messages, deadline=world.deadline)

    assert (failed.position, failed.error.code) == (1, ErrorCode.TOO_LARGE)
    assert depth(world) == 2


def test_a_send_whose_answer_was_lost_is_repeated_without_a_second_message(world):
    left = [unavailable("queue.send")]

    def lose(operation):
        if operation == "send" and left:
            raise left.pop()

    world.faults.after = lose

    assert world.queue.send([message(0)], deadline=world.deadline) == []
    assert depth(world) == 1


def test_an_acknowledgement_after_the_lease_is_named_and_not_retried(world):
    world.queue.send([message(0)], deadline=world.deadline)
    found = receive(world)
    world.clock.advance(2 * LEASE)
    receive(world)
    before = world.clock.monotonic()

    [failed] = world.queue.ack(found, deadline=world.deadline)

    assert failed.error.code is ErrorCode.NOT_FOUND
    assert world.clock.monotonic() == before


def test_what_is_given_back_comes_again(world):
    world.queue.send([message(0)], deadline=world.deadline)

    assert world.queue.nack(receive(world), deadline=world.deadline) == []

    assert [one.message.id for one in receive(world)] == ["m0"]


def test_an_extended_lease_is_not_delivered_to_another(world):
    world.queue.send([message(0)], deadline=world.deadline)
    found = receive(world)
    world.clock.advance(LEASE * 0.9)

    assert world.queue.extend(found, lease=LEASE, deadline=world.deadline) == []
    world.clock.advance(LEASE * 0.9)

    assert receive(world) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": ""},
        {"id": "a b"},
        {"id": "fünf"},
        {"id": "x" * (MAX_ID + 1)},
        {"lane": "a/b"},
        {"lane": "x" * (MAX_ID + 1)},
    ],
    ids=str,
)
def test_a_message_no_service_need_carry_is_refused_and_nothing_is_sent(world, wrong):
    fields = {"id": "m", "body": b"x", "lane": "", **wrong}

    with pytest.raises(DriverError, match=r"made of A-Z|at most 128") as caught:
        world.queue.send([message(0), Message(**fields)], deadline=world.deadline)

    assert caught.value.code is ErrorCode.INVALID
    assert depth(world) == 0


def test_the_longest_id_of_every_letter_is_sent(world):
    name = (LETTERS * 2)[:MAX_ID]

    assert world.queue.send([Message(id=name, body=b"x", lane=name)], deadline=world.deadline) == []

    assert [one.message.id for one in receive(world)] == [name]
