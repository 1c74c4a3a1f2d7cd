"""UTC hours by the clock of a time zone: the hours and days that they lie in, and the other way round."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from tuppence.event import hour_start

HOUR: Final = timedelta(hours=1)
DAY_LENGTH: Final = len("2026-11-16")
"""Characters of a clock hour's name that say its day."""
_MINUTES: Final = 60


def clock_hours(hour: str, zone: ZoneInfo) -> list[str]:
    """Return the hour by a zone's clock, as `2026-11-16T09`, of each minute of a UTC hour."""
    start = hour_start(hour)
    local = ((start + timedelta(minutes=minute)).astimezone(zone) for minute in range(_MINUTES))
    return [at.replace(tzinfo=None).isoformat(timespec="hours") for at in local]


def days_of_hour(hour: str, zone: ZoneInfo) -> set[date]:
    """Return the days of a zone's clock that a UTC hour lies in."""
    start = hour_start(hour)
    moments = (start, start + HOUR - timedelta(microseconds=1))
    return {at.astimezone(zone).date() for at in moments}


def hours_of_day(day: date, zone: ZoneInfo) -> list[str]:
    """Return the UTC hours that a day of a zone's clock lies in, in whole or in part."""
    at = datetime.combine(day, time(), zone).astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    end = datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
    hours = []
    while at < end:
        hours.append(f"{at:%Y%m%d%H}")
        at += HOUR
    return hours
