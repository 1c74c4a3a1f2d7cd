"""The week a report is about: an ISO week of the owner's clock, from one local midnight to another."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from tuppence.errors import ConfigError
from tuppence.schedule import next_due

LAST: Final = "last"
THIS: Final = "this"
_LABEL: Final = re.compile(r"(\d{4})-W(\d{2})")
_DAYS: Final = 7
_FIRST_YEAR: Final = 1971
_YEARS_AHEAD: Final = 50
"""Years after this one of which a week can be named."""


@dataclass(frozen=True, slots=True)
class Week:
    """One ISO 8601 week in one time zone.

    It begins on `monday` at midnight in `zone` and ends where the next one begins, so a week that holds a
    change of the clocks has 167 or 169 hours.
    """

    monday: date
    zone: ZoneInfo

    @classmethod
    def of(cls, at: datetime, zone: ZoneInfo) -> Week:
        """Return the week that holds the moment `at`, an aware datetime."""
        day = at.astimezone(zone).date()
        return cls(day - timedelta(days=day.weekday()), zone)

    @classmethod
    def last(cls, now: datetime, zone: ZoneInfo) -> Week:
        """Return the newest week that is over at `now`."""
        return cls.of(now, zone).previous

    @classmethod
    def parse(cls, text: str, zone: ZoneInfo, now: datetime) -> Week:
        """Return the week that `2026-W46`, `last` or `this` names. Raises `ConfigError`."""
        if text == LAST:
            return cls.last(now, zone)
        if text == THIS:
            return cls.of(now, zone)
        match = _LABEL.fullmatch(text)
        try:
            if match is None:
                raise ValueError("no label of a week")
            if not _FIRST_YEAR <= int(match[1]) <= now.year + _YEARS_AHEAD:
                raise ValueError("no week that a report can be about")
            return cls(date.fromisocalendar(int(match[1]), int(match[2]), 1), zone)
        except ValueError:
            this = cls.last(now, zone).label
            raise ConfigError(f"{text!r} is no week; write one as {this}, or {LAST!r}, or {THIS!r}") from None

    @property
    def label(self) -> str:
        """The ISO label, as `2026-W46`."""
        year, week, _ = self.monday.isocalendar()
        return f"{year}-W{week:02}"

    @property
    def number(self) -> int:
        """The number of the week in its year, 1 to 53."""
        return self.monday.isocalendar().week

    @property
    def start(self) -> datetime:
        """The first moment of the week."""
        return _midnight(self.monday, self.zone)

    @property
    def end(self) -> datetime:
        """The first moment that no longer belongs to it."""
        return _midnight(self.monday + timedelta(days=_DAYS), self.zone)

    @property
    def days(self) -> list[date]:
        """Its seven days, Monday first."""
        return [self.monday + timedelta(days=number) for number in range(_DAYS)]

    @property
    def sunday(self) -> date:
        """Its last day."""
        return self.days[-1]

    @property
    def previous(self) -> Week:
        """The week before."""
        return self.ago(1)

    def ago(self, weeks: int) -> Week:
        """Return the week that lies so many weeks earlier."""
        return Week(self.monday - timedelta(days=_DAYS * weeks), self.zone)


def next_send(schedule: str, zone: ZoneInfo, now: datetime) -> tuple[datetime, Week]:
    """Return when the cron line `schedule` is next due, in `zone`, and the week that mail will be about."""
    at = next_due(schedule, zone, now).astimezone(zone)
    return at, Week.last(at, zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the first moment of a day; where the clocks skip midnight, the moment they skip it."""
    return datetime.combine(day, time(), zone).astimezone(UTC).astimezone(zone)
