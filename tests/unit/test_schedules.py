from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tuppence.config import load
from tuppence.schedule import check_cron, next_due
from tuppence.schedules import every, register, schedules

MONDAY = datetime(2026, 11, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("minutes", "line"),
    [
        (1, "* * * * *"),
        (7, "*/6 * * * *"),
        (15, "*/15 * * * *"),
        (59, "*/30 * * * *"),
        (60, "0 * * * *"),
        (90, "0 * * * *"),
        (300, "0 */4 * * *"),
        (10_000, "0 0 * * *"),
    ],
)
def test_a_span_becomes_the_closest_cron_line_that_is_not_slower(minutes, line):
    assert every(timedelta(minutes=minutes)) == line


def test_every_span_becomes_a_line_that_each_provider_can_run():
    for minutes in range(1, 2_000, 13):
        check_cron(every(timedelta(minutes=minutes)), "every")


def test_the_mail_is_scheduled_in_the_owners_zone_and_only_if_someone_gets_it(tmp_path):
    silent = load(environ={}, folder=tmp_path)
    config = load(
        environ={},
        folder=tmp_path,
        timezone="Asia/Kathmandu",
        report={"to": ["me@example.com"], "schedule": "30 6 * * TUE"},
    )

    assert [one.name for one in schedules(silent)] == ["drain", "seal"]
    report = schedules(config)[-1]
    assert (report.name, report.timezone) == ("report", "Asia/Kathmandu")
    assert next_due(report.cron, ZoneInfo("Asia/Kathmandu"), MONDAY) < MONDAY + timedelta(hours=1)


@pytest.mark.parametrize("line", ["30 6 * * TUE", "0 7 * * MON", "*/20 9-17 1 * *", "5,35 8 * JAN *"])
@pytest.mark.parametrize("timezone", ["Asia/Kathmandu", "Europe/London", "Australia/Lord_Howe"])
def test_a_mail_is_tried_when_it_is_due_and_every_hour_after(tmp_path, line, timezone):
    zone = ZoneInfo(timezone)
    config = load(
        environ={}, folder=tmp_path, timezone=timezone, report={"to": ["me@example.com"], "schedule": line}
    )
    tried = schedules(config)[-1].cron

    due = MONDAY
    for _ in range(60):
        due = next_due(line, zone, due)
        assert next_due(tried, zone, due - timedelta(minutes=1)) == due
        assert next_due(tried, zone, due) <= due + timedelta(hours=1, minutes=30)


def test_what_the_service_set_aside_is_drained_hourly_where_it_calls_by_itself(tmp_path):
    called = load(environ={}, folder=tmp_path, pipeline={"trigger": "event"})
    asked = load(environ={}, folder=tmp_path)

    assert [schedules(config)[0].cron for config in (called, asked)] == ["25 * * * *", "*/15 * * * *"]


def test_a_schedule_that_is_no_longer_wanted_is_removed_and_anothers_is_left(tmp_path):
    scheduler = Remembering({"report", "acme-backup"})

    register(scheduler, load(environ={}, folder=tmp_path))

    assert scheduler.names == {"drain", "seal", "acme-backup"}


class Remembering:
    def __init__(self, names):
        self.names = names

    def upsert(self, schedule):
        self.names.add(schedule.name)

    def remove(self, name):
        self.names.discard(name)
