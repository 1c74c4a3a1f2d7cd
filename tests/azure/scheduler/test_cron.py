"""Cron lines for timers that know UTC alone: what they look like, and that no moment is left out."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azure.ncrontab import first
from tuppence.schedule import next_due
from tuppence_azure.cron import to_ncrontab

AFTER = datetime(2026, 11, 16, 9, 30, tzinfo=UTC)
LONDON, KATHMANDU, AUCKLAND, LORD_HOWE = (
    "Europe/London",
    "Asia/Kathmandu",
    "Pacific/Auckland",
    "Australia/Lord_Howe",
)
WRITTEN = {
    ("* * * * *", "UTC"): "0 * * * * *",
    ("*/15 * * * *", LONDON): "0 0,15,30,45 * * * *",
    ("5 * * * *", "UTC"): "0 5 * * * *",
    ("5 * * * *", KATHMANDU): "0 20 * * * *",
    ("0 7 * * MON", "UTC"): "0 0 7 * * 1",
    ("0 7 * * MON", LONDON): "0 0 6-7 * * 1",
    ("0 7 * * MON", KATHMANDU): "0 15 1 * * 1",
    ("0 7 * * MON", AUCKLAND): "0 0 18-19 * * 0",
    ("30 0 * * *", LONDON): "0 30 0,23 * * *",
    ("30 0 1 * *", LONDON): "0 30 0,23 1,28-31 * *",
    ("0 7 * * MON", LORD_HOWE): "0 0,30 20 * * 0",
    ("0 12 1-7 JAN *", "Etc/GMT+12"): "0 0 0 2-8 1 *",
    ("0 23 31 DEC *", "Etc/GMT+12"): "0 0 11 1 1,12 *",
    ("0 0 * * 5-7", "UTC"): "0 0 0 * * 0,5-6",
}
ZONES = [
    "UTC",
    LONDON,
    "America/New_York",
    KATHMANDU,
    LORD_HOWE,
    "America/St_Johns",
    "Africa/Casablanca",
    AUCKLAND,
]
LINES = [
    "0 7 * * MON",
    "30 0 1 * *",
    "30 23 31 * *",
    "0 0 29 2 *",
    "*/45 */5 * * *",
    "59 23 31 12 *",
    "10 1 * MAR,OCT SUN",
]


@pytest.mark.parametrize(("given_", "expected"), WRITTEN.items(), ids=map(str, WRITTEN))
def test_a_line_fires_at_every_offset_that_its_zone_has(given_, expected):
    line, zone = given_

    assert to_ncrontab(line, ZoneInfo(zone), AFTER) == expected


@settings(deadline=None, max_examples=60)
@given(
    line=st.sampled_from(LINES),
    zone=st.sampled_from(ZONES),
    days=st.integers(0, 3_000),
)
def test_it_fires_within_the_hour_of_every_moment_at_which_the_line_is_due(line, zone, days):
    after = AFTER + timedelta(days=days)
    expression = to_ncrontab(line, ZoneInfo(zone), AFTER)

    due = next_due(line, ZoneInfo(zone), after)

    tick = first(expression, due - timedelta(minutes=1), 1)[0]
    # one that is left out is due when the clocks have been put forward
    made_up_for = tick - due <= timedelta(hours=1) and _just_moved(due.astimezone(ZoneInfo(zone)))
    assert tick == due or made_up_for


def _just_moved(moment):
    """Whether a zone's clock was put forward at this moment."""
    before = (moment.astimezone(UTC) - timedelta(minutes=1)).astimezone(moment.tzinfo)
    return before.utcoffset() < moment.utcoffset()
