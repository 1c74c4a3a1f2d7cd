"""What the numbers of an hour say of its events."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.world import NINE, World, at, captured, outside, question
from tuppence.errors import BadBatch
from tuppence.event import EARLIEST_MS, LATEST_MS, Event
from tuppence.pipeline.names import NAMES, OTHER
from tuppence.pipeline.records import pack_rollup, pack_texts
from tuppence.pipeline.sketch import Histogram
from tuppence.pipeline.tally import Tally
from tuppence.pipeline.visitors import Hashes


def event(kind, seq, minutes=0.0, *, user=None, session=None, source=None, **data):
    return Event(time=at(minutes), type=kind, seq=seq, user=user, session=session, source=source, data=data)


def cell(world):
    """Return all that was counted on the day."""
    return world.day().whole


def histogram(*values):
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    return histogram


def test_questions_are_counted_by_outcome_and_cause(world):
    world.take_in(
        captured(
            question(1),
            question(2, outcome="answered", cause="cached"),
            question(3, outcome="no_match", cause="empty index"),
            question(4, outcome="no_match"),
            question(5, outcome="exploded"),
            question(6, outcome=""),
        )
    )

    assert cell(world).questions == 6
    assert cell(world).outcomes == {"answered": 2, "no_match": 2, "error": 2}
    assert cell(world).causes == {"no_match/empty index": 1}


def test_people_sessions_types_and_channels_are_counted(world):
    world.take_in(
        captured(
            event("question", 1, user="ann", session="s1", source="web"),
            event("question", 2, user="ann", session="s2", source="web"),
            event("signup", 3, user="bob", session="s2", source="mail"),
        )
    )

    numbers = cell(world)
    assert (numbers.events, numbers.types) == (3, {"question": 2, "signup": 1})
    assert (numbers.people.count(), numbers.sessions.count()) == (2, 2)
    assert numbers.sources == {"web": 2}


def test_no_rollup_names_a_person(world):
    world.take_in(captured(event("question", 1, user="ann-of-green-gables", session="session-of-ann")))

    assert all(b"ann" not in body for body in world.results().values())


def test_the_same_person_has_the_same_hash_on_every_day(world):
    world.take_in(captured(question(1, user="ann")), captured(question(2, -24 * 60, user="ann")))

    first, second = (rollup.whole.people for rollup in world.days().rollups.values())
    assert first == second
    assert first.count() == 1


def test_another_project_hashes_the_same_person_differently(world, tmp_path):
    (tmp_path / "other").mkdir()
    other = World(tmp_path / "other")
    for one in (world, other):
        one.take_in(captured(question(1, user="ann")))

    assert cell(world).people != cell(other).people
    other.close()


def test_latency_and_tokens_are_summed_by_model(world):
    world.take_in(
        captured(
            question(1, latency_ms=100, model="a", input_tokens=5, output_tokens=7),
            question(2, latency_ms=412.6, model="a", input_tokens=5),
            question(3, latency_ms=100, model="b", output_tokens=1),
            question(4, input_tokens=99),
        )
    )

    numbers = cell(world)
    assert numbers.latency == histogram(100, 413, 100)
    uses = {
        name: (use.questions, use.input_tokens, use.output_tokens) for name, use in numbers.models.items()
    }
    assert uses == {"a": (2, 10, 7), "b": (1, 0, 1), "": (1, 99, 0)}


def test_requests_are_counted_by_route(world):
    world.take_in(
        captured(
            event("request", 1, method="GET", route="/items/{id}", status=200, latency_ms=3),
            event("request", 2, method="GET", route="/items/{id}", status=503, latency_ms=30),
            event("request", 3, method="POST", route="/items", status=404),
            event("request", 4, status=500),
        )
    )

    routes = cell(world).routes
    assert {name: (use.requests, use.errors, use.client_errors) for name, use in routes.items()} == {
        "GET /items/{id}": (2, 1, 0),
        "POST /items": (1, 0, 1),
        "? (no route)": (1, 1, 0),
    }
    assert routes["GET /items/{id}"].latency == histogram(3, 30)


def test_scores_are_counted_in_hundredths(world):
    scores = (0.834, 0.83, 0, 1, 1.01, -0.1, "0.5", None)
    world.take_in(captured(*(question(seq, score=score) for seq, score in enumerate(scores, start=1))))

    assert cell(world).scores == {83: 2, 0: 1, 100: 1}


def test_sources_are_counted_with_how_their_questions_ended_and_what_people_said(world):
    world.take_in(
        captured(
            question(1, sources=["faq#7", "faq#7", "faq#8"], outcome="answered", useful=True),
            question(2, sources=["faq#7"], outcome="no_match"),
            question(3, sources="faq#8", outcome="answered"),
            question(4, sources=[3, "", None], outcome="answered"),
            event("feedback", 5, question="i1-3", useful=False),
        )
    )

    citations = {
        name: (use.questions, use.answered, use.useful_yes, use.useful_no)
        for name, use in cell(world).citations.items()
    }
    assert citations == {"faq#7": (2, 1, 1, 0), "faq#8": (2, 2, 1, 1)}


def test_rare_sources_beyond_the_limit_are_counted_together(world):
    world.take_in(
        captured(*(question(seq, sources=[f"s{seq}", "all"], useful=True) for seq in range(1, NAMES + 11)))
    )

    citations = cell(world).citations
    assert len(citations) == NAMES + 1
    assert citations["all"].questions == NAMES + 10
    assert (citations[OTHER].questions, citations[OTHER].useful_yes) == (11, 11)


@pytest.mark.parametrize(
    "strange", [True, "fast", -1, 2**62, float("nan"), float("inf"), [1], {"a": 1}, None, "\U0001f600" * 5]
)
def test_values_of_the_wrong_kind_are_left_out_and_the_event_still_counts(world, strange):
    names = (
        *("outcome", "cause", "model", "latency_ms", "input_tokens", "output_tokens", "useful", "text"),
        *("score", "sources"),
    )
    fields = dict.fromkeys(names, strange)
    request = dict.fromkeys(("method", "route", "status", "latency_ms"), strange)
    world.take_in(
        captured(
            event("question", 1, **fields),
            event("request", 2, **request),
            event("feedback", 3, question=strange, useful=strange),
            question(4, latency_ms=10, model="a", input_tokens=1),
        )
    )

    numbers = cell(world)
    assert (numbers.events, numbers.questions) == (4, 2)
    assert numbers.latency == histogram(10)
    assert sum(use.input_tokens for use in numbers.models.values()) == 1


def test_rare_names_beyond_the_limit_are_counted_together(world):
    common = [event("common", seq) for seq in range(1, 4)]
    rare = [event(f"rare{seq:03d}", seq) for seq in range(4, NAMES + 10)]

    world.take_in(captured(*common, *rare))

    types = cell(world).types
    assert types["common"] == 3
    assert len(types) == NAMES + 1
    assert types[OTHER] == len(rare) - (NAMES - 1)
    assert "rare004" in types


def test_a_name_of_any_length_is_cut(world):
    world.take_in(captured(question(1, model="m" * 4_000)))

    [name] = cell(world).models
    assert len(name) == 200


def test_copies_of_captured_events_in_other_batches_are_counted_once(world):
    first, second, third = question(1), question(2), question(3)

    world.take_in(captured(first, second), captured(second, third), captured(third, first))

    assert cell(world).events == 3
    assert world.day().duplicates == 3
    assert world.day().instances["i1"].received == [[1, 3]]


def test_events_of_two_instances_are_not_copies_of_each_other(world):
    world.take_in(captured(question(1), instance="a"), captured(question(1), instance="b"))

    assert (cell(world).events, world.day().duplicates) == (2, 0)


def test_events_from_outside_are_the_same_by_id_and_time(world):
    one = question(name="a")
    later = question(name="a", minutes=1)

    world.take_in(outside(one), outside(one, question(name="b"), one), outside(later))

    day = world.day()
    assert (cell(world).events, day.duplicates) == (3, 2)
    assert (day.identified, day.ids.count(), day.conflicting) == (3, 2, 1)


def test_an_id_at_another_hour_is_conflicting_by_the_ids_of_the_day(world):
    world.take_in(outside(question(name="a")), outside(question(name="a", minutes=60)))

    day = world.day()
    assert (day.identified, day.ids.count()) == (2, 1)


def test_what_an_instance_says_of_itself_is_kept(world):
    world.take_in(
        captured(question(1), hello=True),
        captured(question(5), captured=9, dropped=3, refused=2, ignored=4, goodbye=True),
    )

    seen = world.day().instances["i1"]
    assert seen.received == [[1, 1], [5, 5]]
    assert (seen.captured, seen.dropped, seen.refused, seen.ignored) == (9, 3, 2, 4)
    assert (seen.hello, seen.goodbye) == (True, True)


@pytest.mark.parametrize(
    ("zone", "cells"),
    [
        ("UTC", {"2026-11-16T18": 60}),
        ("Europe/Berlin", {"2026-11-16T19": 60}),
        ("Asia/Kolkata", {"2026-11-16T23": 30, "2026-11-17T00": 30}),
        ("Asia/Kathmandu", {"2026-11-16T23": 15, "2026-11-17T00": 45}),
        ("America/St_Johns", {"2026-11-16T14": 30, "2026-11-16T15": 30}),
    ],
)
def test_an_hour_is_cut_by_the_owners_clock(tmp_path, zone, cells):
    world = World(tmp_path, zone=zone)
    evening = datetime(2026, 11, 16, 18, tzinfo=UTC)
    world.take_in(captured(*(question(minute + 1, minute, start=evening) for minute in range(60))))

    found = {name: cell for rollup in world.days().rollups.values() for name, cell in rollup.cells.items()}

    assert {name: cell.events for name, cell in found.items()} == cells
    world.close()


def test_texts_of_an_hour_cut_by_midnight_belong_to_their_days(tmp_path):
    world = World(tmp_path, zone="Asia/Kolkata")
    evening = datetime(2026, 11, 16, 18, tzinfo=UTC)
    world.take_in(
        captured(
            question(1, 29, start=evening, text="before midnight"),
            question(2, 31, start=evening, text="after midnight"),
        )
    )

    days = world.days().rollups
    assert [sum(cell.events for cell in rollup.cells.values()) for rollup in days.values()] == [1, 1]
    assert set(world.texts().texts) == {"before midnight", "after midnight"}
    world.close()


def test_the_hour_that_the_clock_repeats_is_one_cell_of_a_longer_day(tmp_path):
    world = World(tmp_path)
    world.clock.advance(datetime(2026, 10, 25, 12, tzinfo=UTC) - world.clock.now())
    midnight = datetime(2026, 10, 24, 23, tzinfo=UTC)
    for hour in range(26):
        world.send(captured(question(hour + 1, start=midnight + timedelta(hours=hour))))
    world.drain()
    world.seal()

    rollup = world.read_day(datetime(2026, 10, 25, tzinfo=UTC).date())

    assert len(rollup.parts) == 25
    assert rollup.cells["2026-10-25T01"].events == 2
    assert sum(cell.events for cell in rollup.cells.values()) == 25
    world.close()


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/Los_Angeles"])
@pytest.mark.parametrize("time", [EARLIEST_MS, LATEST_MS])
def test_the_first_and_the_last_moment_are_counted_in_every_zone(tmp_path, zone, time):
    world = World(tmp_path, zone=zone)
    world.take_in(captured(Event(time=time, type="question", seq=1)))

    assert world.markers() == []
    assert world.letters() == []
    world.close()


values = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text() | st.binary()
values |= st.lists(values, max_size=2) | st.dictionaries(st.text(), values, max_size=2)
keys = st.sampled_from(
    [
        "text",
        "outcome",
        "cause",
        "model",
        "latency_ms",
        "input_tokens",
        "useful",
        "question",
        "score",
        "sources",
        "status",
        "route",
    ]
)
lines = st.text() | st.none()
anything = st.builds(
    Event,
    time=st.integers(at(0), at(60) - 1),
    type=st.sampled_from(["question", "feedback", "request"]) | st.text(),
    seq=st.integers(1, 9),
    id=lines,
    source=lines,
    user=lines,
    session=lines,
    data=st.dictionaries(keys, values, max_size=5),
)


@given(st.lists(st.tuples(st.lists(anything, min_size=1, max_size=5), st.booleans()), max_size=4))
def test_no_event_whatever_is_in_it_stops_a_seal(batches):
    tally = Tally("2026111609", ZoneInfo("Asia/Kolkata"), Hashes(b"k" * 32))
    count = 0
    for number, (events, is_captured) in enumerate(batches):
        with suppress(BadBatch):
            tally.add(f"{number}", captured(*events) if is_captured else outside(*events))
            count += len(events)

    rollup, texts = tally.finish()

    assert sum(cell.events for cell in rollup.cells.values()) + rollup.duplicates == count
    assert pack_rollup(rollup)
    assert pack_texts(texts)


def test_late_events_are_counted_beside_the_rollup_and_not_in_it(world):
    world.clock.advance(NINE + timedelta(hours=2, minutes=1) - world.clock.now())
    world.take_in(captured(question(1), question(2)), captured(question(3, 90)))

    assert world.days().late == {NINE.date(): 2}
