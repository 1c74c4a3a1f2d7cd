"""Reads from the store what a report is made of, one week of rollups in memory at a time."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from tuppence.clock import Clock, Deadline
from tuppence.config import Config
from tuppence.liveness import Pipeline
from tuppence.pipeline import dead
from tuppence.pipeline.day_zone import DayZone, read_day_zone
from tuppence.pipeline.reader import count_texts, read_days, read_texts, recount_hours, waiting_hours
from tuppence.pipeline.rollup import merge_instances
from tuppence.report.claims import unconfirmed
from tuppence.report.clocks import change_of_zone, neighbours, other_clocks
from tuppence.report.facts import WEEKS, Evidence
from tuppence.report.numbers import Numbers, sum_week
from tuppence.report.period import Week, next_send
from tuppence.store import Store

_DAY = timedelta(days=1)


def gather(
    store: Store, config: Config, week: Week, clock: Clock, *, pipeline: Pipeline, deadline: Deadline
) -> Evidence:
    """Return the evidence for the report on `week`. Raises `DriverError`."""
    project, zone, now = config.project, week.zone, clock.now()
    past = [_numbers(store, project, week.ago(number), deadline) for number in range(WEEKS - 1, 0, -1)]
    days = read_days(store, project, week.monday, week.sunday, deadline=deadline)
    # A day either side of today: the owner's today may be another than that of UTC.
    today = now.astimezone(zone).date()
    since = read_days(store, project, week.sunday + _DAY, max(today, week.sunday) + _DAY, deadline=deadline)
    day_zone = read_day_zone(store, project, deadline=deadline) or DayZone(zone=zone.key)
    zones = [zone, *map(ZoneInfo, (day_zone.zone, *day_zone.previous))]
    asked = read_texts(store, project, zones, week.monday, week.sunday, deadline=deadline)
    before = week.previous
    asked_before = count_texts(store, project, zones, before.monday, before.sunday, deadline=deadline)
    beside = [read_days(store, project, day, day, deadline=deadline).rollups for day in neighbours(week)]
    letters, events = _dead(store, project, week, deadline)
    send_at, send_week = next_send(config.report.schedule, zone, now)
    return Evidence(
        project=project,
        weeks=[*past, sum_week(week, days.rollups)],
        after=merge_instances(rollup.instances for rollup in since.rollups.values()),
        texts=asked.texts,
        texts_before=asked_before,
        texts_left_out=asked.left_out,
        late=sum(days.late.values()),
        dead_events=events,
        dead_letters=letters,
        waiting_hours=len(waiting_hours(store, project, deadline=deadline)),
        recount_hours=len(recount_hours(store, project, deadline=deadline)),
        counted_by=other_clocks(week, {**days.rollups, **beside[0], **beside[1]}),
        zone_change=change_of_zone(week, day_zone),
        unconfirmed=sorted({claim.week for claim in unconfirmed(store, project, now, deadline=deadline)}),
        pipeline=pipeline,
        until=now if now < week.end else None,
        next_send=send_at,
        next_week=send_week,
        keep_events=config.retention.events,
        keep_rollups=config.retention.rollups,
    )


def _numbers(store: Store, project: str, week: Week, deadline: Deadline) -> Numbers:
    return sum_week(week, read_days(store, project, week.monday, week.sunday, deadline=deadline).rollups)


def _dead(store: Store, project: str, week: Week, deadline: Deadline) -> tuple[int, int]:
    """Return how many dead letters wait, and how many events those hold that came in during the week."""
    letters = events = 0
    for letter in dead.letters(store, project, deadline=deadline):
        letters += 1
        if week.start <= letter.received < week.end:
            events += max(1, letter.events)
    return letters, events
