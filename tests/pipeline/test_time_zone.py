"""What becomes of hours and days when their owner sets another time zone."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from pipeline.test_golden import bodies
from pipeline.world import NINE, PROJECT, World, captured, fresh_world, question
from tuppence.pipeline import layout, records
from tuppence.pipeline.day_zone import SEEN_FOR, read_day_zone
from tuppence.pipeline.reader import read_texts, recount_hours

LONDON, KOLKATA, COLOMBO, TOKYO = "Europe/London", "Asia/Kolkata", "Asia/Colombo", "Asia/Tokyo"
KATHMANDU, KIRITIMATI, HONOLULU = "Asia/Kathmandu", "Pacific/Kiritimati", "Pacific/Honolulu"
THREE_DAYS = [
    captured(question(hour + 33, 60 * hour + 20, user=f"u{hour % 5}"), question(hour + 133, 60 * hour + 50))
    for hour in range(-32, 32)
]
EVENTS = 2 * len(THREE_DAYS)
SEGMENTS_GONE = timedelta(days=31)


def living(folder, zone, *batches):
    world = World(folder, zone=zone)
    world.know_visitors_by()
    world.take_in(*batches)
    return world


def counted_from_the_start(zone, *batches):
    """Return what a world holds whose owner's time zone has always been this one."""
    with fresh_world(zone=zone) as world:
        world.know_visitors_by()
        world.take_in(*batches)
        return filled(world)


def filled(world):
    """Return the bodies of all rollups and texts but days on which nothing happened."""
    return {
        key: body
        for key, body in world.results().items()
        if not key.partition.startswith(f"{PROJECT}.days")
        or records.read_rollup(world.store.get(key, deadline=world.deadline)).parts
    }


def days(results):
    return {key: body for key, body in results.items() if key.partition.startswith(f"{PROJECT}.days")}


def events(world):
    return sum(rollup.whole.events for rollup in world.days().rollups.values())


def zones(world):
    """Return the zones by which the hours are counted."""
    found = world.store.query(f"{PROJECT}.hours.202611", deadline=world.deadline)
    return {record.key.sort: records.read_rollup(record).zone for record in found}


@pytest.fixture
def counted(tmp_path):
    """Return a world in which these batches were counted by a time zone."""
    worlds = []

    def counted(zone, *batches):
        worlds.append(living(tmp_path, zone, *batches))
        return worlds[-1]

    yield counted
    for world in worlds:
        world.close()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (LONDON, TOKYO),
        (LONDON, KIRITIMATI),
        (TOKYO, HONOLULU),
        (LONDON, KOLKATA),
        (KOLKATA, LONDON),
        (KOLKATA, COLOMBO),
        (KOLKATA, KATHMANDU),
    ],
)
@pytest.mark.parametrize("batches", [THREE_DAYS, bodies()], ids=["three days", "all kinds of events"])
def test_while_all_segments_are_there_it_is_as_if_the_zone_had_always_been_the_new_one(
    counted, old, new, batches
):
    world = counted(old, *batches)
    world.zone = ZoneInfo(new)

    world.seal()

    assert filled(world) == counted_from_the_start(new, *batches)
    assert world.markers() == []


def test_where_both_clocks_change_on_the_hour_no_segment_is_needed(counted):
    world = counted(LONDON, *THREE_DAYS)
    world.clock.advance(SEGMENTS_GONE)
    world.zone = ZoneInfo(TOKYO)

    world.seal()

    assert set(zones(world).values()) == {TOKYO}
    assert days(filled(world)) == days(counted_from_the_start(TOKYO, *THREE_DAYS))


def test_an_hour_that_cannot_be_cut_anew_stays_and_its_days_name_its_clock(counted):
    world = counted(LONDON, *THREE_DAYS)
    world.clock.advance(SEGMENTS_GONE)
    world.zone = ZoneInfo(KOLKATA)
    before = days(world.results())

    world.seal()

    assert set(zones(world).values()) == {LONDON}
    assert days(world.results()) == before
    assert {rollup.zone for rollup in world.days().rollups.values()} == {LONDON}
    assert world.markers() == []


def test_where_some_segments_are_left_every_event_is_still_counted_once(counted):
    world = counted(LONDON, *THREE_DAYS[:30])
    world.clock.advance(timedelta(days=15))
    world.take_in(*THREE_DAYS[30:])
    world.clock.advance(timedelta(days=16))
    world.zone = ZoneInfo(KOLKATA)

    world.seal()

    assert sorted(zones(world).values()) == [KOLKATA] * 34 + [LONDON] * 30
    assert events(world) == EVENTS
    mixed = [rollup for rollup in world.days().rollups.values() if rollup.other_zones]
    assert [(rollup.zone, rollup.other_zones) for rollup in mixed] == [(KOLKATA, [LONDON])]


def test_a_day_that_is_closed_keeps_all_its_hours(counted):
    world = counted(LONDON, *THREE_DAYS)
    gone = next(hour for hour in zones(world) if hour.startswith("20261116"))
    world.store.delete(layout.hour(PROJECT, gone), deadline=world.deadline)
    world.zone = ZoneInfo(TOKYO)

    world.seal()

    kept = {hour for hour, zone in zones(world).items() if zone == LONDON}
    assert {hour for hour in zones(world) if hour.startswith("20261116")} <= kept
    assert events(world) == EVENTS


