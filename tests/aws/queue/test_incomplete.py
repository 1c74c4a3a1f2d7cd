"""What SQS does not say of an entry has not been done to it."""

import json
from datetime import timedelta

import pytest

from aws.faulty import Answer
from tuppence.drivers import Message
from tuppence.errors import ErrorCode
from tuppence.testing.contract import failures, refused

THREE = [Message(id=name, body=b"x") for name in "abc"]


@pytest.fixture
def send(opened, stand_in, soon):
    """Return what sends three messages to a service that answers so."""
    return lambda answer: opened(stand_in(lambda _: Answer(200, {}, json.dumps(answer).encode()))).send(
        THREE, deadline=soon()
    )


def done(*ids):
    return {"Successful": [{"Id": one, "MessageId": "m", "MD5OfMessageBody": "d"} for one in ids]}


def test_an_entry_in_neither_list_has_failed_and_is_to_be_sent_again(send):
    failed = {"Failed": [{"Id": "1", "Code": "InvalidMessageContents", "SenderFault": True}]}

    assert send(done("0", "1", "2")) == []
    assert failures(send(done("0", "2"))) == [(1, ErrorCode.UNAVAILABLE)]
    assert failures(send({})) == [(position, ErrorCode.UNAVAILABLE) for position in range(3)]
    assert sorted(failures(send({**done("0"), **failed}))) == [
        (1, ErrorCode.INVALID),
        (2, ErrorCode.UNAVAILABLE),
    ]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(done("0", "1", "2", "3"), id="an entry that was not sent"),
        pytest.param(done("0", "1", "1"), id="one twice"),
        pytest.param({**done("0", "1"), "Failed": [{"Id": "x", "Code": "c"}]}, id="no entry's name"),
    ],
)
def test_an_answer_of_other_entries_is_an_error_of_the_call(send, answer):
    with refused(ErrorCode.UNAVAILABLE):
        send(answer)


@pytest.mark.parametrize("how", ["ack", "nack"])
def test_a_receipt_that_the_answer_does_not_name_was_not_settled(queue, opened, stand_in, soon, how):
    queue.send(THREE[:1], deadline=soon())
    held = queue.receive(
        max_messages=1, wait=timedelta(seconds=5), lease=timedelta(minutes=1), deadline=soon()
    )
    silent = opened(stand_in(lambda _: Answer(200, {}, b"{}")))

    errors = getattr(silent, how)(held, deadline=soon())

    assert failures(errors) == [(0, ErrorCode.UNAVAILABLE)]
    assert not getattr(queue, how)(held, deadline=soon())
