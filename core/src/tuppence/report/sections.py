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
from tuppence.report.usage import events, models, routes, scores, times_table
from tuppence.report.view import Entry, Room, Section, Table, compared
from tuppence.report.words import (
    NBSP,
    before_column,
    capital,
    change_of_count,
    counted,
    estimate,
    interval,
    number,
    percent,
    points,
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
        intro=f"{counted(report.topics_distinct, 'different question')}; "
        "spellings of the same question count as one.",
        entries=tuple(_topic(topic, report, most) for topic in shown),
        after=f"Everything else: {counted(others, 'question')}, {_share(others, report)}." if others else "",
    )


def _topic(topic: Topic, report: Report, most: int) -> Entry:
    notes = [_share(topic.count, report)]
    if topic.before is None and report.before:
        notes.append("the week before is no longer known")
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
    if not sum(report.unresolved.values()):
        return Section(title=title, intro="Every question was answered.")
    shown = report.gaps[: room.gaps]
    most = max((gap.demand for gap in shown), default=1)
    return Section(
        title=title,
        intro=_missing(report),
        tables=tuple(_reasons(report, room)),
        entries=tuple(_gap(gap, most) for gap in shown),
        after=_further(report, len(shown)),
    )


def _missing(report: Report) -> str:
    """Return how many questions had no answer, and how many gaps they are."""
    missing, asked = sum(report.unresolved.values()), report.totals.questions
    told = f"{number(missing)} of {counted(asked, 'question')} had no answer."
    gaps = report.gaps_distinct
    if not gaps:
        return f"{told} Their words were not kept."
    kinds = "1 gap: a question that was" if gaps == 1 else f"{number(gaps)} gaps: questions that were"
    order = "" if gaps == 1 else " The ones that most people missed most often come first."
    return f"{told} That makes {kinds} not answered every time.{order}"


def _further(report: Report, shown: int) -> str:
    """Return what the list of gaps leaves out."""
    parts = []
    if report.gaps_distinct > shown:
        parts.append(f"And {counted(report.gaps_distinct - shown, 'more gap')}.")
    wordless = sum(report.unresolved.values()) - sum(gap.count for gap in report.gaps)
    if report.gaps and report.gaps_distinct == len(report.gaps) and wordless > 0:
        parts.append(f"The words of {counted(wordless, 'unanswered question')} were not kept.")
    return " ".join(parts)


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
    yield compared(
        report.before,
        Table(
            caption="Questions without an answer, by reason",
            head=("Reason", "This week", before_column(report.before)),
            rows=tuple(
                (UNRESOLVED_WORDS[kind], number(count), number(before[kind]) if before else "")
                for kind, count in report.unresolved.items()
                if count or (before and before[kind])
            ),
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
    before = report.before
    disliked = sorted((t for t in report.topics if t.useful.no), key=lambda t: (-t.useful.no, t.name))
    tables = [
        compared(
            before,
            Table(
                caption="Ratings",
                head=("Rating", "This week", before_column(before)),
                rows=(
                    ("Helped", number(report.useful.yes), number(before.useful.yes) if before else ""),
                    ("Did not help", number(report.useful.no), number(before.useful.no) if before else ""),
                ),
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
    return Section(title=title, intro=_rated(report), tables=tuple(tables))


def _rated(report: Report) -> str:
    """Return what people said of answers, beside the week before."""
    helpful, before = report.helpful, report.before.helpful if report.before else None
    few = helpful.share is None
    said = rate(helpful) if few else f"{rate(helpful)} of {number(helpful.of)}"
    sure = "" if few else f" ({interval(helpful)})"
    told = f"{said} {'rating' if helpful.of == 1 else 'ratings'} said that the answer helped{sure}."
    if before is None:
        return told
    if not before.of:
        return f"{told} Nobody rated an answer the week before."
    change = report.change("helpful")
    if change is None or not change.direction:
        clear = "" if change is None else "No clear change: "
        return f"{told} {capital(f'{clear}the week before it was')} {rate(before)}."
    way = "more" if change.direction == "up" else "less"
    return f"{told} That is {points(change.now - change.before)} {way} than the week before ({rate(before)})."


def _when(title: str, report: Report, room: Room) -> Section:
    shown = [source for source in report.sources[: room.rows] if len(report.sources) > 1]
    channels = Table(
        caption="Channels",
        head=("Channel", "Questions", "Share"),
        rows=tuple((one.name, number(one.questions), _share(one.questions, report)) for one in shown),
    )
    return Section(
        title=title,
        intro=f"{busiest(report)} Hours are in the time zone {report.period.zone}.",
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
