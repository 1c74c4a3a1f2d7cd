"""The contract of when schedules fire: by the clock on the wall, also when it is changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from tuppence.drivers import Context, Feature, Kind, Schedule, SchedulerDriver
from tuppence.schedule import next_due
from tuppence.testing.clock import ManualClock
from tuppence.testing.contract import OpenDriver, opened
from tuppence.testing.driver import ResourceContract

Fires = Callable[[Schedule, datetime, int], Sequence[datetime]]
"""What a provider gives: the first moments after one at which its service would run what it has stored."""

LONDON, NEW_YORK, KATHMANDU = "Europe/London", "America/New_York", "Asia/Kathmandu"
COMPARED: Final = 12
"""Moments of each line that are compared."""
SHORTEST_WAIT: Final = timedelta(seconds=1)
"""What a polled scheduler's clock moves on by at least, so that one that never claims comes to an end."""

PORTABLE: Final = (
    "* * * * *",
    "*/15 * * * *",
    "*/45 * * * *",
    "5 * * * *",
    "0 */6 * * *",
    "10,40 3 * * *",
    "0 7 * * MON",
    "0 7 * * mon-fri",
    "30 6 1 * *",
    "0 0 31 * *",
    "0 12 1-7 * *",
    "59 23 31 12 *",
    "5,35 8-17/3 * JAN-MAR,dec 1-5",
    "0 0 * * 0,6",
    "0 0 * * 7",
    "15 9 * */3 *",
)
"""Lines every provider can run. No other's dialect is spared: steps, lists, names, both Sundays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wall:
    """A line in a zone, a moment, and by hand what follows it in UTC."""

    cron: str
    zone: str
    after: str
    expected: tuple[str, ...]


# In 2026 British clocks change on 29 March and 25 October, at 1:00 UTC; those of New York on 8 March and
# 1 November, at 2:00 of their own (https://www.iana.org/time-zones). Nepal is always 5:45 ahead of UTC.
WALLS: Final = {
    "London, Mondays in spring": Wall(
        cron="0 7 * * MON",
        zone=LONDON,
        after="2026-03-20T00:00",
        expected=("2026-03-23T07:00", "2026-03-30T06:00", "2026-04-06T06:00"),
    ),
    "London, Mondays in autumn": Wall(
        cron="0 7 * * MON",
        zone=LONDON,
        after="2026-10-17T00:00",
        expected=("2026-10-19T06:00", "2026-10-26T07:00", "2026-11-02T07:00"),
    ),
    "London, the first of the month at midnight": Wall(
        cron="0 0 1 * *",
        zone=LONDON,
        after="2026-03-15T00:00",
        expected=("2026-03-31T23:00", "2026-04-30T23:00", "2026-05-31T23:00"),
    ),
    "New York, daily in spring": Wall(
        cron="30 9 * * *",
        zone=NEW_YORK,
        after="2026-03-07T00:00",
        expected=("2026-03-07T14:30", "2026-03-08T13:30", "2026-03-09T13:30"),
    ),
    "New York, daily in autumn": Wall(
        cron="30 9 * * *",
        zone=NEW_YORK,
        after="2026-10-31T00:00",
        expected=("2026-10-31T13:30", "2026-11-01T14:30", "2026-11-02T14:30"),
    ),
    "New York, a Sunday that is Monday in UTC": Wall(
        cron="0 20 * * SUN",
        zone=NEW_YORK,
        after="2026-10-26T12:00",
        expected=("2026-11-02T01:00", "2026-11-09T01:00"),
    ),
    "Kathmandu, daily while others change": Wall(
        cron="0 7 * * *",
        zone=KATHMANDU,
        after="2026-03-28T12:00",
        expected=("2026-03-29T01:15", "2026-03-30T01:15", "2026-03-31T01:15"),
    ),
    "Kathmandu, Mondays in autumn": Wall(
        cron="0 7 * * MON",
        zone=KATHMANDU,
        after="2026-10-20T00:00",
        expected=("2026-10-26T01:15", "2026-11-02T01:15"),
    ),
    "Kathmandu, a Monday that is Sunday in UTC": Wall(
        cron="30 0 * * MON",
        zone=KATHMANDU,
        after="2026-11-10T00:00",
        expected=("2026-11-15T18:45", "2026-11-22T18:45"),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A daily line that falls into a change of the clocks: by hand what is around it, and what is allowed."""

    cron: str
    zone: str
    day: date
    before: str
    allowed: tuple[str, str]
    times: tuple[int, int]
    afterwards: str


