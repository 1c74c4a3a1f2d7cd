"""Data health: what the numbers rest on, and what is missing from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from tuppence.report import clocks
from tuppence.report.document import Report
from tuppence.report.pipeline_state import remarks
from tuppence.report.view import Section, Table, compared
from tuppence.report.words import before_column, counted, number, percent

_SHOWN: Final = {
    "captured": "Captured",
    "accepted": "Accepted, each once",
    "duplicates": "Duplicates, not counted",
    "lost": "Lost on the way",
}
_WHERE_ANY: Final = {
    "set_aside": "Of those lost, refused by the queue and set aside",
    "conflicting": "Conflicting: same id, other time",
    "dropped": "Dropped by a full journal",
    "refused": "Refused when captured",
    "ignored": "Statements ignored: wrong value or too late",
    "rejected": "Rejected in total",
    "late": "Late, and counted",
    "unreadable": "Segments that cannot be read",
    "silent_instances": "Processes that ended without a goodbye",
}
_SELDOM: Final = {
    "contradicted": "Of the duplicates, with other content",
    "claimed": "Reported as lost, but not borne out",
    "uncertain": "May be lost: too many gaps to follow",
    "untraced": "Processes too many to follow",
}
"""Signs of harm, of which nothing need be said while there are none."""


def health(report: Report) -> Section:
    """Return the section on the data itself."""
    before = report.before.health if report.before else None
    some = {name for name in _WHERE_ANY | _SELDOM if getattr(report.health, name) or getattr(before, name, 0)}
    none = [name for name in _WHERE_ANY if name not in some]
    return Section(
        title="Data health",
        intro=_coverage(report),
        tables=(
            compared(
                before,
                Table(
                    caption="What became of the events",
                    head=("Events", "This week", before_column(report.before)),
                    rows=tuple(
                        (label, number(getattr(report.health, name)), _then(before, name))
                        for name, label in (_SHOWN | _WHERE_ANY | _SELDOM).items()
                        if name in _SHOWN or name in some
                    ),
                ),
            ),
        ),
        closing=" ".join(_remarks(report, none)),
    )


def _then(before: object, name: str) -> str:
    """Return the number of the week before; of some only the present is known."""
    value = getattr(before, name, None)
    return number(value) if value is not None else ""


def _coverage(report: Report) -> str:
    share = report.health.coverage
    if share is None:
        return "There was nothing to count."
    if share == 1:
        return "Every event that was captured is counted in this report."
    return f"This report counts {percent(share)} of the events that were captured."


def _remarks(report: Report, none: Sequence[str]) -> Iterator[str]:
    health = report.health
    yield from remarks(report)
    yield from clocks.remarks(report)
    if none:
        yield f"At zero: {', '.join(name.replace('_', ' ') for name in none)}."
    if health.set_aside:
        yield "Events set aside can be sent once more: run tuppence doctor where the application runs."
    if health.contradicted:
        yield (
            f"{counted(health.contradicted, 'event')} came under the identity of one that says something "
            "else; the first is counted. If no application of yours does that, "
            "someone else has its credentials."
        )
    if health.claimed:
        yield (
            f"Some processes report {counted(health.claimed, 'event')} as lost, dropped or refused, but "
            "next to nothing of theirs arrived. No other number includes them."
        )
    if health.waiting_hours:
        yield f"Still waiting to be counted: {counted(health.waiting_hours, 'hour')} with events."
    if health.dead_letters:
        yield f"Dead letters that wait to be replayed: {number(health.dead_letters)}."
    if health.texts_left_out:
        yield f"Counted, but not kept word for word: {counted(health.texts_left_out, 'question')}."
    if health.unconfirmed:
        yield f"A mail that may have been sent or not: {', '.join(health.unconfirmed)}."
    if health.omitted:
        yield f"Not shown, for lack of data: {', '.join(health.omitted)}."
