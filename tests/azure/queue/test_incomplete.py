"""An answer of a Storage Queue is complete, or it is an error."""

from contextlib import contextmanager
from datetime import timedelta

import pytest

from aws.faulty import Answer, Faulty
from azure.drivers import driver_of
from tuppence.clock import Deadline
from tuppence.drivers import ZERO
from tuppence.errors import ErrorCode
from tuppence.settings import Secret
from tuppence.testing.contract import refused
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
