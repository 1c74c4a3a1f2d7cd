"""What is worth doing this week: at most three things, the most urgent first, each with its evidence."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

import msgspec

from tuppence.event import Outcome
from tuppence.report.changes import worst_rated
from tuppence.report.declines import declines
from tuppence.report.document import Action, Gap, Report
from tuppence.report.inert import line, unlinked
from tuppence.report.pipeline_state import nothing_waits, repairs
from tuppence.report.words import NBSP, counted, estimate, hour_of, number

ACTIONS: Final = 3
QUOTED: Final = 90
"""Characters of a question quoted inside a sentence."""
WORTH_FIXING: Final = 2
"""A question left unanswered so often is worth an action; once may be chance."""
OUTAGE: Final = 0.01
"""From this share of questions ended by an error or a timeout on, it becomes an action."""
LOST_TOO_MUCH: Final = 0.01
"""From this share of events lost or dropped on, it becomes an action."""


def actions(report: Report) -> list[Action]:
    """Return what is worth doing, the most urgent first."""
    return [_plain(action) for action in islice(_urgent(report), ACTIONS)]


def _urgent(report: Report) -> Iterator[Action]:
    yield from repairs(report)
    if nothing_waits(report) and report.kind in {"silent", "empty"}:
        yield Action(
            title="Find out why nothing arrives",
            why="Either nobody came, or events no longer find their way here. The check tells which.",
            command="tuppence doctor",
        )
    yield from _losses(report)
    worse = [decline.action for decline in declines(report)]
    yield from worse
    if not any(change.measure == "failed" and change.tone == "bad" for change in report.changes):
        yield from _outages(report)
    yield from islice(_repairs(report), 1)
    yield from _disliked(report)
    yield from _contents(report)


def _losses(report: Report) -> Iterator[Action]:
    health = report.health
    gone = health.lost + health.dropped
    if health.captured and gone / health.captured >= LOST_TOO_MUCH:
        yield Action(
            title="Find out where events get lost",
            why=f"{counted(gone, 'event')} of {number(health.captured)} never arrived.",
            command="tuppence doctor",
        )


def _repairs(report: Report) -> Iterator[Action]:
    """Yield what is wrong with the data itself, the worst first."""
    health = report.health
    if health.dead_letters:
        yield Action(
            title="Look at the dead letters",
            why=f"{counted(health.dead_letters, 'message')} could not be counted and can be replayed.",
            command="tuppence dead list",
        )
    if health.unconfirmed:
        yield Action(
            title="Check whether an earlier mail arrived",
            why=f"Sending the mail of {', '.join(health.unconfirmed)} was never confirmed; "
            "it was not sent again.",
            command="tuppence doctor",
        )


def _outages(report: Report) -> Iterator[Action]:
    worst = report.worst_hour
    failed = report.unresolved["outage"]
    if worst is None or failed < max(WORTH_FIXING, OUTAGE * report.totals.questions):
        return
    yield Action(
        title="Look into the errors and timeouts",
        why=f"{counted(failed, 'question')} ended in one, {number(worst.failed)} of them in the hour "
        f"from {hour_of(worst.hour)}.",
    )


def _disliked(report: Report) -> Iterator[Action]:
    """Yield the question whose answers helped least, where that is more than chance."""
    topic = worst_rated(report.topics, report.useful)
    if topic is not None:
        rated = topic.useful.yes + topic.useful.no
        yield Action(
            title=f"Improve the answer to {quoted(topic.name)}",
            why=f"{number(topic.useful.no)} of {counted(rated, 'rating')} said that the answer did not help.",
        )


def _contents(report: Report) -> Iterator[Action]:
    """Yield the questions that lack an answer, those with the most lost demand first."""
    for gap in report.gaps:
        missing = gap.outcomes.get(Outcome.NO_MATCH, 0)
        if missing >= WORTH_FIXING:
            yield Action(title=f"Write an answer to {quoted(gap.name)}", why=_evidence(gap, missing))


def _evidence(gap: Gap, missing: int) -> str:
    who = estimate(gap.people, gap.people_error)
    people = f", asked by {who}{NBSP}{'person' if gap.people == 1 else 'people'}" if gap.people else ""
    return f"It found no match {number(missing)} of {counted(gap.asked, 'time')}{people}."


def quoted(name: str) -> str:
    """Return a question in quotation marks, harmless and short enough for a sentence."""
    return f"“{unlinked(line(name, QUOTED))}”"


def _plain(action: Action) -> Action:
    return msgspec.structs.replace(
        action, title=action.title.replace(NBSP, " "), why=action.why.replace(NBSP, " ")
    )
