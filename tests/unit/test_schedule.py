from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from tuppence.errors import ConfigError
from tuppence.schedule import check_cron, check_timezone, next_due

LONDON = ZoneInfo("Europe/London")


@pytest.mark.parametrize(
    "line",
    [
        "* * * * *",
        "*/15 * * * *",
        "0 7 * * MON",
        "0 7 * * mon-FRI",
        "0 7 * * 0",
        "0 7 * * 7",
        "0 7 * * 5-7",
        "0 0 1,15 * *",
        "0 0 29 2 *",
        "10-50/20 8-17 * JAN,jul *",
    ],
)
def test_what_every_provider_can_run_is_accepted(line):
    check_cron(line, "here")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "0 fields"),
        ("0 7 * * MON 2026", "6 fields"),
        ("@weekly", "1 fields"),
        ("0 7 L * *", "'L' is no day of the month"),
        ("0 7 ? * MON", r"'\?' is no day of the month"),
        ("0 7 15W * *", "'15W' is no day of the month"),
        ("0 7 * * MON#1", "'MON#1' is no weekday"),
        ("0 7 * * 5L", "'5L' is no weekday"),
        ("5/10 * * * *", "'5/10' is no minute"),
        ("*,5 * * * *", r"'\*,5' is no minute"),
        ("1-5/0 * * * *", "step of '1-5/0'"),
        ("3-3/2 * * * *", "begins where it ends; write 3"),
        ("*/60 * * * *", r"step of '\*/60' is not 1 to 59"),
        ("0 7 1 * MON", "cannot both be restricted"),
        ("0 7 */2 * 1-5", "cannot both be restricted"),
        ("60 7 * * *", "Bad minute"),
        ("0 24 * * *", "Bad hour"),
        ("0 7 0 * *", "Bad day-of-month"),
        ("0 7 * 13 *", "Bad month"),
        ("0 7 * * 8", "Bad day-of-week"),
        ("0 7 * * SON", "Bad day-of-week"),
        ("0 7 * * FRI-MON", "Bad day-of-week"),
        ("0 7 30 2 *", "Bad day-of-month"),
        ("0 7 * * \u0661", "is no weekday"),
    ],
)
def test_anything_else_is_refused_with_the_reason(line, words):
    with pytest.raises(ConfigError, match=words) as caught:
        check_cron(line, "report.schedule")

    assert str(caught.value).startswith("report.schedule: ")


@pytest.mark.parametrize(
    ("line", "after", "due"),
    [
        ("0 7 * * MON", "2026-11-16T06:59:59.9Z", "2026-11-16T07:00Z"),
        ("0 7 * * MON", "2026-11-16T07:00Z", "2026-11-23T07:00Z"),
        ("0 7 * * MON", "2026-06-01T05:00Z", "2026-06-01T06:00Z"),
        ("0 7 * * 7", "2026-11-16T07:00Z", "2026-11-22T07:00Z"),
        ("0 0 29 2 *", "2026-11-16T07:00Z", "2028-02-29T00:00Z"),
    ],
)
def test_a_line_is_due_on_the_owners_clock(line, after, due):
    assert next_due(line, LONDON, datetime.fromisoformat(after)) == datetime.fromisoformat(due)


def test_what_falls_into_the_skipped_hour_runs_right_after_it():
    assert _dues("30 1 * * *", "2026-03-28T12:00Z", 2) == ["2026-03-29T01:00", "2026-03-30T00:30"]


def test_what_falls_into_the_hour_that_comes_twice_runs_once():
    assert _dues("30 1 * * *", "2026-10-24T12:00Z", 2) == ["2026-10-25T00:30", "2026-10-26T01:30"]


def test_within_the_second_of_the_two_hours_the_next_day_is_due():
    assert _dues("45 1 * * *", "2026-10-25T01:30Z", 1) == ["2026-10-26T01:45"]


@pytest.mark.parametrize("day", ["2026-03-28T22:00Z", "2026-10-24T22:00Z"])
def test_a_quarter_hourly_line_runs_every_quarter_of_an_hour_through_the_change(day):
    dues = [datetime.fromisoformat(due) for due in _dues("*/15 * * * *", day, 30)]

    assert {(after - before).total_seconds() for before, after in pairwise(dues)} == {900.0}


def test_a_zone_off_by_three_quarters_of_an_hour_is_followed():
    due = next_due("0 7 * * *", ZoneInfo("Asia/Kathmandu"), datetime(2026, 11, 16, tzinfo=UTC))

    assert due == datetime(2026, 11, 16, 1, 15, tzinfo=UTC)


@pytest.mark.parametrize("name", ["", "Europe/Londn", "../../etc/passwd", "/etc/passwd", "Europe", "a\0b"])
def test_what_is_no_zone_is_refused(name):
    with pytest.raises(ConfigError, match=r"timezone: unknown time zone"):
        check_timezone(name, "timezone")


def _dues(line, after, count):
    at = datetime.fromisoformat(after)
    dues = []
    for _ in range(count):
        at = next_due(line, LONDON, at)
        dues.append(f"{at:%Y-%m-%dT%H:%M}")
    return dues
