"""The words of the report: its subject and its few sentences. All from its facts."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

import msgspec

from tuppence.report.actions import actions
from tuppence.report.declines import declines
from tuppence.report.document import Past, Report
from tuppence.report.inert import line
from tuppence.report.pipeline_state import (
    alarm_in_brief,
    alarms,
    nothing_arrived,
    nothing_waits,
    unfinished,
    unknown,
)
from tuppence.report.rates import LEAST
from tuppence.report.words import (
    DASH,
    DOWN,
    NBSP,
    UP,
    capital,
    change_of_count,
    counted,
    estimate,
    joined,
    moment,
    number,
    rate,
    span,
)

PHRASES: Final = 3
"""Things that got worse, named in one sentence; the others are coloured where they stand."""

Thing = Literal["question", "request", "event"]


def worded(report: Report) -> Report:
    """Return the report with its sentences and actions."""
    told = msgspec.structs.replace(report, actions=actions(report))
    return msgspec.structs.replace(told, verdict=[text.replace(NBSP, " ") for text in _sentences(told)])


def subject(report: Report) -> str:
    """Return the mail's subject: one line, no markup, no one's words but the names of project and route."""
    late = ", late" if report.overdue else "" if report.period.complete else ", unfinished"
    week = f"wk {int(report.period.week[-2:])}{late}"
    return line(f"[{report.project}] {_headline(report)} {DASH} {week}".replace(NBSP, " "), 200)


def thing(report: Report) -> Thing:
    """Return what this project counts in the first place: questions, else an API's requests, else events."""
    if any(past.totals.questions for past in report.trend) or not report.totals.events:
        return "question"
    return "request" if any(past.requests.total for past in report.trend) else "event"


def headcount(report: Report) -> int:
    """Return how many of them there were."""
    return _count(report.trend[-1], thing(report))


def _count(past: Past, kind: Thing) -> int:
    return {
        "question": past.totals.questions,
        "request": past.requests.total,
        "event": past.totals.events,
    }[kind]


def _headline(report: Report) -> str:
    if alarm := alarm_in_brief(report):
        return f"⚠ {alarm}"
    if report.kind == "empty":
        return "⚠ no events yet" if nothing_waits(report) else "⚠ no events counted yet"
    if report.kind == "silent":
        return f"⚠ no events since {_last(report)}"
    worse = declines(report)
    alarm = f"⚠ {worst.brief}; " if (worst := worse[0] if worse else None) else ""
    count = counted(headcount(report), thing(report))
    if report.kind == "quiet":
        return f"{alarm}quiet week: {count}{_rest_in_brief(report)}"
    return f"{alarm}{count}{_growth(report)}{_rest_in_brief(report)}"


def _rest_in_brief(report: Report) -> str:
    """Return how good it was, in a few words after a comma."""
    kind = thing(report)
    if kind == "event":
        people = report.totals.people
        return f", {counted(people, 'person', 'people')}" if people else ""
    if kind == "request":
        errors = report.trend[-1].request_errors
        if not errors.of:
            return ""
        return f", {rate(errors)} failed" if errors.yes else ", none failed"
    if not report.answered.of:
        return ""
    answered = _answered_in_brief(report)
    return f", {answered}" if report.kind == "quiet" else f", {answered}{_gaps_in_brief(report)}"


def _growth(report: Report) -> str:
    """Return ` (+18 %)` where there is something to compare with."""
    before = report.before
    if before is None or before.partial:
        return ""
    change = change_of_count(headcount(report), _count(before, thing(report)))
    sign = {UP: "+", DOWN: "-"}.get(change.arrow)
    return f" ({sign}{change.text.partition(' from ')[0]})" if sign else ""


def _answered_in_brief(report: Report) -> str:
    answered = report.answered
    if answered.yes == answered.of:
        return "all answered"
    return f"{rate(answered)} answered"


def _gaps_in_brief(report: Report) -> str:
    """Return the number of gaps, which is that of their list; nothing where none of their words were kept."""
    gaps = report.gaps_distinct
    return f", {counted(gaps, 'gap')} to fix" if gaps else ""


def _last(report: Report) -> str:
    return moment(datetime.fromisoformat(report.last_event)) if report.last_event else "the beginning"


