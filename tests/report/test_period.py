from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuppence.errors import ConfigError
from tuppence.report.period import Week, next_send

ZONES = [
    "Pacific/Auckland",
    "America/St_Johns",
    "Asia/Kolkata",
    "Europe/London",
    "America/Havana",
    "Africa/Cairo",
    "Pacific/Chatham",
    "UTC",
]
LONDON = ZoneInfo("Europe/London")
NOW = datetime(2026, 11, 17, 9, tzinfo=UTC)

zones = st.sampled_from(ZONES).map(ZoneInfo)
moments = st.datetimes(datetime(1990, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds


@given(at=moments, zone=zones)
def test_every_moment_lies_in_its_own_week_and_in_neither_neighbour(at, zone):
    week = Week.of(at, zone)

    assert week.start <= at < week.end
    assert not week.previous.start <= at < week.previous.end
    assert not week.ago(-1).start <= at < week.ago(-1).end


@given(at=moments, zone=zones)
def test_weeks_follow_each_other_without_gap_or_overlap(at, zone):
    week = Week.of(at, zone)

    assert week.previous.end == week.start
    assert week.start.astimezone(zone).date() == week.monday
    assert len({*week.days, *week.previous.days}) == 14
    assert week.end - week.start in {timedelta(hours=hours) for hours in (167, 168, 169)}


@given(at=moments, zone=zones)
def test_a_label_reads_back_as_the_same_week(at, zone):
    week = Week.of(at, zone)

    assert Week.parse(week.label, zone, NOW) == week


def test_moments_around_each_change_of_the_clocks_fall_into_one_week():
    for name in ZONES:
        zone = ZoneInfo(name)
        at = datetime(2026, 1, 1, tzinfo=UTC)
        while at < datetime(2027, 2, 1, tzinfo=UTC):
            week = Week.of(at, zone)
            assert week.start <= at < week.end
            assert at.astimezone(zone).date() in week.days
            at += timedelta(minutes=50)


def test_the_year_end_belongs_to_the_week_of_its_thursday():
    week = Week.of(datetime(2027, 1, 2, 12, tzinfo=UTC), LONDON)

    assert week.label == "2026-W53"
    assert week.days == [date(2026, 12, 28) + timedelta(days=n) for n in range(7)]
    assert week.ago(-1).label == "2027-W01"


def test_last_is_the_newest_week_that_is_over_on_the_owners_clock():
    sunday_evening = datetime(2026, 11, 15, 12, 30, tzinfo=UTC)

    assert Week.parse("last", LONDON, sunday_evening).label == "2026-W45"
    assert Week.parse("last", ZoneInfo("Pacific/Auckland"), sunday_evening).label == "2026-W46"


@pytest.mark.parametrize(
    "text", ["", "2026-W54", "2026-W00", "2026W46", "46", "2025-W53", "2026-W46\n", "last week"]
)
def test_what_names_no_week_is_refused_with_an_example(text):
    with pytest.raises(ConfigError, match="write one as 2026-W46"):
        Week.parse(text, LONDON, NOW)


def test_the_next_send_names_the_week_that_will_be_over_by_then():
    at, week = next_send("0 7 * * MON", LONDON, NOW)

    assert at.isoformat() == "2026-11-23T07:00:00+00:00"
    assert week.label == "2026-W47"
