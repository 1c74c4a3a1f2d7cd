"""Cron lines of five fields in the six of EventBridge Scheduler.

Its dialect (https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html, read November 2026)
differs: there is a field for the year, one of the two day fields must be `?`, and weekdays count from Sunday,
which is 1. So fields are taken apart and written anew: as `*`, one value, one range, a first value and a step
up to the end, or else a list of values. How it takes these put together is not documented.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

LONGEST: Final = 256
"""Letters in a schedule's expression (API reference of CreateSchedule, read November 2026)."""
_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_LIST: Final = 2
"""Values of which a list is shorter than a range or a step."""


def to_aws(line: str) -> str:
    """Return a portable line, as `tuppence.schedule.check_cron` lets it through, in AWS's dialect."""
    minute, hour, day, month, weekday = line.upper().split()
    # From 0 to 7, as both are Sunday, in ranges such as 5-7 too.
    days = sorted({value % 7 + 1 for value in _values(weekday, range(8), _WEEKDAYS)})
    fields = [
        _written(_values(minute, range(60)), range(60)),
        _written(_values(hour, range(24)), range(24)),
        _written(_values(day, range(1, 32)), range(1, 32)) if weekday == "*" else "?",
        _written(_values(month, range(1, 13), _MONTHS), range(1, 13)),
        "?" if weekday == "*" else _written(days, range(1, 8)),
        "*",
    ]
    return f"cron({' '.join(fields)})"


def _values(field: str, span: range, names: Sequence[str] = ()) -> list[int]:
    """Return the values that a field of a cron line stands for, from the lowest."""
    found: set[int] = set()
    for term in field.split(","):
        values, _, step = term.partition("/")
        first, _, last = values.partition("-")
        if values == "*":
            chosen = span
        else:
            start = _value(first, span, names)
            chosen = range(start, (_value(last, span, names) if last else start) + 1)
        found.update(chosen[:: int(step or 1)])
    return sorted(found)


def _value(text: str, span: range, names: Sequence[str]) -> int:
    return names.index(text) + span.start if text in names else int(text)


def _written(values: Sequence[int], span: range) -> str:
    first, last = values[0], values[-1]
    if len(values) == len(span):
        return "*"
    if len(values) > _LIST:
        if last - first == len(values) - 1:
            return f"{first}-{last}"
        step = values[1] - first
        if list(values) == list(span[first - span.start :: step]):
            return f"{first}/{step}"
    return ",".join(map(str, values))
