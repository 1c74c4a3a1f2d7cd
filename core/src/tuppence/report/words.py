"""Numbers, times and comparisons as a reader wants them. `\u00a0` keeps a number and its unit on one line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from tuppence.report.document import Comparison, Past, Report
from tuppence.report.rates import LEAST, Rate

NBSP: Final = "\u00a0"
DASH: Final = "\u2013"
UP: Final = "▲"
DOWN: Final = "▼"
MANIFOLD: Final = 3
"""From so many times its length on, a time that rose is told as a multiple."""
_ARROWS: Final = {"up": UP, "down": DOWN}
_SECOND: Final = 1_000
_TEN_THOUSAND: Final = 10_000
_MILLION: Final = 1_000_000
_UNIT: Final = re.compile(r"(?<=\d) (?=(?:%|ms|s|points?)(?:\W|$))")
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
    """Return `87 %`, `17 of 19` where there are too few for a percentage, or a dash where there are none."""
    if not value.of:
        return DASH
    return percent(value.share) if value.share is not None else f"{value.yes:,} of {value.of:,}"


def interval(value: Rate) -> str:
    """Return `n = 312, 83 to 90 %`, or nothing where there are too few."""
    if value.low is None or value.high is None:
        return ""
    low, high = percent(value.low).removesuffix(f"{NBSP}%"), percent(value.high)
    if high.startswith(f"{low}{NBSP}"):
        return f"n{NBSP}={NBSP}{value.of:,}"
    return f"n{NBSP}={NBSP}{value.of:,}, {low} to {high}"


def span(ms: int | None) -> str:
    """Return `412 ms`, `1.2 s` or `75 s`."""
    if ms is None:
        return DASH
    if ms < _SECOND:
        return f"{ms}{NBSP}ms"
    seconds = ms / _SECOND
    return f"{seconds:.1f}{NBSP}s" if seconds < 10 else f"{seconds:,.0f}{NBSP}s"  # noqa: PLR2004 - two digits


def capital(text: str) -> str:
    """Return the text with a large first letter."""
    return text[:1].upper() + text[1:]


def compact(value: int) -> str:
    """Return `1,234`, `12k` or `3.4M`: a count for a cell that has little room."""
    if value < _TEN_THOUSAND:
        return number(value)
    if value < _MILLION:
        return f"{value // 1_000}k"
    return f"{value / _MILLION:.1f}M" if value < 10 * _MILLION else f"{value // _MILLION:,}M"


def unbroken(text: str) -> str:
    """Return a sentence in which each number stays on one line with its unit."""
    return _UNIT.sub(NBSP, text)


def joined(parts: Sequence[str]) -> str:
    """Return `a`, `a and b`, or `a, b and c`."""
    *most, last = parts
    return f"{', '.join(most)} and {last}" if most else last


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


def hour_of(label: str) -> str:
    """Return an hour of the owner's clock, written as `2026-11-10T15`, as `moment` does."""
    return moment(datetime.strptime(label, "%Y-%m-%dT%H"))  # noqa: DTZ007 - shown as the clock showed it


def offset(at: datetime) -> str:
    """Return `UTC+01:00`."""
    return at.strftime("UTC%z")[:6] + ":" + at.strftime("%z")[3:5]


def why_not(report: Report) -> str:
    """Return why there is nothing to compare with, or nothing where there is."""
    before = report.before
    if not report.period.complete:
        return "the week is not over"
    if before is None:
        return "the first week"
    return "no full week before" if before.partial else ""


def before_column(before: Past | None) -> str:
    """Return the heading of the column that holds the week before."""
    if before is None:
        return "Not compared"
    return "Part of a week before" if before.partial else "Week before"


def change_of_count(now: int, before: int) -> Change:
    """Compare two counts. Neither more nor fewer is good or bad news by itself."""
    if min(now, before) < LEAST:
        return Change(f"was {number(before)}")
    difference = (now - before) / before
    if round(difference * 100) == 0:
        return Change(f"was {number(before)}, much the same")
    arrow = UP if difference > 0 else DOWN
    return Change(f"{percent(abs(difference))} from {number(before)}", arrow)


def points(moved: float) -> str:
    """Return how far a share moved: `11 points`, or `0.3 points`."""
    size = abs(moved) * 100
    whole = round(size)
    if size < 1:
        return f"{size:.1f}{NBSP}points"
    return f"{whole}{NBSP}{'point' if whole == 1 else 'points'}"


def change_of_rate(before: Rate, change: Comparison | None) -> Change:
    """Say what became of a rate, in percentage points where it changed."""
    if change is None or not change.direction:
        clear = "" if change is None else ", no clear change"
        return Change(f"was {rate(before)}{clear}")
    moved = points(change.now - change.before)
    return Change(f"{moved} from {rate(before)}", _ARROWS[change.direction], change.tone)


def change_of_span(before: int | None, change: Comparison | None) -> Change:
    """Say what became of a percentile in milliseconds."""
    if before is None:
        return Change("was not measured")
    if change is None or not change.direction:
        same = "" if change is None else ", no clear change"
        return Change(f"was {span(before)}{same}")
    if change.now >= MANIFOLD * change.before:
        moved = f"{round(change.now / change.before):,} times as long (was {span(before)})"
    else:
        moved = f"{percent(abs(change.now - change.before) / change.before)} from {span(before)}"
    return Change(moved, _ARROWS[change.direction], change.tone)
