"""The report as data. Its JSON is a contract, described in `docs/reference/report-json.md`.

Times are RFC 3339 with the owner's offset, spans of time milliseconds, shares fractions of 1.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from tuppence.event import Outcome
from tuppence.liveness import Pipeline
from tuppence.report.rates import Rate

VERSION: Final = 1

Kind = Literal["normal", "quiet", "silent", "empty"]
Measure = Literal[
    "answered",
    "helpful",
    "failed",
    "p50",
    "p95",
    "request_errors",
    "client_errors",
    "request_p50",
    "request_p95",
]


class ZoneChange(msgspec.Struct, frozen=True, kw_only=True):
    """When the time zone was changed, and from which one."""

    at: str
    before: str


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """The week: `start` is its first moment, `end` the first after it.

    `complete` is false while it is not over; the report then goes as far as `until`. `counted_by` names other
    zones than `zone` by whose clock some of its days were counted.
    """

    week: str
    start: str
    end: str
    zone: str
    counted_by: list[str] = []
    zone_change: ZoneChange | None = None
    complete: bool = True
    until: str | None = None


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """How much. `people_error` and `sessions_error` are standard errors; 0 where the number is exact."""

    events: int
    questions: int
    people: int
    people_error: int
    sessions: int
    sessions_error: int


class Useful(msgspec.Struct, frozen=True, kw_only=True):
    """What people said of answers."""

    yes: int
    no: int


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds until a question ended, within 1.6 %; `None` where nobody measured."""

    p50: int | None
    p95: int | None
    p99: int | None
    count: int


class Requests(msgspec.Struct, frozen=True, kw_only=True):
    """The requests of an API; `errors` are answers of 500 and above, `client_errors` of 400 to 499."""

    total: int
    errors: int
    client_errors: int
    latency_ms: Latency


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the events of a week.

    Attributes:
        captured: all that applications handed in: accepted, duplicates, dropped, refused and lost.
        accepted: counted, each once.
        duplicates: dropped, because the same event had been counted.
        contradicted: of those, how many said something else than the event that had been counted.
        dropped: fallen out of a full journal.
        refused: calls whose content could not be an event.
        ignored: statements that could not be recorded, such as a score of 2; their events are counted.
        lost: gaps in the numbering that nothing else explains.
        set_aside: of those lost, how many the queue refused; they are kept on the host that captured them.
        unreadable: segments that hold what cannot be read.
        conflicting: events whose id had come before with another time; they are counted.
        silent_instances: runs of capturing processes that were not heard of again, without a goodbye.
        claimed: events that processes say were lost, dropped or refused, far beyond what arrived of them.
            Nothing bears that out, and they are in none of the other counts.
        uncertain: numbers that may be lost: there were too many gaps to keep them all.
        untraced: processes beyond those that a record follows; of them only the events are known.

    """

    captured: int
    accepted: int
    duplicates: int
    contradicted: int
    dropped: int
    refused: int
    ignored: int
    lost: int
    set_aside: int
    unreadable: int
    conflicting: int
    silent_instances: int
    claimed: int
    uncertain: int
    untraced: int


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """One week in short, for comparison. `partial`: the first week there is, begun after its Monday."""

    week: str
    partial: bool
    totals: Totals
    outcomes: dict[str, int]
    unresolved: dict[str, int]
    useful: Useful
    latency_ms: Latency
    requests: Requests
    health: Arrival

    @property
    def answered(self) -> Rate:
        """The share of questions that were answered."""
        return Rate.out_of(self.outcomes[Outcome.ANSWERED], sum(self.outcomes.values()))

    @property
    def helpful(self) -> Rate:
        """The share of ratings that said the answer helped."""
        return Rate.out_of(self.useful.yes, self.useful.yes + self.useful.no)

    @property
    def failed(self) -> Rate:
        """The share of questions that ended in an error or a timeout."""
        return Rate.out_of(self.unresolved["outage"], sum(self.outcomes.values()))

    @property
    def request_errors(self) -> Rate:
        """The share of requests that were answered with 500 and above."""
        return Rate.out_of(self.requests.errors, self.requests.total)

    @property
    def client_errors(self) -> Rate:
        """The share of requests that were answered with 400 to 499."""
        return Rate.out_of(self.requests.client_errors, self.requests.total)


class Health(Arrival, frozen=True, kw_only=True):
    """What can be said of the data.

    Attributes:
        rejected: refused by capture, and events in dead letters that came in during the week.
        late: events that came more than an hour after the hour they belong to; they are counted.
        coverage: the share of the events captured, less refused ones and duplicates, that is counted here.
        dead_letters: messages that wait to be replayed.
        waiting_hours: hours with events that are not in the numbers yet.
        recount_hours: hours that are still to be counted again since the time zone was changed.
        texts_left_out: questions that are counted, and whose words were not kept.
        unconfirmed: weeks of which a mail may have been sent or not.
        omitted: sections left out for want of data.
        pipeline: whether the jobs run, and what waits in the queue.

    """

    rejected: int
    late: int
    coverage: float | None
    dead_letters: int
    waiting_hours: int
    recount_hours: int
    texts_left_out: int
    unconfirmed: list[str]
    omitted: list[str]
    pipeline: Pipeline = Pipeline()


class Topic(msgspec.Struct, frozen=True, kw_only=True):
    """One question, in all its wordings.

    Attributes:
        name: how most people put it, with a large first letter.
        example: as one of them wrote it.
        wordings: further ways it was put.
        count: how often it was asked; `before`, the week before; `change`, the difference.
        share: of all questions of the week.
        answered: how many of them were.
        people: who asked, with `people_error` as standard error, 0 where exact.
        useful: what they said of the answers.
        new: not asked the week before.

    """

    name: str
    example: str
    wordings: list[str]
    count: int
    before: int | None
    change: int | None
    share: float
    answered: int
    people: int
    people_error: int
    useful: Useful
    new: bool


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """One question that was not always answered.

    Attributes:
        name, example: as in `Topic`.
        count: how often it went unanswered, of the times it was `asked`.
        people: who asked it; `people_error` as in `Topic`.
        demand: `count` times the people who can have missed the answer, `people` or `count` if that is less:
            the order of the list.
        outcomes: the unanswered ones by outcome.
        causes: the same by `outcome/cause`.

    """

    name: str
    example: str
    count: int
    asked: int
    people: int
    people_error: int
    demand: int
    outcomes: dict[str, int]
    causes: dict[str, int]


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """Why questions went unanswered."""

    outcome: str
    cause: str
    count: int


class WorstHour(msgspec.Struct, frozen=True, kw_only=True):
    """The hour of the owner's clock, as `2026-11-12T19`, with the most errors and timeouts."""

    hour: str
    failed: int
    questions: int


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """What one model did."""

    name: str
    questions: int
    input_tokens: int
    output_tokens: int


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """What one route of an API did; `failing` as `changes.fails` judges it."""

    name: str
    requests: int
    errors: int
    client_errors: int
    requests_before: int | None
    errors_before: int | None
    failing: bool
    p50: int | None
    p95: int | None


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """How many questions came through one channel."""

    name: str
    questions: int


class EventCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many events of one type there were; `before`, the week before."""

    name: str
    count: int
    before: int | None


class Scores(msgspec.Struct, frozen=True, kw_only=True):
    """The scores that applications gave questions.

    Attributes:
        count: how many questions had one.
        median, median_before: of this week and of the week before; `None` where there were none.
        low: how many were below 0.5.
        bands: how many lay from 0 to 0.2, from there to 0.4, and so on up to 1.

    """

    count: int
    median: float | None
    median_before: float | None
    low: int
    bands: list[int]


class Citation(msgspec.Struct, frozen=True, kw_only=True):
    """The questions whose answers rested on one source."""

    name: str
    questions: int
    answered: int
    useful: Useful


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """One measure beside the week before.

    Attributes:
        measure: which; shares are fractions of 1, times milliseconds.
        now, before: its values.
        direction: where it went, if by more than chance explains.
        tone: whether that is good or bad news, if it is either.

    """

    measure: Measure
    now: float
    before: float
    direction: Literal["up", "down", ""]
    tone: Literal["good", "bad", ""]


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One thing worth doing this week: what, why, and what to type, where there is something to type."""

    title: str
    why: str
    command: str = ""


class Next(msgspec.Struct, frozen=True, kw_only=True):
    """When the next mail is sent, and the week it will be about."""

    send: str
    week: str


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """How many days things are kept."""

    events: int
    rollups: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A week, complete. The fields are described in `docs/reference/report-json.md`."""

    version: int = VERSION
    program: str
    project: str
    kind: Kind
    overdue: bool = False
    period: Period
    totals: Totals
    outcomes: dict[str, int]
    unresolved: dict[str, int]
    answered: Rate
    useful: Useful
    helpful: Rate
    latency_ms: Latency
    requests: Requests
    trend: list[Past]
    changes: list[Comparison]
    by_hour: list[list[int]]
    by_hour_of: Literal["questions", "events"]
    last_event: str | None
    topics: list[Topic]
    topics_distinct: int
    gaps: list[Gap]
    gaps_distinct: int
    causes: list[Cause]
    worst_hour: WorstHour | None
    sources: list[Source]
    models: list[Model]
    routes: list[Route]
    types: dict[str, int]
    events: list[EventCount]
    scores: Scores
    citations: list[Citation]
    health: Health
    verdict: list[str] = []
    actions: list[Action] = []
    next: Next
    kept: Kept

    @property
    def before(self) -> Past | None:
        """The week before, where there was one."""
        return self.trend[-2] if len(self.trend) > 1 else None

    def change(self, measure: Measure) -> Comparison | None:
        """Return what became of a measure since the week before, where both weeks have enough cases."""
        return next((one for one in self.changes if one.measure == measure), None)
