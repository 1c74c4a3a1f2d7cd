"""Numbers, times and comparisons as a reader wants them. `\u00a0` keeps a number and its unit on one line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from tuppence.report.document import Past
from tuppence.report.rates import LEAST, Rate, differ

NBSP: Final = "\u00a0"
DASH: Final = "\u2013"
UP: Final = "▲"
DOWN: Final = "▼"
SAME: Final = 0.05
"""A time that changed by less than this share is called the same: percentiles are known to 1.6 %."""
LOUD: Final = 0.2
"""From this share on, a change of a time is called good or bad."""
_SECOND: Final = 1_000
DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905 - a line, not a page
)


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a number since the week before. `tone` is `good` or `bad` where that can be said."""

    text: str
    arrow: str = ""
    tone: str = ""

    def __str__(self) -> str:
        return f"{self.arrow} {self.text}" if self.arrow else self.text


def number(value: int) -> str:
    """Return `1,234`."""
    return f"{value:,}"


def estimate(value: int, error: int) -> str:
    """Return `1,234`, or `1,234 ± 10` where the number is an estimate."""
    return f"{value:,}{NBSP}±{NBSP}{error:,}" if error else f"{value:,}"


def counted(value: int, one: str, many: str = "") -> str:
    """Return `1 question` or `2 questions`."""
    return f"{value:,}{NBSP}{one if value == 1 else many or one + 's'}"


def percent(share: float) -> str:
    """Return `87 %`, with one digit after the point where it would round to all or nothing."""
    whole = round(share * 100)
    rounded_away = (whole == 100 and share < 1) or (whole == 0 and share > 0)  # noqa: PLR2004 - a hundred per cent
    if not rounded_away:
        return f"{whole:,}{NBSP}%"
    return f"{min(99.9, max(0.1, share * 100)):.1f}{NBSP}%"


def rate(value: Rate) -> str:
    """Return `87 %`, or `17 of 19` where there are too few for a percentage."""
    return percent(value.share) if value.share is not None else f"{value.yes:,} of {value.of:,}"


def interval(value: Rate) -> str:
    """Return `n = 312, 83 to 90 %`, or nothing where there are too few."""
    if value.low is None or value.high is None:
        return ""
    low, high = percent(value.low).removesuffix(f"{NBSP}%"), percent(value.high)
    return f"n{NBSP}={NBSP}{value.of:,}, {low} to {high}"


def span(ms: int | None) -> str:
    """Return `412 ms`, `1.2 s` or `75 s`."""
    if ms is None:
        return DASH
    if ms < _SECOND:
        return f"{ms}{NBSP}ms"
    seconds = ms / _SECOND
    return f"{seconds:.1f}{NBSP}s" if seconds < 10 else f"{seconds:,.0f}{NBSP}s"  # noqa: PLR2004 - two digits


def days_of(first: date, last: date) -> str:
    """Return `9 to 15 November 2026`."""
    begin = str(first.day)
    if first.month != last.month:
        begin += f" {_MONTHS[first.month - 1]}"
    if first.year != last.year:
        begin += f" {first.year}"
    return f"{begin} to {last.day} {_MONTHS[last.month - 1]} {last.year}"


def moment(at: datetime) -> str:
    """Return `Tue 10 November, 15:00`."""
    return f"{DAYS[at.weekday()]} {at.day} {_MONTHS[at.month - 1]}, {at:%H:%M}"


def offset(at: datetime) -> str:
    """Return `UTC+01:00`."""
    return at.strftime("UTC%z")[:6] + ":" + at.strftime("%z")[3:5]


def why_not(before: Past | None) -> str:
    """Return why there is nothing to compare with, or nothing where there is."""
    if before is None:
        return "the first week"
    return "no full week before" if before.partial else ""


def before_column(before: Past | None) -> str:
    """Return the heading of the column that holds the week before."""
    if before is None:
        return "No week before"
    return "Part of a week before" if before.partial else "Week before"


def change_of_count(now: int, before: int, *, good: str = "") -> Change:
    """Compare two counts. `good` is the arrow that is good news."""
    if min(now, before) < LEAST:
        return Change(f"was {number(before)}")
    difference = (now - before) / before
    if round(difference * 100) == 0:
        return Change(f"was {number(before)}, much the same")
    arrow = UP if difference > 0 else DOWN
    return Change(f"{percent(abs(difference))} from {number(before)}", arrow, _tone(arrow, good))


def change_of_rate(now: Rate, before: Rate) -> Change:
    """Compare two rates, in percentage points, and only where chance does not explain it."""
    if now.share is None or before.share is None:
        return Change(f"was {rate(before)}")
    points = round((now.share - before.share) * 100)
    if not differ(now, before) or not points:
        return Change(f"was {rate(before)}, no clear change")
    arrow = UP if points > 0 else DOWN
    unit = "point" if abs(points) == 1 else "points"
    return Change(f"{abs(points)}{NBSP}{unit} from {rate(before)}", arrow, _tone(arrow, UP))


def change_of_span(now: int, before: int | None, least: int) -> Change:
    """Compare two percentiles in milliseconds; `least` is the smaller number of cases behind them."""
    if before is None:
        return Change("was not measured")
    if least < LEAST or not before:
        return Change(f"was {span(before)}")
    difference = (now - before) / before
    if abs(difference) < SAME:
        return Change(f"was {span(before)}, much the same")
    arrow = UP if difference > 0 else DOWN
    return Change(
        f"{percent(abs(difference))} from {span(before)}",
        arrow,
        _tone(arrow, DOWN if abs(difference) >= LOUD else ""),
    )


def _tone(arrow: str, good: str) -> str:
    return ("good" if arrow == good else "bad") if good else ""
