"""What Pub/Sub does not say of a message has not been done to it."""

import pytest

from gcp.answers import error_of, told
from tuppence.drivers import Message
from tuppence.errors import ErrorCode
from tuppence.testing.contract import failures, refused
from tuppence_gcp.queue import PubSubQueue

THREE = [Message(id=name, body=b"x", lane=name) for name in "abc"]


@pytest.mark.parametrize("ids", [[], ["1"], ["1", "2"], ["1", "2", "3", "4"]])
def test_a_publish_that_does_not_name_each_message_is_an_error(opened, stand_in, soon, ids):
    queue = opened(PubSubQueue, stand_in(lambda _: told({"messageIds": ids})))

    with refused(ErrorCode.UNAVAILABLE):
        queue.send(THREE, deadline=soon())


def test_only_the_lane_that_was_not_named_and_those_behind_it_are_sent_again(opened, stand_in, soon):
    answers = iter([told({"messageIds": ["1"]}), told({"messageIds": []})])
    queue = opened(PubSubQueue, stand_in(lambda _: next(answers)), ordered=True)

    errors = queue.send(THREE, deadline=soon())

    assert failures(errors) == [(1, ErrorCode.UNAVAILABLE), (2, ErrorCode.UNAVAILABLE)]


def test_a_backlog_of_which_a_part_is_told_is_an_error(opened, stand_in, soon):
    def answer(request):
        if "/subscriptions/" in request.path:
            return told({"topic": "t"})
        series = {"points": [{"value": {"int64Value": "3"}}]}
        return told({"timeSeries": [series], "executionErrors": [{"code": 14}]})

    queue = opened(PubSubQueue, stand_in(answer))

    with refused(ErrorCode.UNAVAILABLE):
        queue.depth(deadline=soon())


def test_a_service_that_is_not_enabled_is_named(opened, stand_in, soon):
    details = [{"reason": "SERVICE_DISABLED", "metadata": {"service": "pubsub.googleapis.com"}}]
    answer = error_of(403, "PERMISSION_DENIED", details=details)
    queue = opened(PubSubQueue, stand_in(lambda _: answer))

    with refused(ErrorCode.NOT_FOUND) as caught:
        queue.send(THREE, deadline=soon())

    assert "pubsub.googleapis.com is not enabled" in str(caught.value)


def test_a_refusal_of_a_later_request_is_of_no_message(opened, stand_in, soon):
    answers = iter([told({"messageIds": ["1"]}), error_of(400, "INVALID_ARGUMENT")])
    queue = opened(PubSubQueue, stand_in(lambda _: next(answers)), ordered=True)

    errors = queue.send(THREE, deadline=soon())

    assert failures(errors) == [(1, ErrorCode.UNKNOWN), (2, ErrorCode.UNKNOWN)]
