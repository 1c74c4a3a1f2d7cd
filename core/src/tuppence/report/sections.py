"""The sections of the mail, each from its part of the report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from tuppence.event import Outcome
from tuppence.report.document import Gap, Report, Topic
from tuppence.report.grid import busiest, grid
from tuppence.report.health import health
from tuppence.report.inert import NAME, line
from tuppence.report.rates import LEAST, Rate
from tuppence.report.scoreboard import rate_change
from tuppence.report.usage import events, models, routes, scores, times_table
from tuppence.report.view import Entry, Room, Section, Table
from tuppence.report.words import (
    NBSP,
    before_column,
    change_of_count,
    counted,
    estimate,
    interval,
    number,
    percent,
    rate,
)

OUTCOME_WORDS: Final[Mapping[str, str]] = {
    Outcome.NO_MATCH: "no match",
    Outcome.REFUSED: "refused",
    Outcome.ERROR: "error",
    Outcome.TIMEOUT: "timeout",
    Outcome.RATE_LIMITED: "rate limit",
    Outcome.INVALID: "invalid",
    Outcome.ABORTED: "aborted",
}
UNRESOLVED_WORDS: Final = {
    "content": "No match in the content",
    "refused": "Refused by a rule",
    "outage": "Error or timeout",
    "rate_limited": "Rate limit",
    "invalid": "Invalid input",
    "aborted": "Aborted",
}


def sections(report: Report, room: Room) -> tuple[Section, ...]:
    """Return the sections that have something to show, in reading order."""
    makers = {
        "What was asked": _asked,
        "What it could not answer": _unanswered,
        "Was it useful?": _useful,
        "When": _when,
        "Speed": _speed,
        "Models and tokens": models,
        "Scores and sources": scores,
        "API routes": routes,
        "Other events": events,
    }
    shown = (
        make(title, report, room) for title, make in makers.items() if title not in report.health.omitted
    )
    return (*shown, health(report))


def _asked(title: str, report: Report, room: Room) -> Section:
    shown = report.topics[: room.topics]
    most = max(topic.count for topic in shown)
    others = report.totals.questions - sum(topic.count for topic in shown)
    return Section(
        title=title,
        intro=f"{counted(report.topics_distinct, 'different question')}, in whatever spelling.",
        entries=tuple(_topic(topic, report, most) for topic in shown),
        after=f"Everything else: {counted(others, 'question')}, {_share(others, report)}." if others else "",
    )


def _topic(topic: Topic, report: Report, most: int) -> Entry:
    notes = [_share(topic.count, report)]
    if topic.before is None and report.before:
        notes.append("not kept from the week before")
    elif topic.before is not None and not topic.new:
        notes.append(str(change_of_count(topic.count, topic.before)))
    notes.append(f"{rate(Rate.out_of(topic.answered, topic.count))} answered")
    if topic.people:
        notes.append(_people(topic.people, topic.people_error))
    return Entry(
        title=topic.name,
        badge="new" if topic.new else "",
        value=number(topic.count),
        bar=topic.count / most,
        notes=tuple(notes),
    )


def _unanswered(title: str, report: Report, room: Room) -> Section:
    open_questions = sum(report.unresolved.values())
    if not open_questions:
        return Section(title=title, intro="Nothing: every question was answered.")
    shown = report.gaps[: room.gaps]
    most = max((gap.demand for gap in shown), default=1)
    further = report.gaps_distinct - len(shown)
    asked = report.totals.questions
    return Section(
        title=title,
        intro=f"{number(open_questions)} of {counted(asked, 'question')} had no answer. "
        "Those that most people missed most often come first.",
        tables=tuple(_reasons(report, room)),
        entries=tuple(_gap(gap, most) for gap in shown),
        after=f"And {counted(further, 'more question')} without an answer." if further > 0 else "",
    )


def _gap(gap: Gap, most: int) -> Entry:
    told = [f"{OUTCOME_WORDS.get(name, name)} {number(count)}" for name, count in gap.outcomes.items()]
    notes = [", ".join(told), f"asked {counted(gap.asked, 'time')}"]
    if gap.people:
        notes.append(_people(gap.people, gap.people_error))
    return Entry(
        title=gap.name,
        badge="",
        value=number(gap.count),
        bar=gap.demand / most,
        notes=tuple(notes),
    )


def _reasons(report: Report, room: Room) -> Iterator[Table]:
    """Yield how questions failed, and the causes that the application named."""
    before = report.before.unresolved if report.before else None
    yield Table(
        caption="Questions without an answer, by reason",
        head=("Reason", "This week", before_column(report.before)),
        rows=tuple(
            (UNRESOLVED_WORDS[kind], number(count), number(before[kind]) if before else "")
            for kind, count in report.unresolved.items()
            if count or (before and before[kind])
        ),
    )
    if report.causes:
        yield Table(
            caption="Causes the application named",
            head=("Cause", "Outcome", "Questions"),
            rows=tuple(
                (cause.cause, OUTCOME_WORDS.get(cause.outcome, cause.outcome), number(cause.count))
                for cause in report.causes[: room.rows]
            ),
        )


def _useful(title: str, report: Report, room: Room) -> Section:
    helpful, before = report.helpful, report.before
    sure = f" ({interval(helpful)})" if helpful.share is not None else ""
    said = rate(helpful) if helpful.share is None else f"{rate(helpful)} of {number(helpful.of)}"
    disliked = sorted((t for t in report.topics if t.useful.no), key=lambda t: (-t.useful.no, t.name))
    tables = [
        Table(
            caption="Ratings",
            head=("Rating", "This week", before_column(before)),
            rows=(
                ("Helped", number(report.useful.yes), number(before.useful.yes) if before else ""),
                ("Did not help", number(report.useful.no), number(before.useful.no) if before else ""),
            ),
        )
    ]
    if disliked:
        tables.append(
            Table(
                caption="Answers that helped least",
                head=("Question", "Helped", "Did not"),
                rows=tuple(
                    (line(topic.name, NAME), number(topic.useful.yes), number(topic.useful.no))
                    for topic in disliked[: room.rows]
                ),
            )
        )
    return Section(
        title=title,
        intro=f"{said} ratings said that the answer helped{sure}; it {rate_change(report, 'helpful')}.",
        tables=tuple(tables),
    )


def _when(title: str, report: Report, room: Room) -> Section:
    shown = [source for source in report.sources[: room.rows] if len(report.sources) > 1]
    channels = Table(
        caption="Channels",
        head=("Channel", "Questions", "Share"),
        rows=tuple((one.name, number(one.questions), _share(one.questions, report)) for one in shown),
    )
    return Section(
        title=title,
        intro=f"{busiest(report)} Hours are those of {report.period.zone}.",
        grid=grid(report),
        tables=(channels,) if shown else (),
    )


def _speed(title: str, report: Report, _: Room) -> Section:
    few = "" if report.latency_ms.count >= LEAST else " Too few to read much into them."
    return Section(
        title=title,
        intro=f"From {counted(report.latency_ms.count, 'timed question')}; "
        f"times are accurate to 1.6{NBSP}%.{few}",
        tables=(times_table("Time until a question ended", report, lambda past: past.latency_ms),),
    )


def _share(count: int, report: Report) -> str:
    """Return `18 % of all`, or `4 of 17` where there are too few for a percentage."""
    asked = report.totals.questions
    return f"{percent(count / asked)} of all" if asked >= LEAST else f"{number(count)} of {number(asked)}"


def _people(people: int, error: int) -> str:
    return f"{estimate(people, error)}{NBSP}{'person' if people == 1 else 'people'}"
