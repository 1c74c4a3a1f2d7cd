"""What is SQS's own about the queue."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from aws.faulty import Answer, error_of
from tuppence import config, plugins
from tuppence.clock import Deadline
from tuppence.drivers import ZERO, Context, Kind, Message, Role
from tuppence.errors import ConfigError, ErrorCode
from tuppence.meter import UnitMeter
from tuppence.testing import ManualClock
from tuppence.testing.contract import failures, refused
from tuppence_aws.messages import weight
from tuppence_aws.queue import BODIES, BODY, MEBIBYTE, SqsQueue

LEASE = timedelta(seconds=30)
HOUR = timedelta(hours=1)
FIRST = {"ApproximateReceiveCount": "1"}


def take(queue, soon, most=10):
    return queue.receive(max_messages=most, wait=ZERO, lease=LEASE, deadline=soon())


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"queue": "events"}, "ends in .fifo"),
        ({"queue": "events.fifo", "fifo": False}, "does not end in .fifo"),
        ({"dead_letters": "a b.fifo"}, "cannot be a queue's name"),
        ({"queue": "x" * 76 + ".fifo"}, "at most 80"),
        ({"account": "12345"}, "twelve digits"),
    ],
)
def test_what_sqs_would_refuse_is_refused_with_a_sentence(settings, words, tmp_path):
    given = config.load(folder=tmp_path, environ={}, provider="aws", queue=settings)
    context = Context(project="bot", meter=UnitMeter(), clock=ManualClock())

    with pytest.raises(ConfigError, match=words):
        plugins.load().driver(Kind.QUEUE, given, context)


def test_the_longest_project_has_queues_whose_names_sqs_takes(clock):
    queue = SqsQueue(SqsQueue.Options(), Context(project="p" * 48, meter=UnitMeter(), clock=clock))

    names = {one.resource.rpartition(":")[2] for one in queue.permissions(Role.PROCESSOR)}

    assert len(names) == 2
    assert all(SqsQueue.Options(queue=name) for name in names)


def test_the_name_of_a_fifo_queue_says_so(opened):
    fifo, standard = opened("http://127.0.0.1:1"), opened("http://127.0.0.1:1", fifo=False)

    assert fifo.name.endswith(".fifo")
    assert standard.name == fifo.name.removesuffix(".fifo")


def test_the_queue_for_what_came_too_often_has_none_of_its_own(queue):
    aside = queue.dead_letters()

    assert aside.dead_letters() is None
    aside.check()
    aside.close()


def test_the_largest_messages_weigh_what_sqs_takes_to_the_byte():
    together = [Message(id="i" * 128, body=bytes(BODIES if n == 0 else 0)) for n in range(10)]
    alone = Message(id="i" * 128, body=bytes(BODY))

    assert sum(map(weight, together)) == MEBIBYTE
    assert weight(alone) == 256 * 1024


def test_a_batch_of_the_largest_ids_and_bodies_is_taken(queue, soon):
    share = BODIES // 10
    full = [Message(id=f"{n}" * 128, body=bytes(share), lane="l" * 128) for n in range(10)]

    assert not queue.send(full, deadline=soon())


def test_an_empty_body_is_refused_alone(queue, soon):
    errors = queue.send([Message(id="empty", body=b""), Message(id="full", body=b"x")], deadline=soon())

    assert failures(errors) == [(0, ErrorCode.INVALID)]
    assert [one.message.id for one in take(queue, soon)] == ["full"]


def test_what_another_program_sent_as_text_arrives_as_its_bytes(queue, service, soon):
    address = service.get_queue_url(QueueName=queue.name)["QueueUrl"]
    text = '{"id": "1", "time": "2026-11-16T09:00:00Z"}'
    service.send_message(QueueUrl=address, MessageBody=text, MessageGroupId="web", MessageDeduplicationId="1")

    [delivery] = take(queue, soon)

    assert delivery.message.body == text.encode()
    assert delivery.message.lane == "web"
    assert not queue.ack([delivery], deadline=soon())


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        ({}, "tuppence-{}.fifo"),
        ({"account": "123456789012"}, "https://sqs.eu-west-2.amazonaws.com/123456789012/tuppence-{}.fifo"),
        (
            {"account": "123456789012", "region": "cn-north-1", "queue": "mine.fifo"},
            "https://sqs.cn-north-1.amazonaws.com.cn/123456789012/mine.fifo",
        ),
    ],
)
def test_a_queue_is_named_and_one_of_another_account_by_its_address(
    opened, stand_in, project, soon, settings, address
):
    asked = []

    def answer(request):
        asked.append(json.loads(request.body)["QueueUrl"])
        return Answer(200, {}, b"{}")

    opened(stand_in(answer), **settings).send([Message(id="a", body=b"x")], deadline=soon())

    assert asked == [address.format(project)]


@pytest.mark.parametrize(
    ("sizes", "requests"),
    [([1], 1), ([60 * 1024] * 10, 10), ([64 * 1024 - 8], 1), ([64 * 1024 - 7], 2), ([BODIES // 4] * 4, 16)],
)
def test_64_kib_of_messages_are_one_request_either_way(queue, context, soon, sizes, requests):
    sent = [Message(id=f"{n}", body=bytes(size), lane=f"{n}") for n, size in enumerate(sizes)]

    queue.send(sent, deadline=soon())
    sending = context.meter.take()
    deliveries = take(queue, soon)
    receiving = context.meter.take()
    queue.ack(deliveries, deadline=soon())
    removing = context.meter.take()
    take(queue, soon)
    in_vain = context.meter.take()

    assert sending == receiving == {"sqs.requests": requests}
    assert removing == in_vain == {"sqs.requests": 1}


def test_no_lease_lasts_longer_than_twelve_hours_in_all(context, stand_in):
    clock, asked = ManualClock(), []
    received = {"MessageId": "m", "ReceiptHandle": "r", "Body": "id", "Attributes": FIRST}

    def answer(request):
        asked.append(json.loads(request.body))
        extended = {"Successful": [{"Id": "0"}]}
        body = {"Messages": [received]} if request.operation == "ReceiveMessage" else extended
        return Answer(200, {}, json.dumps(body).encode())

    queue = SqsQueue(SqsQueue.Options(endpoint=stand_in(answer)), replace(context, clock=clock))
    [delivery] = queue.receive(max_messages=1, wait=ZERO, lease=11 * HOUR, deadline=Deadline.after(9, clock))
    clock.advance(10 * HOUR)

    errors = queue.extend([delivery], lease=11 * HOUR, deadline=Deadline.after(9, clock))
    clock.advance(2 * HOUR)
    late = queue.extend([delivery], lease=HOUR, deadline=Deadline.after(9, clock))
    queue.close()

    assert not errors
    assert asked[-1]["Entries"][0]["VisibilityTimeout"] == 2 * 60 * 60
    assert failures(late) == [(0, ErrorCode.NOT_FOUND)]


@pytest.mark.parametrize(
    ("code", "sender", "expected"),
    [
        ("InternalError", False, ErrorCode.UNAVAILABLE),
        ("SomethingNew", True, ErrorCode.INVALID),
        ("SomethingNew", False, ErrorCode.UNAVAILABLE),
        ("InvalidMessageContents", True, ErrorCode.INVALID),
        ("KmsThrottled", True, ErrorCode.THROTTLED),
        ("MissingParameter", True, ErrorCode.UNSUPPORTED),
    ],
)
def test_an_entry_that_fails_alone_says_why(opened, stand_in, soon, code, sender, expected):
    entry = {"Id": "1", "Code": code, "SenderFault": sender}
    failed = {"Successful": [{"Id": "0"}], "Failed": [entry]}
    queue = opened(stand_in(lambda _: Answer(200, {}, json.dumps(failed).encode())))

    errors = queue.send([Message(id=name, body=b"x") for name in "ab"], deadline=soon())

    assert failures(errors) == [(1, expected)]


@pytest.mark.parametrize("how", ["ack", "nack"])
@pytest.mark.parametrize("code", ["ReceiptHandleIsInvalid", "InvalidParameterValue", "MessageNotInflight"])
def test_a_receipt_that_the_service_no_longer_knows_is_a_lost_lease(queue, opened, stand_in, soon, how, code):
    queue.send([Message(id="a", body=b"x")], deadline=soon())
    held = take(queue, soon)
    failed = {"Failed": [{"Id": "0", "Code": code, "SenderFault": True}]}
    other = opened(stand_in(lambda _: Answer(200, {}, json.dumps(failed).encode())))

    errors = getattr(other, how)(held, deadline=soon())

    assert failures(errors) == [(0, ErrorCode.NOT_FOUND)]


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("RequestThrottled", ErrorCode.THROTTLED, ""),
        ("OverLimit", ErrorCode.THROTTLED, ""),
        ("QueueDoesNotExist", ErrorCode.NOT_FOUND, "`tuppence deploy` makes it"),
        ("AccessDeniedException", ErrorCode.FORBIDDEN, ""),
        ("ExpiredTokenException", ErrorCode.UNAUTHENTICATED, "the credentials have expired"),
    ],
)
def test_what_the_service_refuses_has_a_code_and_words(opened, stand_in, soon, name, code, words):
    queue = opened(stand_in(lambda _: error_of(400, name)))

    with refused(code) as caught:
        queue.send([Message(id="a", body=b"x")], deadline=soon())

    assert words in str(caught.value)


def test_a_clock_that_is_off_is_named(opened, stand_in, soon):
    past = {"Date": "Mon, 16 Nov 2020 09:00:00 GMT"}
    queue = opened(stand_in(lambda _: replace(error_of(400, "InvalidSignatureException"), headers=past)))

    with refused(ErrorCode.UNAUTHENTICATED) as caught:
        queue.send([Message(id="a", body=b"x")], deadline=soon())

    assert "clock is" in str(caught.value)


def test_check_says_where_messages_go_instead(opened, ministack_url, service):
    queue = opened(ministack_url, dead_letters="elsewhere.fifo")

    with refused(ErrorCode.INVALID) as caught:
        queue.check()

    assert "not in elsewhere.fifo" in str(caught.value)


def test_without_a_region_it_says_so(opened, monkeypatch, soon):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)

    with refused(ErrorCode.UNAUTHENTICATED) as caught:
        opened("http://127.0.0.1:1").send([Message(id="a", body=b"x")], deadline=soon())

    assert "AWS_REGION" in str(caught.value)