def test_an_hour_that_came_after_the_change_is_counted_by_the_new_clock_at_once(counted):
    world = counted(LONDON, THREE_DAYS[40])
    world.zone = ZoneInfo(TOKYO)

    world.take_in(THREE_DAYS[41])

    assert set(zones(world).values()) == {TOKYO}
    assert events(world) == 4


def test_what_was_asked_moves_with_its_day(counted):
    late = captured(question(1, 8 * 60, text="Is it tomorrow there?"))  # 17:00 in London, 02:00 in Tokyo
    world = counted(LONDON, late)
    world.zone = ZoneInfo(TOKYO)

    world.seal()

    tomorrow = NINE.date() + timedelta(days=1)
    asked = read_texts(world.store, PROJECT, [world.zone], tomorrow, tomorrow, deadline=world.deadline)
    assert [text.text for text in asked.texts.values()] == ["Is it tomorrow there?"]


def test_what_there_is_no_time_for_is_counted_again_by_another_run(counted):
    world = counted(LONDON, *THREE_DAYS)
    world.zone = ZoneInfo(KOLKATA)
    world.faults.after = lambda operation: world.clock.advance(
        timedelta(seconds=20 if operation == "delete" else 0)
    )

    sealed = world.seal()

    assert 0 < sealed.recounted < len(THREE_DAYS)
    assert sealed.left == len(recount_hours(world.store, PROJECT, deadline=world.deadline)) > 0
    assert events(world) == EVENTS
    for _ in range(20):
        world.seal()
    assert filled(world) == counted_from_the_start(KOLKATA, *THREE_DAYS)


def test_a_search_that_takes_too_long_goes_on_where_it_stopped(counted):
    world = counted(LONDON, *THREE_DAYS)
    world.zone = ZoneInfo(TOKYO)
    hours = f"{PROJECT}.hours"
    query = world.drivers[1].query
    slow = []

    def slowly(partition, **options):
        if partition.startswith(hours) and not slow:
            slow.append(partition)
            world.clock.advance(timedelta(seconds=301))
        return query(partition, **options)

    world.drivers[1].query = slowly

    sealed = world.seal()

    assert sealed.left == 1
    assert read_day_zone(world.store, PROJECT, deadline=world.deadline).scan_from
    world.seal()
    assert filled(world) == counted_from_the_start(TOKYO, *THREE_DAYS)


@pytest.mark.slow
@pytest.mark.parametrize("new", [TOKYO, KOLKATA])
def test_a_run_that_is_killed_anywhere_is_made_up_for(new):
    batches = THREE_DAYS[36:42]  # 13:00 to 19:00: Tokyo's midnight lies at 15:00, Kolkata's at 18:30
    expected = counted_from_the_start(new, *batches)
    for crash in range(1, 2 * calls_of_a_change(new, *batches), 3):
        with fresh_world(zone=LONDON) as world:
            world.know_visitors_by()
            world.take_in(*batches)
            world.zone = ZoneInfo(new)
            world.attempt("seal", crash)

            world.seal()

            assert filled(world) == expected, crash


def calls_of_a_change(new, *batches):
    """Return how many calls of the store it takes to count these again."""
    with fresh_world(zone=LONDON) as world:
        world.take_in(*batches)
        world.zone = ZoneInfo(new)
        before = world.faults.calls
        world.seal()
        return (world.faults.calls - before) // 2


def test_an_hour_that_a_run_from_before_the_change_has_sealed_by_the_old_clock_is_found(counted):
    world = counted(LONDON, THREE_DAYS[40])
    old = world.zone
    world.zone = ZoneInfo(TOKYO)
    world.seal()
    late_sealer(world, old, THREE_DAYS[41])

    world.clock.advance(SEEN_FOR)
    world.seal()

    assert set(zones(world).values()) == {TOKYO}
    assert filled(world) == counted_from_the_start(TOKYO, *THREE_DAYS[40:42])


def late_sealer(world, zone, body):
    """Seal by a zone that was in force when the run began, and is no longer."""
    key = layout.state(PROJECT, layout.DAY_ZONE)
    now = world.store.get(key, deadline=world.deadline)
    world.store.delete(key, deadline=world.deadline)
    new, world.zone = world.zone, zone
    world.take_in(body)
    world.zone = new
    world.store.put(now, deadline=world.deadline)


def test_a_worker_that_has_not_been_told_seals_by_the_new_clock(counted):
    world = counted(LONDON, THREE_DAYS[40])
    world.zone = ZoneInfo(TOKYO)
    world.seal()

    world.zone = ZoneInfo(LONDON)
    world.take_in(THREE_DAYS[41])

    assert set(zones(world).values()) == {TOKYO}


def test_a_store_of_an_earlier_release_is_searched_once(counted):
    world = counted(LONDON, *THREE_DAYS)
    world.store.delete(layout.state(PROJECT, layout.DAY_ZONE), deadline=world.deadline)
    world.zone = ZoneInfo(TOKYO)

    world.seal()

    assert filled(world) == counted_from_the_start(TOKYO, *THREE_DAYS)
    known = read_day_zone(world.store, PROJECT, deadline=world.deadline)
    assert (known.zone, known.previous, known.scan_from) == (TOKYO, [LONDON], None)