CHANGES: Final = {
    "London, skipped": Change(
        cron="30 1 * * *",
        zone=LONDON,
        day=date(2026, 3, 29),
        before="2026-03-28T01:30",
        allowed=("2026-03-29T01:00", "2026-03-29T02:00"),
        times=(0, 1),
        afterwards="2026-03-30T00:30",
    ),
    "London, twice": Change(
        cron="30 1 * * *",
        zone=LONDON,
        day=date(2026, 10, 25),
        before="2026-10-24T00:30",
        allowed=("2026-10-25T00:30", "2026-10-25T01:30"),
        times=(1, 2),
        afterwards="2026-10-26T01:30",
    ),
    "New York, skipped": Change(
        cron="30 2 * * *",
        zone=NEW_YORK,
        day=date(2026, 3, 8),
        before="2026-03-07T07:30",
        allowed=("2026-03-08T07:00", "2026-03-08T08:00"),
        times=(0, 1),
        afterwards="2026-03-09T06:30",
    ),
    "New York, twice": Change(
        cron="30 1 * * *",
        zone=NEW_YORK,
        day=date(2026, 11, 1),
        before="2026-10-31T05:30",
        allowed=("2026-11-01T05:30", "2026-11-01T06:30"),
        times=(1, 2),
        afterwards="2026-11-02T06:30",
    ),
}


class FiringContract(ResourceContract):
    """When what a scheduler has stored is run. Part of `SchedulerContract`."""

    kind = Kind.SCHEDULER
    about = "when schedules fire"

    @pytest.fixture
    def fires(
        self, driver: SchedulerDriver, open_driver: OpenDriver[SchedulerDriver], context: Context
    ) -> Fires:
        """Return the provider's own `Fires`: stores the schedule, and says when the service would run it.

        Where the driver is polled, a worker does it, whose clock jumps from one due moment to the next.
        """
        if Feature.POLLED not in driver.features:
            raise NotImplementedError(f"{type(self).__name__} gives no fixture `fires`")

        def fires(schedule: Schedule, after: datetime, count: int) -> list[datetime]:
            time = ManualClock(after)
            fired: list[datetime] = []
            with opened(open_driver, replace(context, clock=time)) as worker:
                worker.upsert(schedule)
                while len(fired) < count and (due := worker.next_due()) is not None:
                    time.advance(max(due - time.now(), SHORTEST_WAIT))
                    fired += [time.now() for _ in worker.claim_due()]
            return fired[:count]

        return fires

    def test_a_changed_schedule_fires_by_its_new_line(self, fires: Fires) -> None:
        """From its next moment on, wherever the old one would have fired."""
        after = datetime(2026, 11, 16, 9, 30, tzinfo=UTC)
        daily = Schedule(name="report", cron="0 7 * * *", job="report")

        first = fires(daily, after, 1)
        changed = fires(replace(daily, cron="0 12 * * WED"), after, 2)

        assert list(first) == [datetime(2026, 11, 17, 7, tzinfo=UTC)]
        assert list(changed) == [datetime(2026, 11, day, 12, tzinfo=UTC) for day in (18, 25)]

    @pytest.mark.parametrize("wall", WALLS.values(), ids=WALLS)
    def test_a_schedule_fires_by_the_clock_on_the_wall(self, fires: Fires, wall: Wall) -> None:
        """At seven in winter and at seven in summer, on the owner's day."""
        schedule = Schedule(name="report", cron=wall.cron, job="report", timezone=wall.zone)

        fired = fires(schedule, _utc(wall.after), len(wall.expected))

        assert list(fired) == [_utc(moment) for moment in wall.expected]

    @pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
    def test_a_change_of_the_clocks_disturbs_one_night_only(self, fires: Fires, change: Change) -> None:
        """A time that is left out is made up for or not; one that comes twice is not missed."""
        schedule = Schedule(name="purge", cron=change.cron, job="purge", timezone=change.zone)
        first, last = map(_utc, change.allowed)

        fired = list(fires(schedule, _utc(change.before) - timedelta(minutes=1), 4))
        end = fired.index(_utc(change.afterwards))

        assert fired[0] == _utc(change.before)
        assert change.times[0] <= end - 1 <= change.times[1]
        assert all(first <= moment <= last for moment in fired[1:end])

    @pytest.mark.parametrize("zone", ["UTC", KATHMANDU])
    @pytest.mark.parametrize("line", PORTABLE)
    def test_a_portable_line_means_what_cron_means(self, fires: Fires, line: str, zone: str) -> None:
        """The driver's own dialect runs at the same moments, whatever it looks like."""
        schedule = Schedule(name="drain", cron=line, job="drain", timezone=zone)
        after = datetime(2026, 11, 16, 9, 30, tzinfo=UTC)
        expected = [after]
        for _ in range(COMPARED):
            expected.append(next_due(line, ZoneInfo(zone), expected[-1]))

        assert list(fires(schedule, after, COMPARED)) == expected[1:]


def _utc(moment: str) -> datetime:
    return datetime.fromisoformat(moment).replace(tzinfo=UTC)
