"""The words of the report: its subject, three sentences, and up to three things to do. All from its facts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Final

import msgspec

from tuppence.event import Outcome
from tuppence.report.document import Action, Gap, Report
from tuppence.report.inert import line, unlinked
from tuppence.report.rates import LEAST
from tuppence.report.words import (
    DASH,
    DOWN,
    NBSP,
    UP,
    change_of_count,
    counted,
    estimate,
    moment,
    number,
    rate,
    why_not,
)

ACTIONS: Final = 3
QUOTED: Final = 90
"""Characters of a question quoted inside a sentence."""
WORTH_FIXING: Final = 2
"""A question left unanswered so often is worth an action; once may be chance."""
OUTAGE: Final = 0.01
"""From this share of questions ended by an error or a timeout on, it becomes an action."""
LOST_TOO_MUCH: Final = 0.01
"""From this share of events lost or dropped on, it becomes an action."""


def worded(report: Report) -> Report:
    """Return the report with its sentences and actions."""
    actions = [_plain(action) for action in islice(_actions(report), ACTIONS)]
    told = msgspec.structs.replace(report, actions=actions)
    return msgspec.structs.replace(told, verdict=[text.replace(NBSP, " ") for text in _sentences(told)])


def subject(report: Report) -> str:
    """Return the mail's subject: one line, no markup, no one's words but the project's name."""
    week = f"wk {int(report.period.week[-2:])}" + (", late" if report.overdue else "")
    return line(f"[{report.project}] {_headline(report)} {DASH} {week}".replace(NBSP, " "), 200)


def thing(report: Report) -> str:
    """Return what this project counts in the first place: questions, or events where it has no questions."""
    asked = any(past.totals.questions for past in report.trend)
    return "question" if asked or not report.totals.events else "event"


def headcount(report: Report) -> int:
    """Return how many of them there were."""
    return report.totals.questions if thing(report) == "question" else report.totals.events


def _headline(report: Report) -> str:
    if report.kind == "empty":
        return "⚠ no events yet"
    if report.kind == "silent":
        return f"⚠ no events since {_last(report)}"
    count = counted(headcount(report), thing(report))
    if thing(report) == "event":
        return (
            f"{_prefix(report)}{count}{_growth(report)}, {counted(report.totals.people, 'person', 'people')}"
        )
    answered = _answered_in_brief(report)
    if report.kind == "quiet":
        return f"quiet week: {count}, {answered}"
    return f"{count}{_growth(report)}, {answered}, {_gaps_in_brief(report)}"


def _prefix(report: Report) -> str:
    return "quiet week: " if report.kind == "quiet" else ""


def _growth(report: Report) -> str:
    """Return ` (+18 %)` where there is something to compare with."""
    before = report.before
    if before is None or before.partial:
        return ""
    asked = thing(report) == "question"
    change = change_of_count(headcount(report), before.totals.questions if asked else before.totals.events)
    sign = {UP: "+", DOWN: "-"}.get(change.arrow)
    return f" ({sign}{change.text.partition(' from ')[0]})" if sign else ""


def _answered_in_brief(report: Report) -> str:
    answered = report.answered
    if not answered.of:
        return "no outcomes"
    if answered.yes == answered.of:
        return "all answered"
    return f"{rate(answered)} answered"


def _gaps_in_brief(report: Report) -> str:
    gaps = sum(Outcome.NO_MATCH in gap.outcomes for gap in report.gaps)
    more = "+" if report.gaps_distinct > len(report.gaps) else ""
    return f"{gaps}{more} {'gap' if gaps == 1 else 'gaps'} to fix" if gaps else "no gaps"


def _last(report: Report) -> str:
    return moment(datetime.fromisoformat(report.last_event)) if report.last_event else "the beginning"


def _sentences(report: Report) -> list[str]:
    """Return how much, how good, and what to do."""
    if report.kind == "empty":
        return [
            "No events have arrived yet.",
            "The mail works; what is missing is a first event, or the way it takes from your application.",
            "Run “tuppence doctor” where the application runs: it checks every step and says how to mend it.",
        ]
    if report.kind == "silent":
        return [f"Nothing has arrived since {_last(report)}.", _until_then(report), _what_to_do(report)]
    return [_how_much(report), _how_good(report), _what_to_do(report)]


def _until_then(report: Report) -> str:
    before = report.before
    if headcount(report):
        return f"Until then the week had brought {counted(headcount(report), thing(report))}."
    if before is None or not before.totals.events:
        return "It was silent the week before, too."
    asked = thing(report) == "question"
    count = before.totals.questions if asked else before.totals.events
    return f"The week before brought {counted(count, thing(report))}, so this is hardly a lack of interest."


