"""What a queue of Service Bus costs and keeps, seen with Microsoft's own client."""

import gc
import json
import socket
import time
import warnings
from datetime import timedelta

import msgspec
import pytest
from azure.servicebus import ServiceBusClient
from azure.servicebus.amqp import AmqpAnnotatedMessage

from azure.drivers import driver_of
from azure.queues import broker_queue
from emulators import ServiceClock, service_bus
from tuppence.clock import Deadline
from tuppence.drivers import ZERO, Message, Role
from tuppence.errors import DriverError, ErrorCode
from tuppence.settings import Secret
from tuppence_azure import queue as module
from tuppence_azure.queue import ServiceBusQueue

pytestmark = pytest.mark.slow  # the official client connects in half a second, and leaves in as long

LEASE = timedelta(seconds=30)
MADE_UP = Secret(env="MADE_UP")
TLS_FREE = "SharedAccessKeyName=Root;SharedAccessKey=c2VjcmV0;UseDevelopmentEmulator=true;"


@pytest.fixture(autouse=True)
def _near(monkeypatch):
    monkeypatch.setattr(module, "LEAST_WAIT", 0.2)


@pytest.fixture(autouse=True)
def _swept():
    """Close what the SDK leaves open of connections that broke, before another test is blamed for it."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def name(queue_files, project):
    with broker_queue(queue_files, f"tuppence-{project}", lock=30, deliveries=3, window=600):
        yield f"tuppence-{project}"


@pytest.fixture
def queue(name, namespace, project):
    with driver_of(ServiceBusQueue, project, connection_string=namespace) as queue:
        yield queue


def send(queue, *messages):
    return queue.send(messages, deadline=Deadline.after(9))


def receive(queue, most=10):
    return queue.receive(max_messages=most, wait=ZERO, lease=LEASE, deadline=Deadline.after(9))


def operations(queue):
    return queue.context.meter.take()["service_bus.operations"]


def test_each_message_is_an_operation_for_each_64_kilobytes(queue):
    send(queue, Message(id="small", body=b"x"), Message(id="large", body=bytes(65 * 1024)))
    sent = operations(queue)
    taken = receive(queue)
    received = operations(queue)
    queue.extend(taken, lease=LEASE, deadline=Deadline.after(9))
    extended = operations(queue)
    queue.ack(taken, deadline=Deadline.after(9))
    acknowledged = operations(queue)
    receive(queue)

    assert (sent, received, extended, acknowledged, operations(queue)) == (3, 3, 2, 2, 1)


def test_a_queue_that_detects_duplicates_delivers_an_id_once(name, namespace, project):
    options = {"connection_string": namespace, "detects_duplicates": True}
    with driver_of(ServiceBusQueue, project, **options) as queue:
        for _ in range(3):
            send(queue, Message(id="one", body=b"x"))
        taken = receive(queue)
        queue.ack(taken, deadline=Deadline.after(9))
        send(queue, Message(id="one", body=b"x"))

        assert len(taken) == 1
        assert not receive(queue)


@pytest.mark.parametrize("content", [{"data_body": [b"two parts"]}, {"value_body": "two parts"}])
@pytest.mark.parametrize("message_id", ["what/we do not allow", 7, "it" * 65])
def test_what_another_program_sent_arrives_under_the_services_number(
    queue, name, broker, content, message_id
):
    with ServiceBusClient.from_connection_string(broker) as client, client.get_queue_sender(name) as sender:
        properties = {"message_id": message_id}
        sender.send_messages(AmqpAnnotatedMessage(properties=properties, **content))

    (delivery,) = receive(queue)

    assert delivery.message == Message(id="number-1" if message_id != 7 else "7", body=b"two parts")


def test_nobody_but_the_service_sends_to_what_is_set_aside(queue):
    aside = queue.dead_letters()

    with pytest.raises(DriverError) as caught:
        send(aside, Message(id="one", body=b"x"))

    assert caught.value.code is ErrorCode.UNSUPPORTED
    assert aside.dead_letters() is None


def test_later_messages_are_not_held_for_a_receiver_that_has_gone_on(queue, namespace, project):
    receive(queue)
    with driver_of(ServiceBusQueue, project, connection_string=namespace) as other:
        send(other, Message(id="one", body=b"x"))

        assert [delivery.message.id for delivery in receive(other)] == ["one"]
        assert not receive(queue)


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # the SDK leaves broken sockets open
def test_a_broker_that_comes_back_is_used_again_and_old_leases_are_lost(tmp_path, project, monkeypatch):
    clock = ServiceClock(tmp_path / "clock")
    with (
        broker_queue(tmp_path, f"tuppence-{project}", lock=30),
        driver_of(ServiceBusQueue, project, connection_string=MADE_UP) as queue,
    ):
        with service_bus(tmp_path, clock.environment) as first:
            monkeypatch.setenv("MADE_UP", first)
            send(queue, Message(id="one", body=b"x"))
            taken = receive(queue)
        with pytest.raises(DriverError) as away:
            send(queue, Message(id="two", body=b"x"))
        with service_bus(tmp_path, clock.environment) as second:
            monkeypatch.setenv("MADE_UP", second)
            send(queue, Message(id="three", body=b"x"))
            lost = queue.ack(taken, deadline=Deadline.after(9))
            again = receive(queue)

    assert away.value.code in {ErrorCode.UNAVAILABLE, ErrorCode.TIMEOUT}
    assert [error.error.code for error in lost] == [ErrorCode.NOT_FOUND]
    assert [delivery.message.id for delivery in again] == ["three"]


def test_what_does_not_answer_is_unavailable(project, monkeypatch):
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        monkeypatch.setenv("MADE_UP", f"Endpoint=sb://127.0.0.1:{sock.getsockname()[1]};{TLS_FREE}")

        with (
            driver_of(ServiceBusQueue, project, connection_string=MADE_UP) as queue,
            pytest.raises(DriverError) as caught,
        ):
            send(queue, Message(id="one", body=b"x"))

    assert caught.value.code in {ErrorCode.UNAVAILABLE, ErrorCode.TIMEOUT}


def test_what_takes_a_connection_and_says_nothing_is_given_up(project, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("MADE_UP", f"Endpoint=sb://127.0.0.1:{silent.getsockname()[1]};{TLS_FREE}")

        with driver_of(ServiceBusQueue, project, connection_string=MADE_UP) as queue:
            codes = [code_of(queue, seconds) for seconds in (1, 60)]  # the second does not even wait
        heard, _ = silent.accept()
        heard.close()

    assert codes == [ErrorCode.TIMEOUT] * 2


@pytest.mark.parametrize("settle", ["ack", "nack"])
def test_what_says_nothing_of_a_message_that_is_settled_is_given_up_by_the_deadline(
    tmp_path, project, monkeypatch, settle
):
    plan = {"faults": ["silent"], "rate": 1, "seed": 1}
    (tmp_path / "faults.json").write_text(json.dumps(plan), encoding="utf-8")
    clock = ServiceClock(tmp_path / "clock")
    with (
        broker_queue(tmp_path, f"tuppence-{project}", lock=30),
        service_bus(tmp_path, clock.environment, program="faulty.py") as told,
        driver_of(ServiceBusQueue, project, connection_string=MADE_UP) as queue,
    ):
        monkeypatch.setenv("MADE_UP", told.replace("127.0.0.1", "localhost"))  # who calls it so is answered
        send(queue, Message(id="one", body=b"x"))
        queue.close()
        monkeypatch.setenv("MADE_UP", told)
        taken = receive(queue)
        began = time.monotonic()
        with pytest.raises(DriverError) as caught:
            getattr(queue, settle)(taken, deadline=Deadline.after(2))
        took = time.monotonic() - began

    assert caught.value.code is ErrorCode.TIMEOUT
    assert took < 40  # a connection is closed as well; by itself the client waits for a minute and more


def code_of(queue, seconds):
    """Return what becomes of a send that cannot succeed."""
    with pytest.raises(DriverError) as caught:
        queue.send([Message(id="one", body=b"x")], deadline=Deadline.after(seconds))
    return caught.value.code


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        (None, ErrorCode.INVALID, "no namespace is known; set `namespace`"),
        ("nonsense", ErrorCode.UNAUTHENTICATED, "the connection string cannot be read"),
    ],
)
def test_a_namespace_that_is_none_is_said(project, monkeypatch, text, code, words):
    if text:
        monkeypatch.setenv("AZURE_SERVICEBUS_CONNECTION_STRING", text)

    with driver_of(ServiceBusQueue, project) as queue, pytest.raises(DriverError, match=words) as caught:
        queue.check()

    assert caught.value.code is code


def test_a_producer_may_send_and_a_processor_may_receive(queue):
    actions = {role: [permission.action for permission in queue.permissions(role)] for role in Role}

    assert actions == {
        Role.PRODUCER: ["Microsoft.ServiceBus/namespaces/messages/send/action"],
        Role.PROCESSOR: ["Microsoft.ServiceBus/namespaces/messages/receive/action"],
        Role.REPORTER: ["Microsoft.ServiceBus/namespaces/messages/receive/action"],
    }


@pytest.mark.parametrize("options", [{"namespace": "a"}, {"queue": "-a"}, {"queue": "a b"}])
def test_names_that_cannot_be_are_refused_by_the_configuration(options):
    with pytest.raises(msgspec.ValidationError, match="cannot be a"):
        msgspec.convert(options, ServiceBusQueue.Options)


def test_a_delivery_can_be_shown_without_what_people_sent(queue):
    send(queue, Message(id="one", body=b"\xff"))

    (delivery,) = receive(queue)

    assert "removed=False" in repr(delivery.receipt)
