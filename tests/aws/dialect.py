"""When EventBridge Scheduler would run an expression: worked out from its documentation, not from our code.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html says what the fields hold: `*` all
values, `,` more than one, `-` a range, `/` increments from a first value, `?` no say in one of the two day
fields, of which exactly one has it. Weekdays are 1-7 or SUN-SAT. A time that does not exist on the night when
the clocks change is skipped; one that exists twice runs once.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SPANS = {"minute": (0, 59), "hour": (0, 23), "day": (1, 31), "month": (1, 12), "weekday": (1, 7)}
NAMES = {
    "month": ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
    "weekday": ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
}
TERM = re.compile(r"(?P<first>\*|\w+)(?:-(?P<last>\w+))?(?:/(?P<step>\d+))?")


def runs(expression, zone, after, count):
    """Return the first moments after `after`, in UTC."""
    inside = re.fullmatch(r"cron\((.*)\)", expression).group(1)
    minute, hour, day, month, weekday, year = inside.split(" ")
    assert year == "*"
    assert [day, weekday].count("?") == 1
    allowed = {
        name: values(name, text)
        for name, text in {
            "minute": minute, "hour": hour, "day": day, "month": month, "weekday": weekday
        }.items()
    }  # fmt: skip
    found = []
    today = after.astimezone(ZoneInfo(zone)).date()
    while len(found) < count:
        if is_day(today, allowed):
            found += [moment for moment in moments(today, allowed, ZoneInfo(zone)) if moment > after]
        today += timedelta(days=1)
    return found[:count]


def values(name, text):
    low, high = SPANS[name]
    if text == "?":
        return set(range(low, high + 1))
    found = set()
    for term in text.split(","):
        first, last, step = TERM.fullmatch(term).groups()
        start = low if first == "*" else number(name, first)
        end = high if first == "*" or (step and not last) else number(name, last or first)
        assert low <= start <= end <= high, text
        found.update(range(start, end + 1, int(step or 1)))
    return found


def number(name, text):
    names = NAMES.get(name, [])
    return names.index(text) + 1 if text in names else int(text)


def is_day(today: date, allowed):
    weekday = today.isoweekday() % 7 + 1
    return today.month in allowed["month"] and today.day in allowed["day"] and weekday in allowed["weekday"]


def moments(today, allowed, zone):
    for hour in sorted(allowed["hour"]):
        for minute in sorted(allowed["minute"]):
            wall = datetime.combine(today, time(hour, minute), tzinfo=zone)
            moment = wall.astimezone(UTC)
            if moment.astimezone(zone) == wall:
                yield moment
