"""What changed since the week before by more than chance explains: the one place that decides it.

Arrows and their colours, the verdict, the subject and the actions are all made from what stands here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal

from tuppence.pipeline.rollup import Cell, RouteUse
from tuppence.pipeline.sketch import Histogram
from tuppence.report.document import Comparison, Measure, Past, Topic, Useful
from tuppence.report.numbers import Numbers
from tuppence.report.rates import LEAST, Rate, differ, wilson

POINT: Final = 0.01
"""A share that moved by less is called the same, however many cases there are."""
TENTH: Final = 0.001
"""The same for shares of failures, which are small."""
SAME: Final = 0.05
"""A time that changed by less than this share is called the same: percentiles are known to 1.6 %."""
LOUD: Final = 0.2
"""From this share on, a change of a time is called good or bad."""
FAILING: Final = 0.05
"""A route fails when surely more than this share of its requests do, whatever the week before was like."""
FEW_ERRORS: Final = 3
"""Fewer errors or bad ratings than this are no reason to look into one route or one question."""
HALF: Final = 0.5
_RATES: Final[dict[Measure, tuple[Literal["up", "down", ""], float]]] = {
    "answered": ("up", POINT),
    "helpful": ("up", POINT),
    "failed": ("down", TENTH),
    "request_errors": ("down", TENTH),
    "client_errors": ("", POINT),
}
"""The direction that is good news, if one is, and the smallest change of the share that is one."""


def changes(weeks: Sequence[Numbers], trend: Sequence[Past]) -> list[Comparison]:
    """Return the measures of the last week beside those of the week before, where both have enough cases."""
    if len(weeks) < 2:  # noqa: PLR2004 - this week and the one before
        return []
    now, before = weeks[-1].total, weeks[-2].total
    times: dict[Measure, tuple[Histogram, Histogram, float]] = {
        "p50": (now.latency, before.latency, 0.5),
        "p95": (now.latency, before.latency, 0.95),
        "request_p50": (request_times(now), request_times(before), 0.5),
        "request_p95": (request_times(now), request_times(before), 0.95),
    }
    found = [_rate(name, getattr(trend[-1], name), getattr(trend[-2], name)) for name in _RATES]
    found += [_time(name, *case) for name, case in times.items()]
    return [one for one in found if one is not None]


def request_times(total: Cell) -> Histogram:
    """Return how long requests took, whatever their route."""
    return Histogram.merged(use.latency for use in total.routes.values())


def fails(now: RouteUse, before: RouteUse | None, among: int) -> bool:
    """Whether a route needs to be looked into.

    It does when surely more than `FAILING` of its requests failed, or significantly more than in the week
    before. `among` is how many routes are judged at once.
    """
    if now.errors < FEW_ERRORS:
        return False
    if wilson(now.errors, now.requests, among=among)[0] > FAILING:
        return True
    if before is None or min(now.requests, before.requests) < LEAST:
        return False
    rate, earlier = Rate.out_of(now.errors, now.requests), Rate.out_of(before.errors, before.requests)
    rise = now.errors / now.requests - before.errors / before.requests
    return rise >= POINT and differ(rate, earlier, among=among)


def worst_rated(topics: Iterable[Topic], useful: Useful) -> Topic | None:
    """Return the question whose answers helped least, if that is more than chance.

    That is so when surely fewer than half of its ratings said that the answer helped, or significantly fewer
    than those of all other questions.
    """
    rated = [topic for topic in topics if topic.useful.no]
    judged = [topic for topic in rated if _disliked(topic.useful, useful, len(rated))]
    return min(judged, key=lambda topic: (-topic.useful.no, topic.useful.yes, topic.name), default=None)


def _disliked(one: Useful, every: Useful, among: int) -> bool:
    rated = one.yes + one.no
    if one.no < FEW_ERRORS:
        return False
    if wilson(one.yes, rated, among=among)[1] < HALF:
        return True
    others = max(0, every.yes - one.yes), max(0, every.no - one.no)
    if rated < LEAST or sum(others) < LEAST or one.yes / rated >= others[0] / sum(others):
        return False
    return differ(Rate.out_of(one.yes, rated), Rate.out_of(others[0], sum(others)), among=among)


def _rate(measure: Measure, now: Rate, before: Rate) -> Comparison | None:
    if now.share is None or before.share is None:
        return None
    good, least = _RATES[measure]
    moved = now.share - before.share
    clear = abs(moved) >= least and differ(now, before)
    direction: Literal["up", "down", ""] = ("up" if moved > 0 else "down") if clear else ""
    tone: Literal["good", "bad", ""] = ("good" if direction == good else "bad") if clear and good else ""
    return Comparison(measure=measure, now=now.share, before=before.share, direction=direction, tone=tone)


def _time(measure: Measure, now: Histogram, before: Histogram, fraction: float) -> Comparison | None:
    """Compare a percentile.

    It has changed when the share of answers that took longer than the percentile of the week before (or,
    where it fell, less long) is another than it was then, by the test that rates are held to.
    """
    value, earlier = now.percentile(fraction), before.percentile(fraction)
    if value is None or not earlier or min(now.count(), before.count()) < LEAST:
        return None
    moved = (value - earlier) / earlier
    beyond = Histogram.above if moved > 0 else Histogram.below
    rates = (Rate.out_of(beyond(one, earlier), one.count()) for one in (now, before))
    clear = abs(moved) >= SAME and differ(*rates)
    direction: Literal["up", "down", ""] = ("up" if moved > 0 else "down") if clear else ""
    tone: Literal["good", "bad", ""] = (
        ("bad" if moved > 0 else "good") if clear and abs(moved) >= LOUD else ""
    )
    return Comparison(measure=measure, now=value, before=earlier, direction=direction, tone=tone)


def bad(found: Iterable[Comparison]) -> Iterator[Comparison]:
    """Yield those that are bad news."""
    return (one for one in found if one.tone == "bad")