def _sentences(report: Report) -> list[str]:
    """Return what got worse, if anything did; how much; how good; and what to do."""
    if report.kind == "empty":
        return nothing_arrived(report)
    first = [text for text in (*alarms(report), unknown(report), unfinished(report)) if text]
    if report.kind == "silent":
        arrived = "arrived" if nothing_waits(report) else "been counted"
        last = f"Nothing has {arrived} since {_last(report)}."
        return [*first, last, *_until_then(report), _what_to_do(report)]
    return [*first, *_worse(report), _how_much(report), _how_good(report), _what_to_do(report)]


def _worse(report: Report) -> list[str]:
    worse = declines(report)
    if not worse:
        return []
    more = len(worse) - PHRASES
    phrases = [one.phrase for one in worse[:PHRASES]]
    if more > 0:
        phrases.append(f"{more:,} more {'thing' if more == 1 else 'things'} got worse")
    return [f"{capital(joined(phrases))}."]


def _until_then(report: Report) -> list[str]:
    before, kind = report.before, thing(report)
    if headcount(report):
        return [f"Before that, the week had brought {counted(headcount(report), kind)}."]
    if not (report.period.complete and nothing_waits(report)):
        return []
    if before is None or not before.totals.events:
        return ["Nothing arrived in the week before, either."]
    count = counted(_count(before, kind), kind)
    return [f"The week before brought {count}, so a lack of interest is unlikely."]


def _how_much(report: Report) -> str:
    kind, count, before = thing(report), headcount(report), report.before
    start = "A quiet week: " if report.kind == "quiet" else ""
    told = f"{start}{counted(count, kind)}"
    totals = report.totals
    if totals.people:
        who = estimate(totals.people, totals.people_error)
        told += f" from {who}{NBSP}{'person' if totals.people == 1 else 'people'}"
    if not report.period.complete:
        return f"{told} so far. A week that is not over is not compared with another."
    if before is None:
        return f"{told}. This is the first week, so there is nothing to compare with yet."
    if before.partial:
        return f"{told}. The week before was not a full one, so there is no comparison yet."
    was = _count(before, kind)
    change = change_of_count(count, was)
    if change.arrow:
        share = change.text.partition(" from ")[0]
        return f"{told}, {share} {'more' if change.arrow == UP else 'fewer'} than the week before."
    if min(count, was) < LEAST:
        return f"{told}; the week before there {'was' if was == 1 else 'were'} {number(was)}."
    return f"{told}, about as many as the week before ({number(was)})."


def _how_good(report: Report) -> str:
    kind = thing(report)
    if kind == "request":
        return _how_reliable(report)
    if kind == "event":
        sessions = report.totals.sessions
        many = estimate(sessions, report.totals.sessions_error)
        return f"They came in {many}{NBSP}{'session' if sessions == 1 else 'sessions'}."
    if not report.answered.of:
        return "There were no questions, so nothing can be said about answers."
    return f"{_answered_at_length(report)}{_helpful_at_length(report)}"


def _answered_at_length(report: Report) -> str:
    answered = report.answered
    if answered.yes == answered.of:
        return "It was answered" if answered.of == 1 else "All of them were answered"
    if answered.share is None:
        return f"{capital(rate(answered))} {'was' if answered.of == 1 else 'were'} answered"
    return f"{rate(answered)} of them were answered"


def _helpful_at_length(report: Report) -> str:
    helpful = report.helpful
    if not helpful.of:
        return "; nobody rated an answer."
    of = f" of {number(helpful.of)}" if helpful.share is not None else ""
    ratings = "rating" if helpful.of == 1 else "ratings"
    return f", and {rate(helpful)}{of} {ratings} said the answer helped."


def _how_reliable(report: Report) -> str:
    """Return how an API did."""
    errors, times = report.trend[-1].request_errors, report.requests.latency_ms
    if not errors.of:
        return "There were no requests, so nothing can be said about responses."
    few = "" if errors.share is None else " of them"
    told = f"{rate(errors)}{few} failed" if errors.yes else "No request failed"
    if times.p95 is None:
        return f"{told}; nobody measured how long they took."
    return f"{told}, and 95{NBSP}% took no longer than {span(times.p95)}."


def _what_to_do(report: Report) -> str:
    if not report.actions:
        return "Nothing needs your attention this week."
    first = report.actions[0].title
    return f"First thing to do: {first[:1].lower()}{first[1:]}."
