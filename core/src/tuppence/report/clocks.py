"""By which clocks the days of a week were counted, where that is not the week's own alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Final

from tuppence.pipeline.day_zone import DayZone
from tuppence.pipeline.rollup import Rollup
from tuppence.report.document import Report, ZoneChange
from tuppence.report.period import Week
from tuppence.report.words import counted, moment

MENTIONED_FOR: Final = timedelta(days=7)
"""How long after a week a change of the zone still matters to its mail."""


def other_clocks(week: Week, days: Mapping[date, Rollup]) -> list[str]:
    """Return the other zones by which days of a week, or those right beside it, were counted.

    A neighbour counted by another clock has hours that should be the week's, or the other way round.
    """
    near = {*week.days, *neighbours(week)}
    rollups = [rollup for day, rollup in days.items() if day in near and rollup.parts]
    found = {zone for rollup in rollups for zone in (rollup.zone, *rollup.other_zones)}
    return sorted(found - {week.zone.key})


def neighbours(week: Week) -> tuple[date, date]:
    """Return the day before a week and the day after it."""
    return week.monday - timedelta(days=1), week.sunday + timedelta(days=1)


def change_of_zone(week: Week, day_zone: DayZone) -> ZoneChange | None:
    """Return the change of the time zone that lies between a week's mail and an earlier one, if any."""
    at = day_zone.changed_at
    if at is None or day_zone.zone != week.zone.key or not week.start <= at < week.end + MENTIONED_FOR:
        return None
    return ZoneChange(at=at.astimezone(week.zone).isoformat(timespec="minutes"), before=day_zone.previous[0])


def remarks(report: Report) -> Iterator[str]:
    """Yield what a reader must know of the clocks behind the numbers."""
    period = report.period
    if period.counted_by:
        yield (
            f"Counted in part by the clock of {' and '.join(period.counted_by)}; the time zone is now "
            f"{period.zone}."
        )
    if report.health.recount_hours:
        yield (
            f"Being counted again in another time zone: {counted(report.health.recount_hours, 'hour')}. "
            f"Until then, days may be too large or too small."
        )
    change = period.zone_change
    if change is not None and report.before is not None:
        yield (
            f"The time zone was changed from {change.before} to {period.zone} on "
            f"{moment(datetime.fromisoformat(change.at))}. Earlier mails went by the old clock, so events "
            f"between the two midnights are in two mails, or in none."
        )
