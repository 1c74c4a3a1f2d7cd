"""What got worse: each significant change for the worse as words, and as something to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import log2
from typing import Final

from tuppence.report.document import Action, Comparison, Measure, Report, Route
from tuppence.report.inert import NAME, line, unlinked
from tuppence.report.words import capital, counted, hour_of, percent, points, rate, span

REPAIR: Final = "Repair "
"""Begins the title of the action about a route that fails."""
_POINTS: Final = 100
_DOUBLED: Final = 15
"""A time that doubled weighs as much as a share that fell by so many points."""
_MOST: Final = 90
"""Points that a time can weigh: less than a route that answers nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decline:
    """One thing that got worse.

    Attributes:
        weight: how bad it is, in points of a share.
        brief: for the subject, as `helpful down 80 points`.
        phrase: for a sentence, with its numbers.
        action: what to do about it.

    """

    weight: float
    brief: str
    phrase: str
    action: Action


def declines(report: Report) -> list[Decline]:
    """Return what got worse, the worst first."""
    return sorted((*_routes(report), *_measures(report)), key=lambda one: -one.weight)


def _measures(report: Report) -> Iterator[Decline]:
    """Yield the measures that are bad news; one route that fails explains why requests do."""
    routes = any(route.failing for route in report.routes)
    for change in report.changes:
        if change.tone == "bad" and not (routes and change.measure == "request_errors"):
            make = _MAKERS.get(change.measure)
            if make is not None:
                yield make(report, change)
    for name, subject in (("", "answer time"), ("request_", "response time")):
        slower = [one for one in report.changes if one.measure in _times(name) and one.tone == "bad"]
        if slower:
            yield _slower(report, slower, subject)


def _times(prefix: str) -> tuple[str, str]:
    return f"{prefix}p50", f"{prefix}p95"


def _routes(report: Report) -> Iterator[Decline]:
    for route in report.routes:
        if route.failing:
            name = unlinked(line(route.name, NAME))
            many = f"{counted(route.errors, 'error')} in {counted(route.requests, 'request')}"
            every = route.errors == route.requests
            yield Decline(
                weight=_POINTS * route.errors / route.requests,
                brief=f"{name} {'fails' if every else 'is failing'}",
                phrase=f"{name} failed {_of(route.errors, route.requests)}",
                action=Action(title=f"{REPAIR}{name}", why=f"{many} (status 500 and above){_then(route)}."),
            )


def _of(part: int, whole: int) -> str:
    return f"all {whole:,} times" if part == whole else f"{part:,} of {whole:,} times"


def _then(route: Route) -> str:
    if not route.requests_before:
        return ""
    return f"; the week before, {route.errors_before or 0:,} in {route.requests_before:,}"


def _answered(report: Report, change: Comparison) -> Decline:
    moved = _moved(change)
    unanswered = sum(report.unresolved.values())
    return Decline(
        weight=_weight(change),
        brief=f"answered {moved}",
        phrase=f"the share of questions answered fell {_fell(change)}",
        action=Action(
            title="Find out why fewer questions are answered",
            why=f"{rate(report.answered)} were answered, {percent(change.before)} the week before. "
            f"{counted(unanswered, 'question')} had no answer; the reasons are listed below.",
            command=_compare(report),
        ),
    )


def _helpful(report: Report, change: Comparison) -> Decline:
    return Decline(
        weight=_weight(change),
        brief=f"helpful {_moved(change)}",
        phrase=f"helpful ratings fell {_fell(change)}",
        action=Action(
            title="Find out why answers help less",
            why=f"{report.helpful.yes:,} of {counted(report.helpful.of, 'rating')} said the answer helped "
            f"({rate(report.helpful)}), {percent(change.before)} the week before. "
            "Look at what changed in between: the prompt, the model or the content.",
            command=_compare(report),
        ),
    )


def _failed(report: Report, change: Comparison) -> Decline:
    worst = report.worst_hour
    hour = f", {worst.failed:,} of them in the hour from {hour_of(worst.hour)}" if worst else ""
    return Decline(
        weight=2 * _weight(change),
        brief=f"errors {_moved(change)}",
        phrase=f"errors and timeouts rose {_fell(change)}",
        action=Action(
            title="Look into the errors and timeouts",
            why=f"{counted(report.unresolved['outage'], 'question')} ended in one "
            f"({percent(change.now)}, {percent(change.before)} the week before){hour}.",
        ),
    )


def _request_errors(report: Report, change: Comparison) -> Decline:
    return Decline(
        weight=2 * _weight(change),
        brief=f"failed requests {_moved(change)}",
        phrase=f"the share of failed requests rose {_fell(change)}",
        action=Action(
            title="Look into the failed requests",
            why=f"{report.requests.errors:,} of {counted(report.requests.total, 'request')} failed "
            f"({percent(change.now)}), {percent(change.before)} the week before.",
        ),
    )


_MAKERS: Final[Mapping[Measure, Callable[[Report, Comparison], Decline]]] = {
    "answered": _answered,
    "helpful": _helpful,
    "failed": _failed,
    "request_errors": _request_errors,
}


def _slower(report: Report, slower: list[Comparison], subject: str) -> Decline:
    """Return what median and 95th percentile say together."""
    worst = max(slower, key=lambda one: one.now / one.before)
    first, *rest = slower
    phrase = f"the {_rank(first, subject)} rose {_from_to(first)}"
    more = "".join(f"; the 95th percentile rose {_from_to(one)}" for one in rest)
    return Decline(
        weight=min(_MOST, _DOUBLED * log2(worst.now / worst.before)),
        brief=f"{_rank(worst, subject)} up {_from_to(worst)}",
        phrase=phrase,
        action=Action(
            title=f"Find out why {'answers' if subject.startswith('answer') else 'requests'} take longer",
            why=f"{capital(phrase)}{more}.",
            command=_compare(report),
        ),
    )


def _rank(one: Comparison, subject: str) -> str:
    return f"median {subject}" if one.measure.endswith("p50") else f"95th percentile of the {subject}"


def _from_to(one: Comparison) -> str:
    return f"from {span(int(one.before))} to {span(int(one.now))}"


def _moved(change: Comparison) -> str:
    return f"{change.direction} {points(change.now - change.before)}"


def _fell(change: Comparison) -> str:
    return f"from {percent(change.before)} to {percent(change.now)}"


def _weight(change: Comparison) -> float:
    return _POINTS * abs(change.now - change.before)


def _compare(report: Report) -> str:
    """Return the command that shows the week before."""
    return f"tuppence report --week {report.before.week}" if report.before else ""
