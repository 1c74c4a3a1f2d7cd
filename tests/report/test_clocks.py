"""A report on days that were counted by the clock of another time zone says so."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from pipeline.test_time_zone import LONDON, SEGMENTS_GONE, THREE_DAYS, living
from pipeline.world import NINE, PROJECT
from tuppence import report
from tuppence.config import load
from tuppence.pipeline import layout, records
from tuppence.report.period import Week

TOKYO, KOLKATA = "Asia/Tokyo", "Asia/Kolkata"


@pytest.fixture
def world(tmp_path):
    """Three days counted by London's clock: the last of one week, and the first two of the next."""
    world = living(tmp_path, LONDON, *THREE_DAYS)
    yield world
    world.close()


@pytest.fixture
def reported(world, tmp_path):
    """Return the report on the week of a moment, by the zone of the world."""

    def reported(at):
        zone = world.zone.key
        config = load(environ={}, folder=tmp_path, project=PROJECT, timezone=zone, provider="local")
        return report.build(world.store, config, Week.of(at, world.zone), world.clock)

    return reported


def change(world, zone):
    world.zone = ZoneInfo(zone)
    return world.seal()


def words(built):
    return " ".join(report.render_text(built).split())


def test_one_clock_needs_no_words(world, reported):
    built = reported(NINE)

    assert (built.period.counted_by, built.period.zone_change, built.health.recount_hours) == ([], None, 0)
    assert "clock of" not in words(built)


def test_what_could_be_counted_again_needs_none_either(world, reported):
    change(world, KOLKATA)

    built = reported(NINE)

    assert built.period.counted_by == []
    assert built.totals.events == 2 * 46 + 1  # from 18:30 on the Sunday


def test_what_could_not_be_counted_again_names_its_clock(world, reported):
    world.clock.advance(SEGMENTS_GONE)
    change(world, KOLKATA)

    built = reported(NINE)

    assert built.period.counted_by == [LONDON]
    assert f"Counted in part by the clock of {LONDON}; the time zone is now {KOLKATA}." in words(built)
    assert f"clock of {LONDON}" in report.render_html(built)


def test_a_zone_that_nothing_has_been_sealed_by_yet_is_not_taken_for_the_one_counted_by(world, reported):
    world.zone = ZoneInfo(TOKYO)

    assert reported(NINE).period.counted_by == [LONDON]


def test_a_week_beside_days_of_another_clock_names_it_as_well(world, reported):
    world.clock.advance(SEGMENTS_GONE)
    change(world, KOLKATA)
    sunday, tuesday = NINE - timedelta(days=1), NINE + timedelta(days=1)

    for at in (sunday - timedelta(days=7), tuesday + timedelta(days=14)):
        assert reported(at).period.counted_by == []
    assert reported(sunday).period.counted_by == [LONDON]


def test_while_hours_wait_to_be_counted_again_the_report_says_so(world, reported):
    marker = records.marker(layout.other_zone(PROJECT, "2026111609"))
    world.store.put(marker, deadline=world.deadline)

    built = reported(NINE)

    assert built.health.recount_hours == 1
    assert "Being counted again in another time zone: 1 hour." in words(built)


def test_for_two_weeks_the_report_tells_of_the_change(world, reported):
    change(world, TOKYO)
    world.clock.advance(timedelta(days=14))

    this, before, later = (reported(NINE + timedelta(days=days)) for days in (0, -7, 7))

    assert this.period.zone_change.before == before.period.zone_change.before == LONDON
    assert this.period.zone_change.at == "2026-11-16T18:30+09:00"
    assert "The time zone was changed from Europe/London to Asia/Tokyo on Mon 16 November" in words(this)
    assert later.period.zone_change is None
