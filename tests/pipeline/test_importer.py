"""Events from files."""

import json
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.world import PROJECT, fresh_world
from tuppence.batch import TARGET_BODY, to_events, unpack
from tuppence.pipeline.drain import LEASE
from tuppence.pipeline.importer import EVENTS, LISTED, Refusal, import_lines

ASKED = {"type": "question", "time": "2026-11-16T09:00:00Z", "data": {"text": "Open today?"}}


def bring_in(world, lines, **options):
    return import_lines(lines, world.queue, project=PROJECT, deadline=world.deadline, **options)


def ndjson(*events):
    return [json.dumps(event).encode() + b"\n" for event in events]


def messages(world):
    """Return what waits in the queue, by message id."""
    found = {}
    while more := world.queue.receive(max_messages=64, lease=LEASE, deadline=world.deadline):
        found |= {delivery.message.id: delivery.message.body for delivery in more}
        world.queue.ack(more, deadline=world.deadline)
    return found


def counted(world):
    world.drain()
    world.seal()
    return sum(cell.events for rollup in world.days().rollups.values() for cell in rollup.cells.values())


def test_lines_become_events(world):
    imported = bring_in(world, ndjson(ASKED | {"id": "a"}, ASKED | {"id": "b"}))

    assert (imported.lines, imported.sent, imported.refused) == (2, 2, 0)
    assert counted(world) == 2


def test_importing_twice_sends_the_same_batches(world):
    lines = ndjson(
        *(ASKED | {"time": f"2026-11-16T{hour:02d}:00:00Z"} for hour in range(24) for _ in range(3))
    )
    bring_in(world, lines)
    first = messages(world)
    bring_in(world, lines)
    second = messages(world)

    assert first == second
    assert len(first) == 24


def test_importing_twice_counts_once(world):
    lines = ndjson(ASKED, ASKED, ASKED | {"id": "a"}, ASKED | {"id": "a"})
    bring_in(world, lines)
    assert counted(world) == 3

    bring_in(world, lines)

    assert counted(world) == 3


def test_equal_lines_without_an_id_are_different_events(world):
    bring_in(world, ndjson(ASKED, ASKED, ASKED))

    assert counted(world) == 3


def test_lines_without_an_id_are_the_same_event_in_any_spelling(world):
    spaced = b'{ "data": {"text": "Open today?"},  "time": "2026-11-16T09:00:00Z", "type": "question" }'
    bring_in(world, ndjson(ASKED))
    bring_in(world, [spaced])

    assert counted(world) == 1


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"not json", "not valid JSON"),
        (b"[1]", "not a JSON object"),
        (b"\xff\xfe", "not valid JSON"),
        (b"{" * 10_000, "not valid JSON"),
        (b'{"type": "question"}', "no `time`"),
        (b'{"time": "2026-11-16T09:00:00Z"}', "no `type`"),
        (b'{"type": "question", "time": "2026-11-16T09:00:00"}', "no offset"),
        (b'{"type": "question", "time": "2026-11-16T09:00:00Z", "text": "?"}', "unknown key 'text'"),
        (b'{"type":"x","time":"2026-11-16T09:00:00Z","data":{"a":"' + b"a" * 40_000 + b'"}}', "larger than"),
        (b'{"type":"x","time":"2026-11-16T09:00:00Z","data":{"a":"\\ud800"}', "not valid JSON"),
    ],
    ids=range(10),
)
def test_a_line_that_cannot_be_an_event_is_refused_by_number_and_the_rest_goes_on(world, line, reason):
    imported = bring_in(world, [*ndjson(ASKED), b"\n", line, *ndjson(ASKED)])

    assert (imported.lines, imported.sent, imported.refused) == (3, 2, 1)
    [refusal] = imported.refusals
    assert refusal.line == 3
    assert reason in refusal.reason


def test_all_refusals_are_told_and_few_are_listed(world):
    told = []

    imported = bring_in(world, [b"bad"] * (LISTED + 7), on_refusal=told.append)

    assert imported.refused == len(told) == LISTED + 7
    assert len(imported.refusals) == LISTED
    assert told[-1] == Refusal(LISTED + 7, told[0].reason)


