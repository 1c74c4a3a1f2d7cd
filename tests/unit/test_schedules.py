from __future__ import annotations

from datetime import timedelta

import pytest

from tuppence.config import load
from tuppence.schedule import check_cron
from tuppence.schedules import every, register, schedules


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

    assert [one.name for one in schedules(silent)] == ["drain", "seal", "purge"]
    assert [(one.cron, one.timezone) for one in schedules(config)][-1] == ("30 6 * * TUE", "Asia/Kathmandu")


def test_a_schedule_that_is_no_longer_wanted_is_removed_and_anothers_is_left(tmp_path):
    scheduler = Remembering({"report", "acme-backup"})

    register(scheduler, load(environ={}, folder=tmp_path))

    assert scheduler.names == {"drain", "seal", "purge", "acme-backup"}


class Remembering:
    def __init__(self, names):
        self.names = names

    def upsert(self, schedule):
        self.names.add(schedule.name)

    def remove(self, name):
        self.names.discard(name)
