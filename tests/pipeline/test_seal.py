"""When periods are sealed, when they are closed, and what is left for later."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from pipeline.forged import sealed
from pipeline.world import NINE, PROJECT, World, captured, question
from tuppence.batch import peek
from tuppence.drivers import Key, Record
from tuppence.errors import TuppenceError
from tuppence.pipeline import layout, records
from tuppence.pipeline.replay import Replayed, replay
from tuppence.pipeline.seal import KEEP_HOURS, LATE


def events(world):
    return sum(cell.events for rollup in world.days().rollups.values() for cell in rollup.cells.values())


def again(world, letter_id=None):
    return replay(
        world.store,
        letter_id,
        project=PROJECT,
        zone=world.zone,
        retention=world.retention,
        clock=world.clock,
        deadline=world.deadline,
    )


def reasons(world):
    return [letter.attributes["reason"] for letter in world.letters()]


def unreadable():
    """Return a batch whose digest is right and whose columns are no columns."""
    body = captured(question(1))
    length = int.from_bytes(body[20:24], "little")
    return sealed(body[24 : 24 + length], b"no columns")


def store(world, body):
    """Store a batch as releases did that looked at no columns."""
    batch_id, header = peek(body)
    segment = Record(
        key=layout.segment(PROJECT, header.hour, batch_id),
        body=body,
        attributes={"received": world.clock.now().isoformat(), "kind": "batch"},
        expires_at=world.clock.now() + timedelta(days=30),
    )
    world.store.put_many(
        [segment, records.marker(layout.dirty_hour(PROJECT, header.hour))], deadline=world.deadline
    )


def test_an_hour_and_its_day_are_sealed_and_nothing_is_left(world):
    sealed = world.take_in(captured(question(1)))

    assert (sealed.hours, sealed.days, sealed.closed, sealed.left) == (1, 1, 0, 0)
    assert world.markers() == []


def test_sealing_again_without_anything_new_does_nothing(world):
    world.take_in(captured(question(1)))
    before = world.results()

    sealed = world.seal()

    assert (sealed.hours, sealed.days) == (0, 0)
    assert world.results() == before


def test_events_of_an_hour_that_was_sealed_are_added(world):
    world.take_in(captured(question(1)))

    world.take_in(captured(question(2)))

    assert events(world) == 2


def test_an_hour_is_left_until_it_has_settled(world):
    world.send(captured(question(1)), captured(question(2, -90)))
    world.drain()

    sealed = world.seal(settle=timedelta(minutes=10))

    assert (sealed.hours, sealed.left) == (1, 1)
    assert world.markers() == ["h.2026111609"]
    world.clock.advance(timedelta(minutes=40))
    assert world.seal(settle=timedelta(minutes=10)).hours == 1
    assert events(world) == 2


def test_what_there_is_no_time_for_is_left_for_another_run(world):
    for hour in range(6):
        world.send(captured(question(hour + 1, -60 * hour)))
    world.drain()
    world.faults.after = lambda operation: world.clock.advance(
        timedelta(seconds=199 if operation == "delete" else 0)
    )

    sealed = world.seal()

    assert sealed.left > 0
    world.faults.after = lambda _: None
    world.seal()
    assert events(world) == 6


def test_rollups_outlive_texts_and_texts_live_as_long_as_events(world):
    received = world.clock.now()
    world.take_in(captured(question(1)))
    sealed = world.clock.now()

    hour = world.store.get(layout.hour(PROJECT, "2026111609"), deadline=world.deadline)
    texts = world.store.get(layout.texts(PROJECT, "2026111609"), deadline=world.deadline)
    day = world.store.get(layout.day(PROJECT, NINE.date()), deadline=world.deadline)

    assert texts.expires_at == received + world.retention.events
    assert hour.expires_at == received + world.retention.events + KEEP_HOURS
    assert day.expires_at == sealed + world.retention.rollups


def test_texts_expire_with_the_first_of_their_events(world):
    received = world.clock.now()
    world.take_in(captured(question(1)))
    world.clock.advance(timedelta(days=1))
    world.take_in(captured(question(2)))

    texts = world.store.get(layout.texts(PROJECT, "2026111609"), deadline=world.deadline)

    assert texts.expires_at == received + world.retention.events


def test_a_segment_that_comes_when_the_others_have_expired_is_a_dead_letter(world):
    world.take_in(captured(question(1)))
    before = world.results()
    world.clock.advance(world.retention.events)

    sealed = world.take_in(captured(question(2), question(3)))

    assert sealed.closed == 1
    assert reasons(world) == ["period closed"]
    assert world.letters()[0].attributes["events"] == "2"
    assert {key: before[key] for key in world.results()} == world.results()
    assert events(world) == 1


def test_a_segment_that_comes_when_even_its_hour_has_expired_is_a_dead_letter(world):
    world.take_in(captured(question(1)), captured(question(2, 60)))
    world.clock.advance(world.retention.events + KEEP_HOURS)

    sealed = world.take_in(captured(question(3)))

    assert sealed.closed == 1
    assert reasons(world) == ["period closed"]
    assert events(world) == 2


def test_a_new_hour_of_a_day_whose_other_hours_have_expired_is_a_dead_letter(world):
    world.take_in(captured(question(1)))
    world.clock.advance(world.retention.events + KEEP_HOURS)

    assert world.take_in(captured(question(2, 180))).closed == 1

    assert events(world) == 1


def test_an_old_day_that_was_never_sealed_is_counted(world):
    world.clock.advance(timedelta(days=400))

    sealed = world.take_in(captured(question(1)), captured(question(2, 180)))

    assert sealed.closed == 0
    assert events(world) == 2


def test_a_letter_of_a_closed_period_stays_while_the_period_is_closed(world):
    world.take_in(captured(question(1)))
    world.clock.advance(world.retention.events)
    world.take_in(captured(question(2)))

    assert again(world) == Replayed(replayed=0, kept=1)

    assert reasons(world) == ["period closed"]


def test_a_segment_whose_columns_cannot_be_read_is_counted_and_buried_and_the_hour_is_sealed(world):
    store(world, unreadable())
    world.take_in(captured(question(2)))

    assert world.day().unreadable == 1
    assert events(world) == 1
    assert reasons(world) == ["unreadable columns"]
    assert world.markers() == []


def test_a_letter_that_still_cannot_be_read_stays(world):
    store(world, unreadable())
    world.seal()
    world.send(b"nonsense")
    world.drain()

    assert again(world) == Replayed(replayed=0, kept=2)

    assert sorted(reasons(world)) == ["not an event", "unreadable columns"]


def test_a_letter_that_can_be_read_by_now_is_counted_once_however_often_it_is_replayed(world):
    body = captured(question(1))
    bury(world, body)
    bury(world, body, reason="newer format")

    assert again(world) == Replayed(replayed=2, kept=0)
    world.seal()
    bury(world, body)
    assert again(world, world.letters()[0].key.sort) == Replayed(replayed=1, kept=0)
    world.seal()

    assert world.letters() == []
    assert events(world) == 1


def bury(world, body, reason="bad batch"):
    """Write a letter as an older release might have."""
    attributes = {"reason": reason, "detail": "", "received": NINE.isoformat(), "events": "0"}
    key = layout.dead(PROJECT, f"letter-{len(world.letters())}")
    world.store.put(Record(key=key, body=body, attributes=attributes), deadline=world.deadline)


def test_a_letter_stays_when_its_segment_cannot_be_stored(world):
    bury(world, captured(question(1)))
    crash = RuntimeError("power cut")

    def fail(operation):
        if operation == "put":
            raise crash

    world.faults.before = fail
    with pytest.raises(Exception, match="unmapped RuntimeError"):
        again(world)
    world.faults.before = lambda _: None

    assert len(world.letters()) == 1


def test_an_unknown_letter_is_no_letter(world):
    assert again(world, "none") == Replayed(replayed=0, kept=0)


def test_one_rollup_that_cannot_be_read_holds_up_no_other_hour(world):
    world.take_in(captured(question(1)))
    spoil(world, layout.hour(PROJECT, "2026111609"), b"\xc1")
    world.send(captured(question(2)), captured(question(3, 60)))
    world.drain()

    with pytest.raises(TuppenceError, match=r"bot\.hours\.202611/2026111609 cannot be read"):
        world.seal()

    assert "h.2026111610" not in world.markers()
    assert "h.2026111609" in world.markers()


def spoil(world, key: Key, body):
    world.store.put(Record(key=key, body=body), deadline=world.deadline)


def test_a_rollup_of_a_newer_release_is_left_alone(world):
    import msgspec

    newer = msgspec.msgpack.encode({"version": 99, "zone": "UTC", "parts": []})
    spoil(world, layout.hour(PROJECT, "2026111609"), newer)
    world.send(captured(question(1)))
    world.drain()

    with pytest.raises(TuppenceError, match="newer tuppence"):
        world.seal()

    assert world.results()[layout.hour(PROJECT, "2026111609")] == newer


def test_a_day_is_whole_again_after_the_owner_has_moved(tmp_path):
    world = World(tmp_path, zone="UTC")
    world.take_in(captured(question(1, -9 * 60 - 30)), captured(question(2)))
    world.zone = ZoneInfo("America/New_York")

    world.take_in(captured(question(3, -9 * 60 - 20)), captured(question(4)))

    assert events(world) == 4
    world.close()


def test_events_are_late_from_an_hour_after_their_hour(world):
    world.clock.advance(NINE + timedelta(hours=1) + LATE - world.clock.now())
    world.take_in(captured(question(1)))
    assert world.days().late == {NINE.date(): 0}

    world.clock.advance(timedelta(seconds=1))
    world.take_in(captured(question(2)))
    assert world.days().late == {NINE.date(): 1}
