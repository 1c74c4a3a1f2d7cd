"""Cron lines of five fields, in a time zone, in the six fields of a timer trigger, which knows UTC alone.

On Linux Consumption and Flex Consumption a timer has no time zone
(https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer, read November 2026). So it fires
at every moment of UTC at which the line could be due, whichever offset the zone has that day, and the
function looks whether it is (`tuppence_azure.compute`). In a zone without summer time these are the same.

NCRONTAB begins with seconds, and counts weekdays from Sunday, which is 0. Values are written as `*`, or as a
list of values and ranges.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from tuppence.schedule import values

DAY: Final = 24 * 60
"""Minutes."""
AHEAD: Final = 10 * 366
"""Days for which a zone's offsets are looked up; whoever deploys again looks anew."""
_SHORTEST_MONTH: Final = 28
_DAYS: Final = range(1, 32)
_MONTHS: Final = range(1, 13)


def to_ncrontab(line: str, zone: ZoneInfo, now: datetime) -> str:
    """Return a line that fires whenever a portable line may be due, and at most some times more.

    Args:
        line: as `tuppence.schedule.check_cron` lets it through.
        zone: whose clock it goes by.
        now: from when on.

    """
    minutes, hours, days, months, weekdays = values(line)
    moments = {
        hour * 60 + minute - offset for offset in _offsets(zone, now) for hour in hours for minute in minutes
    }
    shifts = {moment // DAY for moment in moments}  # -1 where it is the day before in UTC
    times = {moment % DAY for moment in moments}
    fields = [
        _written({time % 60 for time in times}, range(60)),
        _written({time // 60 for time in times}, range(24)),
        _written(_shifted_days(days, shifts), _DAYS),
        _written(_shifted_months(months, days, shifts), _MONTHS),
        _written({(day + shift) % 7 for day in weekdays for shift in shifts}, range(7)),
    ]
    return f"0 {' '.join(fields)}"


def _offsets(zone: ZoneInfo, now: datetime) -> set[int]:
    """Return by how many minutes a zone is ahead of UTC, now and later on."""
    found = set()
    for day in range(-1, AHEAD):
        offset = (now + timedelta(days=day)).astimezone(zone).utcoffset()
        assert offset is not None, "a zone has one"
        found.add(int(offset.total_seconds()) // 60)
    return found


def _shifted_days(days: Collection[int], shifts: Collection[int]) -> set[int]:
    """Return the days of a month in UTC, of which some may be those of the month beside."""
    if len(days) == len(_DAYS):
        return set(_DAYS)
    found = set(days) if 0 in shifts else set()
    if -1 in shifts:
        found |= {day - 1 for day in days if day > 1}
        found |= set(range(_SHORTEST_MONTH, 32)) if 1 in days else set()
    if 1 in shifts:
        found |= {day + 1 for day in days if day < _DAYS[-1]}
        found |= {1} if max(days) >= _SHORTEST_MONTH else set()
    return found


def _shifted_months(months: Collection[int], days: Collection[int], shifts: Collection[int]) -> set[int]:
    found = set(months)
    if -1 in shifts and 1 in days:
        found |= {(month - 2) % 12 + 1 for month in months}
    if 1 in shifts and max(days) >= _SHORTEST_MONTH:
        found |= {month % 12 + 1 for month in months}
    return found


def _written(chosen: Collection[int], span: range) -> str:
    if len(chosen) == len(span):
        return "*"
    runs: list[list[int]] = []
    for value in sorted(chosen):
        if runs and value == runs[-1][-1] + 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
