"""Sections on what applications tell beside questions: models, scores, sources, routes, other events."""

from __future__ import annotations

from collections.abc import Callable

from tuppence.report.declines import REPAIR
from tuppence.report.document import Latency, Past, Report
from tuppence.report.rates import Rate
from tuppence.report.tables import BUILT_IN
from tuppence.report.view import Room, Section, Table, compared
from tuppence.report.words import DASH, before_column, counted, number, rate, span


def times_table(caption: str, report: Report, of: Callable[[Past], Latency]) -> Table:
    """Return a table of percentiles."""
    now, before = of(report.trend[-1]), of(report.before) if report.before else None
    ranks = (("Median", "p50"), ("95th percentile", "p95"), ("99th percentile", "p99"))
    return compared(
        before,
        Table(
            caption=caption,
            head=("Time", "This week", before_column(report.before)),
            rows=tuple(
                (label, span(getattr(now, rank)), span(getattr(before, rank)) if before else "")
                for label, rank in ranks
            ),
        ),
    )


def models(title: str, report: Report, room: Room) -> Section:
    """Return the section on the models and their tokens."""
    tokens_in = sum(one.input_tokens for one in report.models)
    tokens_out = sum(one.output_tokens for one in report.models)
    used = f"{counted(tokens_in, 'token')} in, {counted(tokens_out, 'token')} out"
    return Section(
        title=title,
        intro=f"{used}." if tokens_in or tokens_out else "No tokens were recorded.",
        tables=(
            Table(
                caption="Models",
                head=("Model", "Questions", "Tokens in", "Tokens out"),
                rows=tuple(
                    (one.name, number(one.questions), number(one.input_tokens), number(one.output_tokens))
                    for one in report.models[: room.rows]
                ),
            ),
        ),
        closing=_more(len(report.models), room, "model"),
    )


def scores(title: str, report: Report, room: Room) -> Section:
    """Return the section on what applications said of scores and sources."""
    tables = []
    if report.scores.count:
        tables.append(
            Table(
                caption="Questions by score",
                head=("Score", "Questions"),
                rows=tuple(
                    (f"{at / 5:.1f} to {(at + 1) / 5:.1f}", number(count))
                    for at, count in enumerate(report.scores.bands)
                ),
            )
        )
    if report.citations:
        tables.append(
            Table(
                caption="Sources that answers rested on",
                head=("Source", "Questions", "Answered", "Helped"),
                rows=tuple(
                    (
                        one.name,
                        number(one.questions),
                        rate(Rate.out_of(one.answered, one.questions)),
                        rate(Rate.out_of(one.useful.yes, one.useful.yes + one.useful.no)),
                    )
                    for one in report.citations[: room.rows]
                ),
            )
        )
    return Section(
        title=title,
        intro=_scored(report) or "No scores were recorded.",
        tables=tuple(tables),
        closing=_more(len(report.citations), room, "source"),
    )


def _scored(report: Report) -> str:
    """Return the scores in a sentence."""
    scores = report.scores
    if scores.median is None:
        return ""
    was = "" if scores.median_before is None else f" ({scores.median_before:.2f} the week before)"
    low = "none was" if not scores.low else f"{number(scores.low)} {'was' if scores.low == 1 else 'were'}"
    return (
        f"{counted(scores.count, 'question')} had a score. The median is {scores.median:.2f}{was}; "
        f"{low} below 0.5."
    )


def routes(title: str, report: Report, room: Room) -> Section:
    """Return the section on the routes of an API."""
    total, errors, refused = report.requests.total, report.requests.errors, report.requests.client_errors
    failing = sum(route.failing for route in report.routes)
    rows = max(room.rows, min(failing, 2 * room.rows))
    listed = Table(
        caption="Requests by route",
        head=("Route", "Requests", "Failed", "4xx", "Median", "95th perc."),
        rows=tuple(
            (
                f"{one.name} {DASH} failing" if one.failing else one.name,
                number(one.requests),
                number(one.errors),
                number(one.client_errors),
                span(one.p50),
                span(one.p95),
            )
            for one in report.routes[:rows]
        ),
    )
    told = f"{counted(total, 'request')}, of which {number(errors)} failed (status 500 and above) and "
    told += "1 was a client error (4xx)." if refused == 1 else f"{number(refused)} were client errors (4xx)."
    return Section(
        title=title,
        intro=told + _failing(failing, report),
        tables=(listed, times_table("Response time", report, lambda past: past.requests.latency_ms)),
        closing=_more(len(report.routes), room, "route", rows, where="in the attached table"),
    )


def _failing(failing: int, report: Report) -> str:
    """Say how many routes fail, where the list of things to do does not hold them all."""
    asked = sum(action.title.startswith(REPAIR) for action in report.actions)
    if failing <= asked:
        return ""
    return f" {counted(failing, 'route')} {'is' if failing == 1 else 'are'} failing; they come first below."


def events(title: str, report: Report, room: Room) -> Section:
    """Return the section on the events that are none of ours."""
    own = [one for one in report.events if one.name not in BUILT_IN]
    rows = 2 * room.rows
    return Section(
        title=title,
        intro=f"{counted(sum(one.count for one in own), 'event')} that your application named itself.",
        tables=(
            compared(
                report.before,
                Table(
                    caption="Events by type",
                    head=("Event", "This week", before_column(report.before)),
                    rows=tuple(
                        (one.name, number(one.count), "" if one.before is None else number(one.before))
                        for one in own[:rows]
                    ),
                ),
            ),
        ),
        closing=_more(len(own), room, "type", rows),
    )


def _more(count: int, room: Room, thing: str, rows: int = 0, *, where: str = "in the report as JSON") -> str:
    """Say how many rows a table leaves out."""
    more = count - (rows or room.rows)
    return f"And {counted(more, f'more {thing}')}, {where}." if more > 0 else ""