def _how_much(report: Report) -> str:
    count, before = headcount(report), report.before
    start = "A quiet week: " if report.kind == "quiet" else ""
    told = f"{start}{counted(count, thing(report))}"
    totals = report.totals
    if totals.people:
        who = estimate(totals.people, totals.people_error)
        told += f" from {who}{NBSP}{'person' if totals.people == 1 else 'people'}"
    reason = why_not(before)
    if before is None or reason:
        return f"{told}; {reason}, so there is nothing to compare with yet."
    was = before.totals.questions if thing(report) == "question" else before.totals.events
    change = change_of_count(count, was)
    if not change.arrow:
        few = min(count, was) < LEAST
        compared = "the week before it was" if few else "much the same as the week before, when it was"
        return f"{told}; {compared} {number(was)}."
    share = change.text.partition(" from ")[0]
    return f"{told}, {share} {'more' if change.arrow == UP else 'fewer'} than the week before."


def _how_good(report: Report) -> str:
    answered, helpful = report.answered, report.helpful
    if thing(report) == "event":
        return f"They came in {estimate(report.totals.sessions, report.totals.sessions_error)} sessions."
    if not answered.of:
        return "None of the questions came with an outcome, so nothing can be said of the answers."
    told = (
        "All of them were answered"
        if answered.yes == answered.of
        else f"{_capital(rate(answered))} of them were answered"
        if answered.share is not None
        else f"{_capital(rate(answered))} were answered"
    )
    if not helpful.of:
        return f"{told}; nobody rated an answer."
    if helpful.share is None:
        return f"{told}, and {rate(helpful)} ratings said the answer helped."
    return f"{told}, and {rate(helpful)} of {number(helpful.of)} ratings said the answer helped."


def _what_to_do(report: Report) -> str:
    if not report.actions:
        return "Nothing needs your attention this week."
    first = report.actions[0]
    return f"First thing to do: {first.title[:1].lower()}{first.title[1:]}."


def _actions(report: Report) -> Iterator[Action]:
    """Yield what is worth doing, the most urgent first."""
    if report.kind in {"silent", "empty"}:
        yield Action(
            title="Find out why nothing arrives",
            why="Either nobody came, or events no longer find their way here. The check tells which.",
            command="tuppence doctor",
        )
    yield from islice(_repairs(report), 1)
    yield from _outages(report)
    yield from _contents(report)


def _repairs(report: Report) -> Iterator[Action]:
    """Yield what is wrong with the data itself, the worst first."""
    health = report.health
    gone = health.lost + health.dropped
    if health.captured and gone / health.captured >= LOST_TOO_MUCH:
        yield Action(
            title="Find out where events get lost",
            why=f"{counted(gone, 'event')} of {number(health.captured)} never arrived.",
            command="tuppence doctor",
        )
    if health.dead_letters:
        yield Action(
            title="Look at the dead letters",
            why=f"{counted(health.dead_letters, 'message')} could not be counted and can be replayed.",
            command="tuppence dead list",
        )
    if health.unconfirmed:
        yield Action(
            title="See whether an earlier mail arrived",
            why=f"Nobody confirmed the mail of {', '.join(health.unconfirmed)}; it was not sent again.",
            command="tuppence doctor",
        )


def _outages(report: Report) -> Iterator[Action]:
    worst = report.worst_hour
    failed = report.unresolved["outage"]
    if worst is None or failed < max(WORTH_FIXING, OUTAGE * report.totals.questions):
        return
    at = datetime.strptime(worst.hour, "%Y-%m-%dT%H")  # noqa: DTZ007 - shown as the clock showed it
    yield Action(
        title="Look into the errors and timeouts",
        why=f"{counted(failed, 'question')} ended so, {number(worst.failed)} of them in the hour "
        f"from {moment(at)}.",
    )


def _contents(report: Report) -> Iterator[Action]:
    """Yield the questions that lack an answer, those with the most lost demand first."""
    for gap in report.gaps:
        missing = gap.outcomes.get(Outcome.NO_MATCH, 0)
        if missing >= WORTH_FIXING:
            yield Action(title=f"Write an answer to {quoted(gap)}", why=_evidence(gap, missing))


def _evidence(gap: Gap, missing: int) -> str:
    who = estimate(gap.people, gap.people_error)
    people = f", asked by {who}{NBSP}{'person' if gap.people == 1 else 'people'}" if gap.people else ""
    return f"It found no match {number(missing)} of {counted(gap.asked, 'time')}{people}."


def quoted(gap: Gap) -> str:
    """Return the question in quotation marks, harmless and short enough for a sentence."""
    return f"“{unlinked(line(gap.name, QUOTED))}”"


def _plain(action: Action) -> Action:
    return msgspec.structs.replace(
        action, title=action.title.replace(NBSP, " "), why=action.why.replace(NBSP, " ")
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
