"""What Lambda's functions answer where the contract leaves it to AWS."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from aws.calling import QUEUE, Call, call, deliver, record
from tuppence.drivers import Context, Message
from tuppence.errors import DriverError, ErrorCode
from tuppence.meter import UnitMeter
from tuppence.testing import ManualClock
from tuppence.testing.compute import failed
from tuppence_aws.compute import LambdaCompute

NOON = datetime(2026, 11, 16, 12, tzinfo=UTC)
MESSAGES = [Message(id=f"{n}", body=b"x", lane=lane) for n, lane in enumerate("abab")]


@pytest.fixture
def compute():
    context = Context(project="mybot", meter=UnitMeter(), clock=ManualClock(NOON))
    return LambdaCompute(LambdaCompute.Options(), context)


def received(compute, records, context=None):
    """Return the deliveries that a handler is given."""
    seen = []
    call(compute.consumer(lambda deliveries: seen.extend(deliveries) or ()), {"Records": records}, context)
    return seen


@pytest.mark.parametrize(
    ("positions", "again"), [([0], {0, 2}), ([1], {1, 3}), ([2], {2}), ([3, 0], {0, 2, 3}), ([], set())]
)
def test_in_a_fifo_queue_what_follows_a_failure_in_its_group_comes_again(compute, positions, again):
    records = [record(message, number) for number, message in enumerate(MESSAGES)]

    consumer = compute.consumer(lambda _: [failed(position) for position in positions])

    assert deliver(consumer, records) == again


def test_in_a_standard_queue_only_the_failure_comes_again(compute):
    records = [record(replace(one, lane="a"), n, queue=QUEUE) for n, one in enumerate(MESSAGES)]

    assert deliver(compute.consumer(lambda _: [failed(0)]), records) == {0}


def test_a_message_of_another_program_is_its_text_under_the_id_that_sqs_gave_it(compute):
    plain = record(Message(id="ignored", body=b""), 7, queue=QUEUE)
    plain |= {"body": '{"id": "1"}', "messageAttributes": {}}

    (delivery,) = received(compute, [plain])

    assert delivery.message == Message(id=plain["messageId"], body=b'{"id": "1"}')


def test_a_body_that_is_no_id_does_not_become_one(compute):
    odd = record(Message(id="not an id", body=b"x", lane="no lane!"))

    (delivery,) = received(compute, [odd])

    assert delivery.message == Message(id=odd["messageId"], body=b"x", lane="")


def test_messages_are_leased_for_as_long_as_the_call_may_take(compute):
    (delivery,) = received(compute, [record(MESSAGES[0])], Call(left=30_000))

    assert delivery.expires == NOON + timedelta(seconds=30)
    assert (delivery.attempt, delivery.receipt) == (1, "handle-0")


@pytest.mark.parametrize("run_id", ["<aws.scheduler.execution-id>", "", None])
def test_a_run_without_an_id_has_that_of_the_call(compute, run_id):
    seen = []

    call(compute.runner(seen.append), {"job": "drain", "run_id": run_id}, Call(aws_request_id="request"))

    assert [(run.job, run.run_id, run.payload) for run in seen] == [("drain", "request", {})]


@pytest.mark.parametrize("event", [{}, {"key1": "value1"}, {"job": 1}, {"job": "drain", "payload": "x"}])
def test_an_event_that_names_no_job_is_refused_with_one_that_does(compute, event):
    with pytest.raises(DriverError, match=r'a test event is {"job": "drain"}') as caught:
        call(compute.runner(lambda _: None), event)

    assert caught.value.code is ErrorCode.INVALID


def test_functions_that_are_not_there_are_named(ministack_url):
    context = Context(project="nowhere", meter=UnitMeter(), clock=ManualClock(NOON))
    compute = LambdaCompute(LambdaCompute.Options(endpoint=ministack_url), context)

    with pytest.raises(DriverError, match="tuppence-nowhere-drain; `tuppence deploy` creates it") as caught:
        compute.check()

    assert caught.value.code is ErrorCode.NOT_FOUND


def test_a_project_whose_name_is_too_long_for_a_function_is_refused():
    context = Context(project="x" * 48, meter=UnitMeter(), clock=ManualClock(NOON))

    with pytest.raises(DriverError, match="choose a shorter `project`"):
        LambdaCompute(LambdaCompute.Options(), context).check()
