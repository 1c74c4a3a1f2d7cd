"""The report's lists as CSV (RFC 4180), safe to open in a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import NamedTuple

from tuppence.report.document import Report
from tuppence.report.inert import cell


class Attached(NamedTuple):
    """One file that goes with the mail; `title` says what its lines are."""

    name: str
    title: str
    rows: int
    body: str


def attached(report: Report) -> list[Attached]:
    """Return the files that go with the mail: those of lists that hold anything."""
    made = (
        ("topics", "what was asked", len(report.topics), topics_csv),
        ("gaps", "what was not answered", len(report.gaps), gaps_csv),
        ("routes", "requests by route", len(report.routes), routes_csv),
    )
    return [
        Attached(f"{name}-{report.period.week}.csv", title, rows, make(report))
        for name, title, rows, make in made
        if rows
    ]


def topics_csv(report: Report) -> str:
    """Return what was asked, one question a line."""
    head = (
        "question",
        "count",
        "week before",
        "share",
        "answered",
        "people",
        "helped",
        "did not help",
        "new",
    )
    return _written(
        head,
        (
            (
                cell(topic.name),
                topic.count,
                "" if topic.before is None else topic.before,
                topic.share,
                topic.answered,
                topic.people,
                topic.useful.yes,
                topic.useful.no,
                "new" if topic.new else "",
            )
            for topic in report.topics
        ),
    )


def gaps_csv(report: Report) -> str:
    """Return what could not be answered, one question a line."""
    head = ("question", "unanswered", "asked", "people", "outcomes", "causes")
    return _written(
        head,
        (
            (
                cell(gap.name),
                gap.count,
                gap.asked,
                gap.people,
                cell(", ".join(f"{name} {count}" for name, count in gap.outcomes.items())),
                cell(", ".join(f"{name} {count}" for name, count in gap.causes.items())),
            )
            for gap in report.gaps
        ),
    )


def routes_csv(report: Report) -> str:
    """Return what an API did, one route a line; times are milliseconds."""
    head = (
        *("route", "requests", "failed", "4xx", "requests week before", "failed week before"),
        *("median", "95th percentile", "failing"),
    )
    return _written(
        head,
        (
            (
                cell(one.name),
                *(one.requests, one.errors, one.client_errors),
                *("" if value is None else value for value in (one.requests_before, one.errors_before)),
                *("" if value is None else value for value in (one.p50, one.p95)),
                "failing" if one.failing else "",
            )
            for one in report.routes
        ),
    )


def _written(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return lines that begin with a byte order mark, by which spreadsheets know UTF-8."""
    file = StringIO()
    writer = csv.writer(file)
    writer.writerow(head)
    writer.writerows(rows)
    return "\ufeff" + file.getvalue()
