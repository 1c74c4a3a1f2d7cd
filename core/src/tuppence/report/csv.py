"""The report's lists as CSV (RFC 4180), safe to open in a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

from tuppence.report.document import Report
from tuppence.report.inert import cell


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


def _written(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return lines that begin with a byte order mark, by which spreadsheets know UTF-8."""
    file = StringIO()
    writer = csv.writer(file)
    writer.writerow(head)
    writer.writerows(rows)
    return "\ufeff" + file.getvalue()
