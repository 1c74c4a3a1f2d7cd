"""Cron lines of five fields and time zones: what is allowed, and when a schedule is next due.

The portable subset is what every provider's own cron dialect can be given: numbers, names, lists, ranges and
steps, and a restriction on the day of the month or on the weekday, not on both. Daylight saving follows
Debian's cron, as `cronsim` implements it: what falls into the hour that is skipped runs right after it, what
falls into the hour that comes twice runs the first time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from tuppence.errors import ConfigError

FIELDS: Final = ("minute", "hour", "day of the month", "month", "weekday")
_SPANS: Final = (60, 24, 31, 12, 7)
_DAY: Final = 2
_WEEKDAY: Final = 4
_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIELDS: Final = (
    (range(60), ()),
    (range(24), ()),
    (range(1, 32), ()),
    (range(1, 13), _MONTHS),
    (range(8), _WEEKDAYS),
)
"""The values of each field, and what some are called."""
_VALUE: Final = r"(?:[0-9]{1,2}|[A-Za-z]{3})"
_TERM: Final = re.compile(
    rf"(?:\*|(?P<first>{_VALUE})-(?P<last>{_VALUE}))(?:/(?P<step>[0-9]{{1,2}}))?|{_VALUE}"
)


def check_timezone(name: str, where: str) -> ZoneInfo:
    """Return the IANA zone, or raise `ConfigError` with the nearest name there is."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        import difflib
        from zoneinfo import available_timezones

        close = difflib.get_close_matches(name, available_timezones(), n=1, cutoff=0.5)
        hint = f"did you mean {close[0]!r}?" if close else 'write an IANA name, as in "Europe/London"'
        raise ConfigError(f"{where}: unknown time zone {name!r}; {hint}") from None


def check_cron(line: str, where: str) -> None:
    """Raise `ConfigError` unless `line` is a cron line of five fields that every provider can run."""
    from cronsim import CronSim, CronSimError

    hint = 'write five fields (minute hour day month weekday), as in "0 7 * * MON"'
    problem = _not_portable(line.split())
    if problem:
        raise ConfigError(f"{where}: {line!r}: {problem}; {hint}")
    try:
        CronSim(line, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise ConfigError(f"{where}: {line!r}: {error}; {hint}") from None


def values(line: str) -> list[list[int]]:
    """Return what each field of a line that `check_cron` lets through stands for, from the lowest.

    Weekdays count from Sunday, which is 0.
    """
    found = [_values(field, *about) for field, about in zip(line.upper().split(), _FIELDS, strict=True)]
    found[_WEEKDAY] = sorted({day % 7 for day in found[_WEEKDAY]})  # both Sundays, in ranges such as 5-7 too
    return found


def next_due(line: str, zone: ZoneInfo, after: datetime) -> datetime:
    """Return the first moment after `after` (aware) at which `line` is due in `zone`, in UTC."""
    from cronsim import CronSim

    due = after
    times = CronSim(line, after.astimezone(zone))
    while due <= after:  # in the hour that comes twice, cronsim's next may be the first time again
        due = next(times).astimezone(UTC)
    return due


def _values(field: str, span: range, names: Sequence[str]) -> list[int]:
    """Return the values that one field stands for."""
    found: set[int] = set()
    for term in field.split(","):
        told, _, step = term.partition("/")
        first, _, last = told.partition("-")
        if told == "*":
            chosen = span
        else:
            start = _value(first, span, names)
            chosen = range(start, (_value(last, span, names) if last else start) + 1)
        found.update(chosen[:: int(step or 1)])
    return sorted(found)


def _value(text: str, span: range, names: Sequence[str]) -> int:
    return names.index(text) + span.start if text in names else int(text)


def _not_portable(fields: list[str]) -> str:
    """Return what in a line some provider could not run, or nothing."""
    if len(fields) != len(FIELDS):
        return f"{len(fields)} fields"
    for name, span, field in zip(FIELDS, _SPANS, fields, strict=True):
        for term in field.split(","):
            match = _TERM.fullmatch(term)
            if match is None or (term.startswith("*") and term != field):
                return f"{field!r} is no {name}; use numbers, names, lists, ranges and steps"
            if match["step"] and not 0 < int(match["step"]) < span:
                return f"the step of {field!r} is not 1 to {span - 1}"
            if match["first"] and match["first"] == match["last"]:  # readers differ on steps from one value
                return f"{term!r} begins where it ends; write {match['first']}"
    if fields[_DAY] != "*" and fields[_WEEKDAY] != "*":
        return "day of the month and weekday cannot both be restricted; make one of them *"
    return ""
