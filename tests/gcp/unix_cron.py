"""When Cloud Scheduler would run a line: worked out from its documentation, not from our code.

https://cloud.google.com/scheduler/docs/configuring/cron-job-schedules says what the fields hold: minute 0-59,
hour 0-23, day 1-31, month 1-12 or JAN-DEC, weekday 0-6 or SUN-SAT or 7 for Sunday; `*` all values, `,` more
than one, `-` a range, `/` every so many of it; no `L`, `?` or `#`. Where both day fields are restricted,
either is enough. What it does in the hour that is left out or comes twice is not said: here the one is left
out, and the other runs once.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

SPANS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
NAMES = {
    3: ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
    4: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
}
TERM = re.compile(
    r"(?:\*|(?P<first>[0-9]{1,2}|[A-Z]{3})(?:-(?P<last>[0-9]{1,2}|[A-Z]{3}))?)(?:/(?P<step>[0-9]+))?"
)


def fields(line):
    """Return the values that each field of a line stands for; a `ValueError` where it is none."""
    found = line.split()
    if len(found) != len(SPANS):
        raise ValueError(f"{len(found)} fields")
    return [_values(number, text) for number, text in enumerate(found)]


def runs(line, zone, after, count):
    """Return the first moments after `after`, in UTC."""
    minutes, hours, days, months, weekdays = fields(line)
    either = "*" not in {line.split()[2], line.split()[4]}
    place, found = ZoneInfo(zone), []
    today = after.astimezone(place).date()
    while len(found) < count:
        is_day, is_weekday = today.day in days, today.isoweekday() % 7 in weekdays
        if today.month in months and (is_day or is_weekday if either else is_day and is_weekday):
            walls = (
                datetime.combine(today, time(h, m), place) for h in sorted(hours) for m in sorted(minutes)
            )
            moments = ((wall, wall.astimezone(UTC)) for wall in walls)
            found += [at for wall, at in moments if at > after and at.astimezone(place) == wall]
        today += timedelta(days=1)
    return found[:count]


def _values(number, text):
    low, high = SPANS[number]
    found = set()
    for term in text.split(","):
        match = TERM.fullmatch(term)
        if match is None:
            raise ValueError(f"{term!r} in {text!r}")
        first = low if match["first"] is None else _number(number, match["first"])
        last = _number(number, match["last"]) if match["last"] else high if match["first"] is None else first
        step = int(match["step"] or 1)
        if not (low <= first <= last <= high and step):
            raise ValueError(f"{term!r} in {text!r}")
        found.update(range(first, last + 1, step))
    return {value % 7 for value in found} if number == 4 else found


def _number(number, text):
    if text.isdecimal():
        return int(text)
    names = NAMES.get(number, [])
    if text not in names:
        raise ValueError(text)
    return names.index(text) + SPANS[number][0] if number == 3 else names.index(text)
