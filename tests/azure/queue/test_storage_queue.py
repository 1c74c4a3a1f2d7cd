"""What a Storage Queue costs and keeps, seen with Microsoft's own client."""

from base64 import b64encode
from contextlib import closing
from datetime import timedelta

import pytest

from aws.faulty import Answer, Faulty, lost, refused, silent, unavailable
from azure.drivers import driver_of
from azure.queues import queue_at
from tuppence.clock import Deadline
from tuppence.drivers import ZERO, Message, Role
from tuppence.errors import DriverError, ErrorCode
from tuppence.settings import Secret
from tuppence_azure.messages import text_of
from tuppence_azure.storage_queue import StorageQueue

LEASE = timedelta(seconds=30)
ONE = Message(id="one", body=b"body")


@pytest.fixture
def client(connection_string, project):
    with queue_at(connection_string, f"tuppence-{project}") as client:
        yield client


@pytest.fixture
def queue(client, account, project):
    with driver_of(StorageQueue, project, connection_string=account) as queue:
        yield queue


def receive(queue, most=32, wait=ZERO):
    return queue.receive(max_messages=most, wait=wait, lease=LEASE, deadline=Deadline.after(20))


def test_each_request_is_one_operation(queue):
    queue.send([Message(id=f"{n}", body=b"x") for n in range(3)], deadline=Deadline.after(9))
    sent = queue.context.meter.take()
    taken = receive(queue)
    received = queue.context.meter.take()
    queue.ack(taken, deadline=Deadline.after(9))
    acknowledged = queue.context.meter.take()
    receive(queue)

    assert sent == acknowledged == {"storage_queue.operations": 3}
    assert received == queue.context.meter.take() == {"storage_queue.operations": 1}


def test_an_empty_queue_is_looked_at_once_a_second(client, account, project, service_clock):
    with driver_of(StorageQueue, project, service_clock, connection_string=account) as queue:
        deadline = Deadline.after(60, service_clock)

        nothing = queue.receive(max_messages=1, wait=timedelta(seconds=3), lease=LEASE, deadline=deadline)

        assert not nothing
        assert queue.context.meter.take() == {"storage_queue.operations": 4}


def test_a_message_waits_for_longer_than_a_week(queue, client):
    queue.send([ONE], deadline=Deadline.after(9))

    (seen,) = client.peek_messages()

    assert seen.expires_on - seen.inserted_on > timedelta(days=366)


@pytest.mark.parametrize("text", ['{"id": "1", "time": "2026-11-16T09:00:00Z"}', "plain words, not base64"])
@pytest.mark.parametrize("encoded", [True, False])
def test_what_another_program_sent_is_its_text(queue, client, text, encoded):
    sent = client.send_message(b64encode(text.encode()).decode() if encoded else text)

    (delivery,) = receive(queue)

    assert delivery.message == Message(id=sent.id, body=text.encode())


def test_the_largest_message_is_as_much_text_as_the_service_takes(queue, client):
    largest = Message(id="i" * 128, body=bytes(queue.limits.item_bytes))

    queue.send([largest], deadline=Deadline.after(9))

    (seen,) = client.peek_messages()
    assert len(seen.content) == 64 * 1024


def test_a_producer_may_add_messages_and_nothing_else(queue):
    (permission,) = queue.permissions(Role.PRODUCER)

    assert permission.action.endswith("/queues/messages/add/action")
    assert permission.resource.endswith(f"/queues/{queue.name}")


def test_a_reporter_may_look_and_take_nothing(queue):
    actions = {one.action.partition("/queues/")[2] for one in queue.permissions(Role.REPORTER)}

    assert actions == {"read", "messages/read"}


def test_the_first_message_tells_how_long_it_has_waited(queue):
    empty = queue.depth(deadline=Deadline.after(9))
    queue.send([Message(id="m1", body=b"x")], deadline=Deadline.after(9))

    count, oldest = queue.depth(deadline=Deadline.after(9))

    assert empty == (0, None)
    assert count == 1
    assert timedelta(0) <= oldest < timedelta(minutes=5)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (refused, ErrorCode.UNAVAILABLE),
        (lost, ErrorCode.UNAVAILABLE),
        (silent, ErrorCode.TIMEOUT),
        (unavailable, ErrorCode.UNAVAILABLE),
    ],
)
def test_what_networks_do_is_told_from_what_the_service_says(
    client, connection_string, project, monkeypatch, fault, code
):
    with _through(connection_string, monkeypatch) as proxy, _opened(project) as queue:
        proxy.planned.append(fault)

        with pytest.raises(DriverError) as caught:
            queue.send([ONE], deadline=Deadline.after(1))

        assert caught.value.code is code
        assert not queue.send([ONE], deadline=Deadline.after(9))


def test_a_busy_service_says_when_to_come_again(client, connection_string, project, monkeypatch):
    def busy(request, forward):
        return Answer(503, {"x-ms-error-code": "ServerBusy", "Retry-After": "7"}, b"")

    with _through(connection_string, monkeypatch) as proxy, _opened(project) as queue:
        proxy.planned += [None, busy]

        errors = queue.send([ONE, ONE, ONE], deadline=Deadline.after(9))

    assert [(error.position, error.error.code) for error in errors] == [
        (1, ErrorCode.THROTTLED),
        (2, ErrorCode.THROTTLED),
    ]
    assert errors[0].error.retry_after == 7


def _through(connection_string, monkeypatch):
    """Have a proxy between the driver and the emulator; return it, to be run."""
    told = dict(part.split("=", 1) for part in connection_string.split(";"))
    proxy = Faulty(told["QueueEndpoint"])
    told["QueueEndpoint"] = f"{proxy.url}/devstoreaccount1"
    monkeypatch.setenv("THROUGH", ";".join(f"{name}={value}" for name, value in told.items()))
    return proxy.running()


def _opened(project):
    return driver_of(StorageQueue, project, connection_string=Secret(env="THROUGH"))


def test_what_a_functions_host_has_set_aside_is_drained_from_its_queue(connection_string, account, project):
    name = f"tuppence-{project}"
    with (
        queue_at(connection_string, name),
        queue_at(connection_string, f"{name}-poison") as poison,
        driver_of(StorageQueue, project, connection_string=account, set_aside=True) as queue,
    ):
        poison.send_message(text_of(Message(id="m1", body=b"\x00")))

        with closing(queue.dead_letters()) as aside:
            (delivery,) = aside.receive(
                max_messages=1, wait=ZERO, lease=timedelta(seconds=30), deadline=Deadline.after(30)
            )

            assert delivery.message == Message(id="m1", body=b"\x00")
            assert aside.dead_letters() is None


def test_a_queue_whose_host_sets_aside_needs_that_queue_too(project):
    with driver_of(StorageQueue, project, set_aside=True) as queue:
        allowed = {one.resource.rpartition("/")[2]: set() for one in queue.permissions(Role.PROCESSOR)}
        for one in queue.permissions(Role.PROCESSOR):
            allowed[one.resource.rpartition("/")[2]].add(one.action.partition("/queues/")[2])

        assert set(allowed) == {f"tuppence-{project}", f"tuppence-{project}-poison"}
        assert allowed[f"tuppence-{project}-poison"] > allowed[f"tuppence-{project}"]
        assert len(queue.permissions(Role.PRODUCER)) == 1
