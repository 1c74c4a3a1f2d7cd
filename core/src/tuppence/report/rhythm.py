"""Tells an ordinary week from a quiet one, and a quiet one from one in which nothing arrived any more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from tuppence.report.document import Kind
from tuppence.report.numbers import Numbers
from tuppence.report.rates import LEAST

SILENCE: Final = timedelta(hours=48)
"""No events for so long, up to the end of the week, is silence, where such pauses are not usual."""
UNUSUAL: Final = 2
"""A pause is unusual when it is so many times as long as the longest one before."""
_HOUR: Final = timedelta(hours=1)


def kind_of(weeks: Sequence[Numbers], until: datetime | None = None) -> Kind:
    """Return what kind of week the last of these, oldest first, was; `until` is now where it is not over."""
    this = weeks[-1]
    if not any(week.total.events for week in weeks):
        return "empty"
    if not this.total.events or _fell_silent(weeks, until or this.week.end):
        return "silent"
    asked = any(week.total.questions for week in weeks)
    return "quiet" if (this.total.questions if asked else this.total.events) < LEAST else "normal"


def last_event(weeks: Sequence[Numbers]) -> str | None:
    """Return the end of the last hour with events, in the owner's zone; later there were none."""
    hours = _active(weeks)
    zone = weeks[-1].week.zone
    return (hours[-1] + _HOUR).astimezone(zone).isoformat(timespec="minutes") if hours else None


def _fell_silent(weeks: Sequence[Numbers], end: datetime) -> bool:
    """Whether the week ends in a pause longer than a project that is used like this one ever makes."""
    hours = _active(weeks)
    if len(hours) < LEAST:
        return False
    usual = max(later - earlier - _HOUR for earlier, later in pairwise(hours))
    pause = end - hours[-1] - _HOUR
    return pause >= max(SILENCE, UNUSUAL * usual)


def _active(weeks: Sequence[Numbers]) -> list[datetime]:
    """Return the hours with events, in UTC and in order."""
    return [_moment(hour, week.week.zone) for week in weeks for hour in week.active]


def _moment(hour: str, zone: ZoneInfo) -> datetime:
    return datetime.strptime(hour, "%Y-%m-%dT%H").replace(tzinfo=zone).astimezone(UTC)
