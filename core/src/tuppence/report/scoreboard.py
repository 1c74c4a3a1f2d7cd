"""The scoreboard: the week's numbers, each beside the week before and its last eight weeks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from tuppence.report.document import Past, Report, Totals
from tuppence.report.rates import LEAST, Rate
from tuppence.report.verdict import thing
from tuppence.report.view import Figure
from tuppence.report.words import (
    Change,
    change_of_count,
    change_of_rate,
    change_of_span,
    estimate,
    interval,
    number,
    rate,
    span,
    why_not,
)

Share = Literal["answered", "helpful", "request_errors", "client_errors"]
Span = Literal["p50", "p95", "request_p50", "request_p95"]


def heroes(report: Report) -> tuple[Figure, ...]:
    """Return the three numbers that are read first."""
    if thing(report) == "event":
        return (_events(report), *_crowd(report))
    if thing(report) == "request":
        return (
            _count(report, "Requests", lambda past: past.requests.total),
            _rate(report, "Failed (5xx)", "request_errors"),
            _time(report, "p95 time", "request_p95"),
        )
    return (_questions(report), _answered(report), _helpful(report))


def ledger(report: Report) -> tuple[Figure, ...]:
    """Return the others, those of which nothing is known left out."""
    if thing(report) == "event":
        return ()
    if thing(report) == "request":
        median = _time(report, "Median response time", "request_p50")
        return (median, _rate(report, "Client errors (4xx)", "client_errors"), *_crowd(report))
    return (*_crowd(report), *_times(report))


def _questions(report: Report) -> Figure:
    return _count(report, "Questions", lambda past: past.totals.questions)


def _events(report: Report) -> Figure:
    return _count(report, "Events", lambda past: past.totals.events)


def _crowd(report: Report) -> Iterator[Figure]:
    """Yield people and sessions, where applications name them."""
    totals = report.totals
    if totals.people:
        yield _count(report, "People", lambda past: past.totals.people, _estimated("people", totals))
    if totals.sessions:
        yield _count(report, "Sessions", lambda past: past.totals.sessions, _estimated("sessions", totals))


def _estimated(name: str, totals: Totals) -> str:
    value, error = getattr(totals, name), getattr(totals, f"{name}_error")
    return f"estimated: {estimate(value, error)}" if error else ""


def _count(report: Report, label: str, of: Callable[[Past], int], note: str = "") -> Figure:
    now, history = of(report.trend[-1]), [of(past) for past in report.trend]
    before = report.before
    reason = why_not(report)
    change = Change(reason) if before is None or reason else change_of_count(now, of(before))
    return Figure(
        label=label,
        value=number(now),
        note=note,
        change=str(change),
        tone=change.tone,
        bars=_bars([float(value) for value in history]),
        history=_history([number(value) for value in history]),
    )


def _answered(report: Report) -> Figure:
    return _rate(report, "Answered", "answered")


def _helpful(report: Report) -> Figure:
    if not report.helpful.of:
        return Figure(
            label="Helpful",
            value="not rated",
            note="",
            change="nobody rated an answer",
            tone="",
            bars=(),
            history="",
        )
    return _rate(report, "Helpful", "helpful")


def _rate(report: Report, label: str, measure: Share) -> Figure:
    history: list[Rate] = [getattr(past, measure) for past in report.trend]
    change = rate_change(report, measure)
    return Figure(
        label=label,
        value=rate(history[-1]),
        note=interval(history[-1]) or ("too few for a rate" if history[-1].of else ""),
        change=str(change),
        tone=change.tone,
        bars=_bars([value.yes / value.of if value.of else 0.0 for value in history]),
        history=_history([rate(value) for value in history]),
    )


def rate_change(report: Report, measure: Share) -> Change:
    """Return what became of a rate since the week before."""
    if report.before is None:
        return Change(why_not(report))
    before: Rate = getattr(report.before, measure)
    return change_of_rate(before, report.change(measure)) if before.of else Change("none the week before")


def _times(report: Report) -> Iterator[Figure]:
    """Yield the median and the 95th percentile of the time to an answer."""
    if not report.latency_ms.count:
        return
    yield _time(report, "Median answer time", "p50")
    yield _time(report, "95th percentile", "p95")


def _time(report: Report, label: str, measure: Span) -> Figure:
    rank, asked = measure.removeprefix("request_"), measure.startswith("request_")
    all_times = [past.requests.latency_ms if asked else past.latency_ms for past in report.trend]
    history: list[int | None] = [getattr(times, rank) for times in all_times]
    count = all_times[-1].count
    change = (
        Change(why_not(report))
        if report.before is None
        else change_of_span(history[-2], report.change(measure))
    )
    return Figure(
        label=label,
        value=span(history[-1]),
        note="" if count >= LEAST else f"from only {count} timed",
        change=str(change),
        tone=change.tone,
        bars=_bars([float(value or 0) for value in history]),
        history=_history([span(value) for value in history]),
    )


def _bars(values: list[float]) -> tuple[float, ...]:
    """Return the heights of bars as shares of the highest; one bar alone says nothing."""
    highest = max(values, default=0.0)
    if len(values) < 2 or not highest:  # noqa: PLR2004 - one is no trend
        return ()
    return tuple(round(value / highest, 3) for value in values)


def _history(values: list[str]) -> str:
    return ", ".join(values)
