"""From the queue to the store."""

import gzip
import json
from datetime import timedelta

import pytest

from pipeline.forged import forged, nested
from pipeline.world import NINE, PROJECT, captured, question, unavailable
from tuppence.batch import Header, pack, peek
from tuppence.drivers import Context, ItemError, Message
from tuppence.errors import DriverError, ErrorCode
from tuppence.local.database import FileOptions
from tuppence.local.queue import LocalQueue
from tuppence.pipeline import layout
from tuppence.pipeline.drain import LEASE

LINE = {"id": "e1", "type": "question", "time": "2026-11-16T09:00:00Z", "data": {"text": "Open today?"}}
ZIPPED = gzip.compress(json.dumps(LINE).encode(), mtime=0)
OTHERS = pack(Header(project="other", hour="2026111609", count=1), [question()]).body
BROKEN = {
    "nothing": (b"", "not an event"),
    "nonsense": (b"nonsense", "not an event"),
    "no id": (json.dumps({**LINE, "id": None}).encode(), "not an event"),
    "no time": (json.dumps({**LINE, "time": None}).encode(), "not an event"),
    "an outcome that is a list": (json.dumps({**LINE, "data": {"outcome": []}}).encode(), "not an event"),
    "a bomb": (gzip.compress(b" " * 100_000_000, mtime=0), "not an event"),
    "half a member": (ZIPPED[:-5], "not an event"),
    "two members": (ZIPPED + ZIPPED, "not an event"),
    "a changed byte": (captured(question(1))[:-1] + b"\0", "bad batch"),
    "no version": (b"tpb", "newer format"),
    "the next version": (b"tpb\x02" + bytes(60), "newer format"),
    "another's": (
        pack(Header(project="other", hour="2026111609", count=1), [question()]).body,
        "other project",
    ),
}

NUMBERED = {"instance": "i1", "captured": 9}
BEYOND = {
    "a text larger than an event": forged({"data": {"text": ["a" * 16_385]}}),
    "a large text in a list": forged({"data": {"sources": [["a" * 16_385]]}}),
    "a megabyte in few events": forged({"rest": [{"a": ["a" * 16_000] * 10}]}),
    "a long type": forged({"type": ["a" * 201]}),
    "a long id": forged({"id": ["a" * 201]}),
    "a long user": forged({"user": ["a" * 201]}),
    "a long session": forged({"session": ["a" * 201]}),
    "a long source": forged({"source": ["a" * 201]}),
    "a long key": forged({"data": {"a" * 201: [1]}}),
    "a long key in the rest": forged({"rest": [{"a" * 201: 1}]}),
    "many keys": forged({"rest": [{f"{n}": n for n in range(129)}]}),
    "a long list": forged({"data": {"sources": [list(range(65))]}}),
    "deep nesting": forged({"data": {"a": [nested(7)]}}),
    "bytes": forged({"data": {"text": [b"abc"]}}),
    "numbers in another order than the header's": forged({"seq": [2]}, **NUMBERED, first=1, last=2),
}
BEYOND_IN_HEADER = {
    "a number no process gets to": forged(**NUMBERED, first=2**40 + 1, last=2**40 + 1),
    "a count of captures no process gets to": forged(instance="i1", captured=2**40 + 1),
    "more dropped than captured": forged(**NUMBERED, dropped=10),
    "more set aside than captured": forged(**NUMBERED, set_aside=10),
    "a long instance": forged(instance="i" * 101),
    "an instance with an escape sequence": forged(instance="\x1b[2J"),
    "an hour that is none": forged(hour="2026111624"),
}


def segments(world, hour="2026111609"):
    return list(world.store.query(layout.segments(PROJECT, hour), deadline=world.deadline))


def waiting(world):
    return world.queue.depth(deadline=world.deadline)[0]


def test_a_batch_becomes_a_segment_and_its_hour_is_marked(world):
    body = captured(question(1), question(2))
    world.send(body)

    drained = world.drain()

    assert (drained.messages, drained.segments, drained.dead) == (1, 1, 0)
    [segment] = segments(world)
    assert segment.body == body
    assert segment.key.sort == peek(body)[0]
    assert world.markers() == ["h.2026111609"]
    assert waiting(world) == 0


