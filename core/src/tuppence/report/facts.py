"""Makes the report of what was read: a pure function from numbers and texts to one document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import tuppence
from tuppence.event import Outcome
from tuppence.liveness import Pipeline
from tuppence.pipeline.rollup import Cell, Seen
from tuppence.pipeline.sketch import HLL_ERROR, Histogram
from tuppence.pipeline.texts import Text
from tuppence.report import document as doc
from tuppence.report import tables
from tuppence.report.arrival import arrival
from tuppence.report.changes import changes, request_times
from tuppence.report.numbers import Numbers
from tuppence.report.period import Week
from tuppence.report.rhythm import kind_of, last_event
from tuppence.report.topics import group

WEEKS: Final = 8
"""Weeks of the trend, the one reported included."""
UNRESOLVED: Final[Mapping[str, str]] = {
    Outcome.NO_MATCH: "content",
    Outcome.REFUSED: "refused",
    Outcome.ERROR: "outage",
    Outcome.TIMEOUT: "outage",
    Outcome.RATE_LIMITED: "rate_limited",
    Outcome.INVALID: "invalid",
    Outcome.ABORTED: "aborted",
}
"""What kind of failure each outcome is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that a report is made of.

    Attributes:
        weeks: the numbers of up to `WEEKS` weeks, oldest first; the last is the one reported.
        after: what has arrived of each capturing process since.
        texts: what was asked in that week, by key.
        texts_before: how often each was asked in the week before.
        texts_left_out: questions of the week whose words were not kept.
        late: events that came more than an hour after the hour they belong to.
        dead_events: events in dead letters that came in during the week, a letter counting as one at least.
        dead_letters: letters that wait to be replayed.
        waiting_hours: hours that are not sealed.
        recount_hours: hours that are still to be counted again, by the clock of another time zone.
        counted_by: other zones than the week's by whose clock some of its days were counted.
        zone_change: when the time zone was changed, if an earlier mail went by another clock.
        unconfirmed: labels of weeks with a mail that may have been sent or not.
        pipeline: whether the jobs run, and what waits in the queue.
        until: now, where the week reported is not over.
        next_send, next_week: when the next mail is due, and the week it is about.
        keep_events, keep_rollups: how long things are kept.

    """

    project: str
    weeks: Sequence[Numbers]
    after: Mapping[str, Seen]
    texts: Mapping[str, Text]
    texts_before: Mapping[str, int]
    texts_left_out: int = 0
    late: int = 0
    dead_events: int = 0
    dead_letters: int = 0
    waiting_hours: int = 0
    recount_hours: int = 0
    counted_by: Sequence[str] = ()
    zone_change: doc.ZoneChange | None = None
    unconfirmed: Sequence[str] = ()
    pipeline: Pipeline = field(default_factory=Pipeline)
    until: datetime | None = None
    next_send: datetime
    next_week: Week
    keep_events: timedelta
    keep_rollups: timedelta


def facts(evidence: Evidence) -> doc.Report:
    """Return the report, without its words (`verdict` adds them).

    A week that is not over is compared with nothing: it would look like a fall.
    """
    every = evidence.weeks
    first = _first(every) if evidence.until is None else len(every) - 1
    weeks = every[first:]
    trend = [_past(weeks, at, arrival(every, first + at, evidence.after)) for at in range(len(weeks))]
    this, now = weeks[-1], trend[-1]
    total, before = this.total, weeks[-2].total if len(weeks) > 1 else None
    asked_before = evidence.texts_before if evidence.until is None else {}
    groups = group(evidence.texts, asked_before)
    gaps, gaps_distinct = tables.gaps(groups)
    return doc.Report(
        program=tuppence.__version__,
        project=evidence.project,
        kind=kind_of(every, evidence.until),
        period=_period(this.week, evidence),
        totals=now.totals,
        outcomes=now.outcomes,
        unresolved=now.unresolved,
        answered=now.answered,
        useful=now.useful,
        helpful=now.helpful,
        latency_ms=now.latency_ms,
        requests=now.requests,
        trend=trend,
        changes=changes(weeks, trend),
        by_hour=this.questions if total.questions else this.events,
        by_hour_of="questions" if total.questions else "events",
        last_event=last_event(every),
        topics=tables.topics(groups, total.questions, compared=bool(asked_before)),
        topics_distinct=len(groups),
        gaps=gaps,
        gaps_distinct=gaps_distinct,
        causes=tables.causes(total),
        worst_hour=this.worst,
        sources=tables.sources(total),
        models=tables.models(total),
        routes=tables.routes(total, before),
        types=tables.types(total),
        events=tables.events(total, before),
        scores=tables.scores(total, before),
        citations=tables.citations(total),
        health=_health(evidence, now, total),
        next=doc.Next(send=evidence.next_send.isoformat(timespec="seconds"), week=evidence.next_week.label),
        kept=doc.Kept(events=evidence.keep_events.days, rollups=evidence.keep_rollups.days),
    )


def _first(weeks: Sequence[Numbers]) -> int:
    """Return which week is the first that holds events; at the latest the one reported."""
    return next((at for at, week in enumerate(weeks) if week.total.events), len(weeks) - 1)


def _past(weeks: Sequence[Numbers], at: int, arrived: doc.Arrival) -> doc.Past:
    """Return `weeks[at]` in short."""
    this, total = weeks[at], weeks[at].total
    outcomes = {outcome.value: total.outcomes.get(outcome, 0) for outcome in Outcome}
    unresolved = dict.fromkeys(UNRESOLVED.values(), 0)
    for outcome, kind in UNRESOLVED.items():
        unresolved[kind] += outcomes[outcome]
    begun = this.active[0][:10] if this.active else ""
    return doc.Past(
        week=this.week.label,
        partial=at == 0 and begun > f"{this.week.monday:%Y-%m-%d}",
        totals=_totals(total),
        outcomes=outcomes,
        unresolved=unresolved,
        useful=doc.Useful(yes=total.useful_yes, no=total.useful_no),
        latency_ms=_latency(total.latency),
        requests=doc.Requests(
            total=sum(use.requests for use in total.routes.values()),
            errors=sum(use.errors for use in total.routes.values()),
            client_errors=sum(use.client_errors for use in total.routes.values()),
            latency_ms=_latency(request_times(total)),
        ),
        health=arrived,
    )


def _latency(times: Histogram) -> doc.Latency:
    return doc.Latency(
        p50=times.percentile(0.5),
        p95=times.percentile(0.95),
        p99=times.percentile(0.99),
        count=times.count(),
    )


def _totals(total: Cell) -> doc.Totals:
    people, sessions = total.people.count(), total.sessions.count()
    return doc.Totals(
        events=total.events,
        questions=total.questions,
        people=people,
        people_error=0 if total.people.exact else round(people * HLL_ERROR),
        sessions=sessions,
        sessions_error=0 if total.sessions.exact else round(sessions * HLL_ERROR),
    )


def _period(week: Week, evidence: Evidence) -> doc.Period:
    until = evidence.until
    return doc.Period(
        week=week.label,
        start=week.start.isoformat(),
        end=week.end.isoformat(),
        zone=week.zone.key,
        counted_by=list(evidence.counted_by),
        zone_change=evidence.zone_change,
        complete=until is None,
        until=None if until is None else until.astimezone(week.zone).isoformat(timespec="minutes"),
    )


def _health(evidence: Evidence, now: doc.Past, total: Cell) -> doc.Health:
    arrived = now.health
    kept = arrived.accepted + arrived.dropped + arrived.lost + evidence.dead_events
    return doc.Health(
        **{name: getattr(arrived, name) for name in doc.Arrival.__struct_fields__},
        rejected=arrived.refused + evidence.dead_events,
        late=evidence.late,
        coverage=round(arrived.accepted / kept, 6) if kept else None,
        dead_letters=evidence.dead_letters,
        waiting_hours=evidence.waiting_hours,
        recount_hours=evidence.recount_hours,
        texts_left_out=evidence.texts_left_out,
        unconfirmed=list(evidence.unconfirmed),
        omitted=_omitted(evidence, now, total),
        pipeline=evidence.pipeline,
    )


def _omitted(evidence: Evidence, now: doc.Past, total: Cell) -> list[str]:
    """Name the sections that have nothing to show."""
    shown = {
        "What was asked": bool(evidence.texts),
        "What it could not answer": bool(total.outcomes),
        "Was it useful?": bool(total.useful_yes or total.useful_no),
        "When": bool(total.events),
        "Speed": bool(now.latency_ms.count),
        "Models and tokens": bool(total.models),
        "Scores and sources": bool(total.scores or total.citations),
        "API routes": bool(total.routes),
        "Other events": any(name not in tables.BUILT_IN for name in total.types),
    }
    return [title for title, known in shown.items() if not known]