def test_a_byte_order_mark_is_no_part_of_the_first_line(world):
    assert bring_in(world, [b"\xef\xbb\xbf" + ndjson(ASKED)[0]]).sent == 1


def test_what_identifies_people_is_replaced_unless_that_is_switched_off(world):
    line = ndjson(ASKED | {"user": "ann@example.com", "data": {"text": "I am ann@example.com"}})

    bring_in(world, line)
    [redacted] = messages(world).values()
    bring_in(world, line, redacted=False)
    [plain] = messages(world).values()

    assert b"ann@" not in unpacked(redacted)
    assert b"ann@" in unpacked(plain)


def unpacked(body):
    return str(unpack(body)).encode()


def test_csv_columns_become_fields_and_data(world):
    lines = [
        b"id,type,time,user,text,data.channel,latency_ms,useful,empty\n",
        b'1,question,2026-11-16T09:00:00Z,u1,"Where,\n is it?",web,41.5,yes,\n',
        b"2,question,2026-11-16T09:01:00Z,u2,Open?,web,20,false,\n",
    ]

    assert bring_in(world, lines, format="csv").sent == 2

    [body] = messages(world).values()
    first, second = to_events(unpack(body)[1])
    assert (first.id, first.user) == ("1", "u1")
    assert first.data == {"text": "Where,\n is it?", "channel": "web", "latency_ms": 41.5, "useful": True}
    assert second.data == {"text": "Open?", "channel": "web", "latency_ms": 20, "useful": False}


def test_a_csv_column_whose_name_is_not_utf_8_is_still_a_column(world):
    lines = [b"type,time,caf\xe9\n", b"question,2026-11-16T09:00:00Z,latte\n"]

    assert bring_in(world, lines, format="csv").sent == 1


def test_a_big_hour_is_sent_in_several_messages_that_fit(world):
    events = (ASKED | {"id": f"{number}"} for number in range(2 * EVENTS + 5))

    bring_in(world, ndjson(*events))

    bodies = messages(world).values()
    assert len(bodies) == 3
    assert all(len(body) <= world.queue.limits.item_bytes for body in bodies)


def test_events_that_pack_badly_are_spread_over_more_messages(world):
    chance = random.Random(3)
    noise = (ASKED | {"data": {"text": f"{chance.getrandbits(12_000):x}"}} for _ in range(120))

    assert bring_in(world, ndjson(*noise)).sent == 120

    assert all(len(body) <= TARGET_BODY for body in messages(world).values())


def test_many_hours_at_once_are_held_within_bounds(world, monkeypatch):
    monkeypatch.setattr("tuppence.pipeline.importer.HELD", 50)
    read = []

    def lines():
        for number in range(500):
            read.append(number)
            yield ndjson(ASKED | {"id": f"{number}", "time": f"2026-11-{1 + number % 20:02d}T09:00:00Z"})[0]

    held = []
    send = world.drivers[0].send

    def watch(sent, /, **options):
        held.append(len(read) - sum(unpack(message.body)[0].count for message in sent) - sum(sent_before))
        sent_before.append(sum(unpack(message.body)[0].count for message in sent))
        return send(sent, **options)

    sent_before = []
    world.drivers[0].send = watch
    world.drivers[0].limits = replace(world.drivers[0].limits, batch_items=1)

    assert bring_in(world, lines()).sent == 500
    assert max(held) <= 51


@settings(deadline=None, max_examples=25)
@given(st.lists(st.binary(max_size=80) | st.sampled_from(ndjson(ASKED, ASKED | {"id": "a"})), max_size=12))
def test_no_line_whatever_is_in_it_stops_an_import(lines):
    with fresh_world() as world:
        for kind in ("ndjson", "csv"):
            imported = bring_in(world, lines, format=kind)
            assert imported.lines == imported.sent + imported.refused