def test_a_segment_lives_as_long_as_events_are_kept_from_its_receipt(world):
    world.clock.advance(timedelta(days=3))
    now = world.clock.now()
    world.send(captured(question(1)))

    world.drain()

    [segment] = segments(world)
    assert segment.expires_at == now + world.retention.events
    assert segment.attributes == {"received": now.isoformat(), "kind": "batch"}


def test_copies_of_a_message_are_one_segment(world):
    body = captured(question(1))
    world.send(body, body, body)

    drained = world.drain()

    assert (drained.messages, drained.segments) == (3, 1)
    assert len(segments(world)) == 1


@pytest.mark.parametrize("wrap", [bytes, gzip.compress])
def test_a_single_event_from_another_language_becomes_a_segment(world, wrap):
    world.send(wrap(json.dumps(LINE).encode()))

    world.drain()

    [segment] = segments(world)
    assert segment.attributes["kind"] == "event"
    assert peek(segment.body)[1].count == 1


def test_a_single_event_is_redacted_before_it_is_stored(world):
    line = LINE | {"user": "ann@example.com", "data": {"text": "Mail ann@example.com please"}}
    world.send(json.dumps(line).encode())

    world.drain()
    world.seal()

    [text] = world.texts().texts.values()
    assert text.text == "Mail [email] please"


@pytest.mark.parametrize(
    ("body", "reason"),
    BROKEN.values(),
    ids=BROKEN,
)
def test_what_cannot_be_read_becomes_a_dead_letter_with_its_reason(world, body, reason):
    now = world.clock.now()
    world.send(body)

    drained = world.drain()

    assert (drained.segments, drained.dead) == (0, 1)
    [letter] = world.letters()
    assert letter.body == body
    assert letter.attributes["reason"] == reason
    assert letter.expires_at == now + world.retention.events
    assert waiting(world) == 0
    assert world.markers() == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        *((body, "unreadable columns") for body in BEYOND.values()),
        *((body, "bad batch") for body in BEYOND_IN_HEADER.values()),
    ],
    ids=[*BEYOND, *BEYOND_IN_HEADER],
)
def test_what_no_application_can_have_captured_becomes_a_dead_letter(world, body, reason):
    world.send(body, captured(question(1)))

    drained = world.drain()

    assert (drained.messages, drained.segments, drained.dead) == (2, 1, 1)
    [letter] = world.letters()
    assert letter.attributes["reason"] == reason
    assert letter.body == body


def test_all_that_an_application_may_capture_is_taken(world):
    deep = {"a": {"b": {"c": {"d": {"e": [1]}}}}, "list": ["x" * 200] * 64}
    data = {"text": "\U0001f600" * 4_000, "k" * 200: -(2**63), "n": 2**64 - 1, **deep}
    world.send(forged({"data": {key: [value] for key, value in data.items()}, "user": ["u" * 200]}))

    assert world.drain().segments == 1


def test_a_dead_letter_says_nothing_of_what_is_in_the_message(world):
    world.send(b'{"id": "e1", "type": "question", "data": "my secret is 1234"}')

    world.drain()

    [letter] = world.letters()
    assert "1234" not in str(letter.attributes)


def test_one_bad_message_holds_up_no_other(world):
    world.send(b"bad", captured(question(1)), b"worse", captured(question(2)))

    drained = world.drain()

    assert (drained.messages, drained.segments, drained.dead) == (4, 2, 2)


def test_messages_of_a_lane_are_all_drained_although_the_queue_holds_them_back(world):
    for seq in range(1, 101):
        world.send(captured(question(seq)))

    assert world.drain(max_messages=70).messages == 70
    assert world.drain().messages == 30


def test_what_could_not_be_stored_is_given_back_and_the_rest_acknowledged(world):
    good, bad = captured(question(1)), captured(question(2))
    put = world.drivers[1].put

    def refuse(records, /, **options):
        if any(record.body == bad for record in records):
            raise unavailable()
        return put(records, **options)

    world.store.driver._driver.put = refuse
    world.send(bad)
    with pytest.raises(DriverError):
        world.drain()
    world.drivers[1].put = put
    world.send(good)

    world.clock.advance(timedelta(hours=1))
    assert world.drain().messages == 2
    assert {segment.body for segment in segments(world)} == {good, bad}


def test_nothing_is_acknowledged_before_its_segment_and_marker_are_there(world):
    seen = []

    def look(operation):
        if operation == "ack":
            world.faults.before = lambda _: None
            seen.extend((len(segments(world)), world.markers()))

    world.faults.before = look
    world.send(captured(question(1)))

    world.drain()

    assert seen == [1, ["h.2026111609"]]


