"""An answer of a Storage Queue is complete, or it is an error."""

from contextlib import contextmanager
from datetime import timedelta

import pytest

from aws.faulty import Answer, Faulty
from azure.drivers import driver_of
from azure.faults import error_of
from tuppence.clock import Deadline
from tuppence.drivers import ZERO, Message
from tuppence.errors import ErrorCode
from tuppence.settings import Secret
from tuppence.testing.contract import failures, refused
from tuppence_azure.storage_queue import StorageQueue

MESSAGE = (
    b"<QueueMessage><MessageId>m</MessageId><PopReceipt>p</PopReceipt><DequeueCount>1</DequeueCount>"
    b"<MessageText>eA==</MessageText></QueueMessage>"
)


@contextmanager
def answering(project, monkeypatch, body):
    """Lend a queue whose service answers so."""

    def answer(request, forward):
        return Answer(200, {}, body)

    with Faulty("http://127.0.0.1:1", (answer,), rate=1.0).running() as proxy:
        text = f"AccountName=a;AccountKey=eA==;QueueEndpoint={proxy.url}/a"
        monkeypatch.setenv("MADE_UP", text)
        with driver_of(StorageQueue, project, connection_string=Secret(env="MADE_UP")) as queue:
            yield queue


def receive(queue):
    return queue.receive(max_messages=3, wait=ZERO, lease=timedelta(minutes=1), deadline=Deadline.after(9))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"<QueueMessagesList>" + MESSAGE, id="cut behind a message"),
        pytest.param(b"<QueueMessagesList>" + MESSAGE[:-30], id="cut in a message"),
        pytest.param(b"<Other>" + MESSAGE + b"</Other>", id="another list"),
        pytest.param(b"<QueueMessagesList><Other/></QueueMessagesList>", id="another element"),
    ],
)
def test_messages_that_cannot_be_read_whole_are_an_error(project, monkeypatch, body):
    with answering(project, monkeypatch, body) as queue, refused(ErrorCode.UNAVAILABLE):
        receive(queue)


def test_messages_that_come_whole_are_received(project, monkeypatch):
    body = b"<QueueMessagesList>" + 2 * MESSAGE + b"</QueueMessagesList>"
    with answering(project, monkeypatch, body) as queue:
        assert len(receive(queue)) == 2


def test_a_depth_that_is_not_told_is_an_error(project, monkeypatch):
    with answering(project, monkeypatch, b"") as queue, refused(ErrorCode.UNAVAILABLE):
        queue.depth(deadline=Deadline.after(9))


@contextmanager
def refusing(project, monkeypatch, answers):
    """Lend a queue whose service answers so, one after the other."""
    left = iter(answers)

    def answer(request, forward):
        return next(left)

    with Faulty("http://127.0.0.1:1", (answer,), rate=1.0).running() as proxy:
        monkeypatch.setenv("MADE_UP", f"AccountName=a;AccountKey=eA==;QueueEndpoint={proxy.url}/a")
        with driver_of(StorageQueue, project, connection_string=Secret(env="MADE_UP")) as queue:
            yield queue


THREE = [Message(id=name, body=b"x") for name in "abc"]
ACCEPTED = Answer(201, {}, b"")


def test_a_message_that_is_too_large_fails_alone(project, monkeypatch):
    answers = [ACCEPTED, error_of(413, "RequestBodyTooLarge"), ACCEPTED]
    with refusing(project, monkeypatch, answers) as queue:
        errors = queue.send(THREE, deadline=Deadline.after(9))

    assert failures(errors) == [(1, ErrorCode.TOO_LARGE)]


@pytest.mark.parametrize("name", ["InvalidHeaderValue", "InvalidUri", "OutOfRangeInput", "a new code"])
def test_a_refusal_of_the_request_is_of_no_message(project, monkeypatch, name):
    with refusing(project, monkeypatch, [ACCEPTED, error_of(400, name)]) as queue:
        errors = queue.send(THREE, deadline=Deadline.after(9))
    with refusing(project, monkeypatch, [error_of(400, name)]) as queue, refused(ErrorCode.UNKNOWN):
        queue.send(THREE, deadline=Deadline.after(9))

    assert failures(errors) == [(1, ErrorCode.UNKNOWN), (2, ErrorCode.UNKNOWN)]
