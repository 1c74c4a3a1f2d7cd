"""What is Pub/Sub's own about the queue."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from aws.faulty import SILENCE
from gcp.answers import error_of, told
from gcp.queues import PROJECT, clients_at, queues_at
from tuppence import config, plugins
from tuppence.clock import Deadline
from tuppence.connection import MOST
from tuppence.drivers import ZERO, Context, Delivery, Kind, Message, Role
from tuppence.errors import ConfigError, ErrorCode
from tuppence.meter import UnitMeter
from tuppence.testing import ManualClock
from tuppence.testing.contract import failures, refused
from tuppence_gcp.messages import Receipt
from tuppence_gcp.queue import BODIES, BODY, MESSAGES, REQUEST, PubSubQueue

LEASE = timedelta(seconds=30)
NOWHERE = "http://127.0.0.1:1"


def take(queue, soon, most=10, wait=ZERO):
    return queue.receive(max_messages=most, wait=wait, lease=LEASE, deadline=soon())


def held(handle):
    """Return a delivery that is held, as if it had been received."""
    return Delivery(
        message=Message(id=handle, body=b"x"), receipt=Receipt(handle, float("inf")), expires=None
    )


@pytest.fixture
def clients(pubsub_url, project):
    with queues_at(pubsub_url, project) as clients:
        yield clients


@pytest.fixture
def queue(opened, monitored_url, clients):
    return opened(PubSubQueue, monitored_url)


@pytest.mark.parametrize(
    "settings", [{"queue": "a"}, {"queue": "1st"}, {"queue": "google-events"}, {"dead_letters": "a b"}]
)
def test_what_pubsub_would_refuse_is_refused_with_a_sentence(settings, tmp_path):
    given = config.load(folder=tmp_path, environ={}, provider="gcp", queue=settings)
    context = Context(project="bot", meter=UnitMeter(), clock=ManualClock())

    with pytest.raises(ConfigError, match="cannot be a topic's name"):
        plugins.load().driver(Kind.QUEUE, given, context)


def test_each_role_may_do_what_it_does_and_no_more(opened):
    queue = opened(PubSubQueue, "", project_id="acme", queue="events", dead_letters="late")
    allowed = {role: {(one.action, one.resource) for one in queue.permissions(role)} for role in Role}

    assert allowed[Role.PRODUCER] == {("pubsub.topics.publish", "projects/acme/topics/events")}
    assert allowed[Role.PROCESSOR] == {
        *(
            (action, f"projects/acme/subscriptions/{name}")
            for name in ("events", "late")
            for action in ("pubsub.subscriptions.consume", "pubsub.subscriptions.get")
        ),
        ("monitoring.timeSeries.list", "projects/acme"),
    }
    assert allowed[Role.REPORTER] == {
        ("pubsub.subscriptions.get", "projects/acme/subscriptions/events"),
        ("monitoring.timeSeries.list", "projects/acme"),
    }


def test_googles_own_client_reads_what_is_sent_and_is_read(queue, clients, soon, project):
    publisher, subscriber = clients
    topic, subscription = f"projects/{PROJECT}/topics/{queue.name}", queue.name
    queue.send([Message(id="ours", body=b"\x00\xff")], deadline=soon())
    asked = {"subscription": f"projects/{PROJECT}/subscriptions/{subscription}", "max_messages": 10}
    (ours,) = subscriber.pull(request=asked, retry=None).received_messages
    foreign = {"data": b'{"id": "1"}', "attributes": {"kind": "plain"}}
    (given,) = publisher.publish(request={"topic": topic, "messages": [foreign]}, retry=None).message_ids

    (theirs,) = take(queue, soon)

    assert (ours.message.data, dict(ours.message.attributes)) == (b"\x00\xff", {"id": "ours"})
    assert (theirs.message.id, theirs.message.body) == (given, b'{"id": "1"}')


def test_an_id_that_cannot_be_one_of_ours_is_not_taken_for_one(queue, clients, soon):
    publisher, _ = clients
    foreign = {"data": b"x", "attributes": {"id": "no id/of ours"}, "ordering_key": "nor/a lane"}
    publisher.publish(
        request={"topic": f"projects/{PROJECT}/topics/{queue.name}", "messages": [foreign]}, retry=None
    )

    (delivery,) = take(queue, soon)

    assert delivery.message.id.isdecimal()
    assert delivery.message.lane == ""


def test_a_request_is_billed_for_its_bytes_and_at_least_a_thousand(queue, meter, soon):
    queue.send([Message(id="small", body=b"x")], deadline=soon())
    sent_small = meter.take()
    queue.send([Message(id="large", body=bytes(5_000))], deadline=soon())
    sent_large = meter.take()
    received = [delivery.message for delivery in take(queue, soon)]
    delivered = meter.take()
    take(queue, soon)
    nothing = meter.take()

    each = len("id") + len("large") + 20 + 1  # attribute, time, and the emulator's ids of one digit or two
    assert sent_small == {"pubsub.bytes": 1_000}
    assert sent_large["pubsub.bytes"] - 5_000 - each in range(4)
    assert len(received) == 2
    assert delivered["pubsub.bytes"] - 5_001 - 2 * each in range(8)
    assert nothing == {"pubsub.bytes": 1_000}


def test_the_largest_batch_is_within_a_request(opened, stand_in, soon):
    sizes = []

    def measure(request):
        sizes.append(len(request.body))
        return told({"messageIds": [f"{n}" for n in range(MESSAGES)]})

    queue = opened(PubSubQueue, stand_in(measure), ordered=True)
    bodies = [BODY] * (BODIES // BODY) + [3] * (MESSAGES - BODIES // BODY)
    sent = [Message(id=f"{n:0128}", body=bytes(size), lane="l" * 128) for n, size in enumerate(bodies)]

    assert not queue.send(sent, deadline=soon())
    assert REQUEST * 0.95 < sizes[0] <= REQUEST


def test_a_hundred_of_the_largest_can_be_read_in_one_answer():
    one = {"ackId": "a" * 300, "message": {"data": "x" * (BODY * 4 // 3), "attributes": {"id": "i" * 128}}}

    assert MESSAGES * (len(json.dumps(one)) + 300) < MOST


def test_lanes_are_published_one_by_one_and_what_fails_is_named(opened, stand_in, soon):
    lanes = []

    def answer(request):
        sent = json.loads(request.body)["messages"]
        lanes.append([one.get("orderingKey") for one in sent])
        if len(lanes) == 2:
            return error_of(503, "UNAVAILABLE")
        return told({"messageIds": [f"{n}" for n in range(len(sent))]})

    queue = opened(PubSubQueue, stand_in(answer), ordered=True)
    lane_of = {"a1": "a", "b1": "b", "a2": "a", "c1": "c"}

    errors = queue.send([Message(id=i, body=b"x", lane=lane) for i, lane in lane_of.items()], deadline=soon())

    assert lanes == [["a", "a"], ["b"]]
    assert failures(errors) == [(1, ErrorCode.UNAVAILABLE), (3, ErrorCode.UNAVAILABLE)]


@pytest.mark.parametrize(
    ("status", "name", "code", "words"),
    [
        (429, "RESOURCE_EXHAUSTED", ErrorCode.THROTTLED, "RESOURCE_EXHAUSTED"),
        (404, "NOT_FOUND", ErrorCode.NOT_FOUND, "`tuppence deploy` makes it"),
        (403, "PERMISSION_DENIED", ErrorCode.FORBIDDEN, "made up"),
        (401, "UNAUTHENTICATED", ErrorCode.UNAUTHENTICATED, "made up"),
        (400, "INVALID_ARGUMENT", ErrorCode.INVALID, "INVALID_ARGUMENT"),
        (500, "INTERNAL", ErrorCode.UNAVAILABLE, "INTERNAL"),
        (504, "DEADLINE_EXCEEDED", ErrorCode.TIMEOUT, "DEADLINE_EXCEEDED"),
        (418, "NEW_AND_STRANGE", ErrorCode.UNKNOWN, "NEW_AND_STRANGE"),
    ],
)
def test_what_the_service_refuses_has_a_code_and_words(opened, stand_in, soon, status, name, code, words):
    queue = opened(PubSubQueue, stand_in(lambda _: error_of(status, name)))

    with refused(code) as caught:
        queue.send([Message(id="a", body=b"x")], deadline=soon())

    assert words in str(caught.value)


def test_a_load_balancers_refusal_is_understood_and_its_wish_heeded(opened, stand_in, soon):
    answer = replace(told({}, 503), headers={"Retry-After": "7"}, body=b"<html>Service Unavailable</html>")
    queue = opened(PubSubQueue, stand_in(lambda _: answer))

    with refused(ErrorCode.UNAVAILABLE) as caught:
        queue.send([Message(id="a", body=b"x")], deadline=soon())

    assert caught.value.retry_after == 7.0


def test_an_answer_that_cannot_be_read_may_be_asked_for_again(opened, stand_in, soon):
    queue = opened(PubSubQueue, stand_in(lambda _: told(["no", "object"])))

    with refused(ErrorCode.UNAVAILABLE):
        take(queue, soon)


def test_exactly_once_delivery_says_of_each_receipt_what_became_of_it(opened, stand_in, soon):
    became = {"lost": "PERMANENT_FAILURE_INVALID_ACK_ID", "busy": "TRANSIENT_FAILURE_OTHER"}
    detail = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "ACK", "metadata": became}
    queue = opened(PubSubQueue, stand_in(lambda _: error_of(400, "INVALID_ARGUMENT", details=[detail])))

    errors = queue.ack([held("fine"), held("lost"), held("busy")], deadline=soon())

    assert failures(errors) == [(1, ErrorCode.NOT_FOUND), (2, ErrorCode.UNAVAILABLE)]


def test_a_subscription_may_deliver_exactly_once_and_nothing_has_to_be_set_for_it(
    opened, monitored_url, pubsub_url, project, soon
):
    with queues_at(pubsub_url, project, exactly_once=True):
        queue = opened(PubSubQueue, monitored_url)
        queue.check()
        queue.send([Message(id=name, body=b"x") for name in ("a", "b")], deadline=soon())
        first, second = sorted(take(queue, soon), key=lambda delivery: delivery.message.id)

        assert failures(queue.extend([first, second], lease=LEASE, deadline=soon())) == []
        assert failures(queue.ack([first], deadline=soon())) == []
        assert failures(queue.nack([second], deadline=soon())) == []
        (again,) = take(queue, soon, wait=timedelta(seconds=10))
        assert failures(queue.ack([again, first], deadline=soon())) == []

    assert again.message.id == "b"


def test_waiting_keeps_a_second_for_the_lease(queue, clock):
    deadline = Deadline.after(2, clock)

    received = queue.receive(max_messages=1, wait=timedelta(minutes=1), lease=LEASE, deadline=deadline)

    assert not received
    assert not deadline.expired


def test_what_arrives_while_waiting_is_received(opened, stand_in, soon):
    asked = []

    def answer(request):
        asked.append((request.headers.get("x-server-timeout"), json.loads(request.body)))
        one = {"ackId": "1", "message": {"messageId": "1", "data": "eA==", "attributes": {"id": "late"}}}
        return told({"receivedMessages": [one]} if len(asked) == 2 else {})

    queue = opened(PubSubQueue, stand_in(answer))

    (delivery,) = take(queue, soon, most=1, wait=timedelta(seconds=5))

    assert delivery.message == Message(id="late", body=b"x")
    assert delivery.attempt is None
    assert asked == [
        (None, {"maxMessages": 1, "returnImmediately": True}),
        ("5.000", {"maxMessages": 1}),
        (None, {"ackIds": ["1"], "ackDeadlineSeconds": 30}),
    ]


def test_a_lease_goes_on_from_when_it_was_extended_and_ends_when_it_is_given_back(stand_in, project):
    clock = ManualClock()
    context = Context(project=project, meter=UnitMeter(), clock=clock)

    def answer(request):
        one = {"ackId": "1", "message": {"messageId": "1", "attributes": {"id": "a"}}}
        return told({"receivedMessages": [one]} if request.path.endswith(":pull") else {})

    def soon():
        return Deadline.after(30, clock)

    queue = PubSubQueue(PubSubQueue.Options(endpoint=stand_in(answer)), context)
    held, returned = take(queue, soon), take(queue, soon)
    clock.advance(LEASE * 2 / 3)
    queue.extend([*held, *returned], lease=LEASE, deadline=soon())
    clock.advance(LEASE * 2 / 3)
    queue.nack(returned, deadline=soon())

    errors = queue.ack([*held, *returned], deadline=soon())

    queue.close()
    assert failures(errors) == [(1, ErrorCode.NOT_FOUND)]


def test_a_service_that_is_silent_is_not_taken_for_an_empty_queue(opened, stand_in, clock):
    queue = opened(PubSubQueue, stand_in(lambda _: SILENCE))

    with refused(ErrorCode.TIMEOUT):
        queue.receive(
            max_messages=1, wait=timedelta(seconds=1), lease=LEASE, deadline=Deadline.after(0.5, clock)
        )


def test_what_exactly_once_delivery_would_not_lease_is_not_handed_out(opened, stand_in, soon):
    def answer(request):
        if request.path.endswith(":pull"):
            found = [{"ackId": one, "message": {"messageId": one}} for one in ("kept", "lost")]
            return told({"receivedMessages": found})
        detail = {"metadata": {"lost": "PERMANENT_FAILURE_INVALID_ACK_ID"}}
        return error_of(400, "INVALID_ARGUMENT", details=[detail])

    queue = opened(PubSubQueue, stand_in(answer))

    assert [delivery.message.id for delivery in take(queue, soon)] == ["kept"]


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ({}, "in no topic"),
        ({"dead_letter_policy": {"dead_letter_topic": "other", "max_delivery_attempts": 5}}, "in tuppence-"),
        ({"enable_message_ordering": True, "dead_letter_policy": "right"}, "ordered = true"),
    ],
)
def test_check_says_what_is_not_as_deployment_makes_it(opened, pubsub_url, project, soon, made, words):
    with queues_at(pubsub_url, f"{project}-other") as (publisher, subscriber):
        other = f"projects/{PROJECT}/topics/tuppence-{project}-other"
        topic = publisher.create_topic(request={"name": f"projects/{PROJECT}/topics/tuppence-{project}"})
        policy = made.get("dead_letter_policy")
        if policy == "right":
            publisher.create_topic(request={"name": f"{topic.name}-dead"})
            made = {
                **made,
                "dead_letter_policy": {"dead_letter_topic": f"{topic.name}-dead", "max_delivery_attempts": 5},
            }
        elif policy:
            made = {**made, "dead_letter_policy": {**policy, "dead_letter_topic": other}}
        name = f"projects/{PROJECT}/subscriptions/tuppence-{project}"
        subscriber.create_subscription(request={"name": name, "topic": topic.name, **made})

        with refused(ErrorCode.INVALID) as caught:
            opened(PubSubQueue, pubsub_url).check()

    assert words in str(caught.value)
    assert "`tuppence deploy` mends it" in str(caught.value)


def test_the_queue_for_what_came_too_often_has_none_of_its_own(queue):
    aside = queue.dead_letters()

    assert aside.dead_letters() is None
    aside.check()
    aside.close()


def test_the_emulator_that_the_environment_names_is_asked(opened, clients, pubsub_url, monkeypatch, soon):
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub_url.removeprefix("http://"))

    assert not opened(PubSubQueue, "").send([Message(id="a", body=b"x")], deadline=soon())


def test_a_backlog_that_nobody_has_written_down_is_none(opened, stand_in, soon):
    def answer(request):
        return told({} if request.path.startswith("/v3/") else {"topic": "t"})

    assert opened(PubSubQueue, stand_in(answer)).depth(deadline=soon()) == (0, None)


def test_googles_client_sees_the_lease_end(queue, clients, soon):
    queue.send([Message(id="a", body=b"x")], deadline=soon())
    taken = take(queue, soon)

    queue.nack(taken, deadline=soon())

    with clients_at(queue.options.endpoint) as (_, subscriber):
        asked = {"subscription": f"projects/{PROJECT}/subscriptions/{queue.name}", "max_messages": 1}
        (again,) = subscriber.pull(request=asked, retry=None).received_messages
    assert again.message.attributes["id"] == "a"


@pytest.mark.parametrize(
    ("pushed", "codes"),
    [({"pushEndpoint": "https://x"}, []), ({}, [ErrorCode.CONFLICT])],
    ids=["push", "pull"],
)
def test_a_queue_whose_messages_are_pushed_to_a_function_has_none_to_pull(
    opened, stand_in, soon, pushed, codes
):
    def answer(request):
        if request.path.endswith(":pull"):
            return error_of(400, "FAILED_PRECONDITION")
        return told({"topic": "projects/proj/topics/x", "pushConfig": pushed})

    queue = opened(PubSubQueue, stand_in(answer))

    if codes:
        with refused(*codes):
            take(queue, soon)
    else:
        assert take(queue, soon) == []
