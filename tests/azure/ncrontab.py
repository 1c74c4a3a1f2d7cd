"""When a timer trigger fires: worked out from its documentation, not from our code.

https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer says what the six fields hold:
second, minute, hour, day, month and weekday, each `*`, a value, a range with `-` or a list with `,`; weekdays
are 0-6 from Sunday. Times are UTC.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from itertools import islice

SPANS = {
    "second": (0, 59),
    "minute": (0, 59),
    "hour": (0, 23),
    "day": (1, 31),
    "month": (1, 12),
    "weekday": (0, 6),
}


def ticks(expression, after):
    """Yield the moments after one at which it fires, without end."""
    texts = expression.split(" ")
    allowed = {name: values(name, text) for name, text in zip(SPANS, texts, strict=True)}
    assert allowed["second"] == {0}
    day = after.date()
    while True:
        if (
            day.month in allowed["month"]
            and day.day in allowed["day"]
            and day.isoweekday() % 7 in allowed["weekday"]
        ):
            for hour in sorted(allowed["hour"]):
                for minute in sorted(allowed["minute"]):
                    moment = datetime.combine(day, time(hour, minute), tzinfo=UTC)
                    if moment > after:
                        yield moment
        day += timedelta(days=1)


def first(expression, after, count):
    return list(islice(ticks(expression, after), count))


def values(name, text):
    low, high = SPANS[name]
    if text == "*":
        return set(range(low, high + 1))
    found = set()
    for term in text.split(","):
        start, _, end = term.partition("-")
        assert low <= int(start) <= int(end or start) <= high, text
        found.update(range(int(start), int(end or start) + 1))
    return found