def test_what_is_stored_but_cannot_be_acknowledged_is_an_error_and_stored_once(world):
    refused = DriverError(ErrorCode.FORBIDDEN, operation="queue.ack", provider="local", message="not allowed")
    queue = world.queue.driver._driver
    queue.ack = lambda deliveries, **_: [ItemError(position, refused) for position in range(len(deliveries))]
    world.send(captured(question(1)))

    with pytest.raises(DriverError) as caught:
        world.drain()

    assert caught.value.code is ErrorCode.FORBIDDEN
    del queue.ack
    world.clock.advance(2 * LEASE)
    assert world.drain().messages == 1
    assert len(segments(world)) == 1


def test_a_lease_that_ran_out_while_storing_does_no_harm(world):
    def slow(operation):
        if operation == "put":
            world.clock.advance(2 * LEASE)

    world.send(captured(question(1)))
    world.faults.after = slow
    world.drain()
    world.faults.after = lambda _: None

    world.drain()

    assert len(segments(world)) == 1
    assert waiting(world) == 0


def test_what_the_service_set_aside_is_stored_like_the_rest(world, tmp_path):
    context = Context(project=PROJECT, meter=world.meter, clock=world.clock)
    aside = LocalQueue(FileOptions(str(tmp_path / "aside.db")), context)
    unlucky, unreadable = captured(question(1)), b"bad"
    aside.send(
        [Message(id=f"{n}", body=b) for n, b in enumerate((unlucky, unreadable))], deadline=world.deadline
    )
    world.drivers[0].dead_letters = lambda: aside
    world.send(captured(question(2)))

    drained = world.drain()

    assert (drained.messages, drained.segments, drained.dead) == (3, 2, 1)
    assert unlucky in {segment.body for segment in segments(world)}
    assert aside.depth(deadline=world.deadline)[0] == 0
    aside.close()


def test_what_was_set_aside_and_cannot_be_stored_stays_there(world, tmp_path):
    context = Context(project=PROJECT, meter=world.meter, clock=world.clock)
    aside = LocalQueue(FileOptions(str(tmp_path / "aside.db")), context)
    aside.send([Message(id="a", body=captured(question(1)))], deadline=world.deadline)
    world.drivers[0].dead_letters = lambda: aside
    world.store.driver._driver.put = lambda *_, **__: [ItemError(0, forbidden())]

    with pytest.raises(DriverError):
        world.drain()

    assert aside.depth(deadline=world.deadline)[0] == 1
    aside.close()


@pytest.mark.parametrize("code", ErrorCode)
def test_no_error_of_a_whole_call_on_the_store_takes_a_message_from_the_queue(world, code):
    world.send(captured(question(1)), captured(question(2)))

    def fail(operation):
        if operation == "put":
            raise unavailable(code=code)

    world.faults.before = fail
    with pytest.raises(DriverError) as caught:
        world.drain()

    assert caught.value.code is code
    assert waiting(world) == 2
    world.faults.before = lambda _: None
    world.clock.advance(LEASE * 2)
    assert world.drain().segments == 2


@pytest.mark.parametrize("code", ErrorCode)
def test_no_error_of_a_whole_acknowledgement_is_passed_over(world, code):
    world.send(captured(question(1)))

    def fail(operation):
        if operation == "ack":
            raise unavailable(code=code)

    world.faults.before = fail
    with pytest.raises(DriverError) as caught:
        world.drain()

    assert caught.value.code is code


def forbidden():
    return unavailable(code=ErrorCode.FORBIDDEN)


def test_an_empty_queue_costs_one_receive(world):
    calls = []
    world.faults.before = calls.append

    world.drain()

    assert calls == ["receive"]


def test_the_drain_stops_before_its_deadline(world):
    for seq in range(1, 201):
        world.send(captured(question(seq)))

    world.faults.after = lambda operation: world.clock.advance(
        timedelta(seconds=299 if operation == "ack" else 0)
    )
    drained = world.drain()

    assert 0 < drained.messages < 200
    assert waiting(world) == 200 - drained.messages


def test_the_hour_of_a_batch_is_the_events_not_the_receipt(world):
    world.send(captured(question(1, start=NINE - timedelta(days=5))))

    world.drain()

    assert world.markers() == ["h.2026111109"]
