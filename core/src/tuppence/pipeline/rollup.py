"""The rollup: the mergeable numbers of an hour, a day, or any span of days.

Hours are sealed from events; days merge hours, weeks merge days. All numbers are integers or sketches, so a
merge is exact, order-free and byte-identical. Nothing in here names a person or repeats a text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from operator import attrgetter
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import msgspec

from tuppence.event import hour_start
from tuppence.pipeline.names import NAMES, bounded, kept_names
from tuppence.pipeline.owner_clock import DAY_LENGTH
from tuppence.pipeline.sketch import Count, Histogram, IdSet, merge_counts, total
from tuppence.runs import fewer_runs, merge_runs

VERSION: Final = 1
DAY_NAMES: Final = 4 * NAMES
"""Distinct names kept in one table of names of a day, which has been merged from those of its hours."""
INSTANCES: Final = 4_096
"""Capturing runs of which one record tells."""
RUNS: Final = 2 * INSTANCES
"""Runs of numbers of all of them, 160 kB at most. A run ends at a number that is lost or still on its way."""
_Number = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Hundredths = Annotated[int, msgspec.Meta(ge=0, le=100)]
_Run = Annotated[list[_Number], msgspec.Meta(min_length=2, max_length=2)]


class ModelUse(msgspec.Struct, omit_defaults=True):
    """What one model did."""

    questions: Count = 0
    input_tokens: Count = 0
    output_tokens: Count = 0


class RouteUse(msgspec.Struct, omit_defaults=True):
    """What one route of an API did; errors are answers of 500 and above, client errors of 400 to 499."""

    requests: Count = 0
    errors: Count = 0
    latency: Histogram = msgspec.field(default_factory=Histogram)
    client_errors: Count = 0


class CitationUse(msgspec.Struct, omit_defaults=True):
    """The questions whose answers rested on one source: how many were answered, and how they were rated."""

    questions: Count = 0
    answered: Count = 0
    useful_yes: Count = 0
    useful_no: Count = 0


class Cell(msgspec.Struct, omit_defaults=True):
    """The numbers of one hour of the owner's clock, or of a merge of such hours.

    Attributes:
        events: all of them, duplicates dropped.
        types: events by type.
        questions: how many of them are questions.
        outcomes: questions by outcome.
        causes: questions not answered, by `outcome/cause`.
        useful_yes, useful_no: what people said of answers.
        people, sessions: distinct users and sessions, as keyed hashes.
        latency: of questions, in milliseconds.
        models: questions and tokens by model; tokens of questions that name none are under `""`.
        sources: questions by channel.
        routes: requests by `METHOD route`.
        scores: questions by score, in hundredths.
        citations: questions by what their answers rested on; one may rest on several.

    """

    events: Count = 0
    types: dict[str, Count] = {}
    questions: Count = 0
    outcomes: dict[str, Count] = {}
    causes: dict[str, Count] = {}
    useful_yes: Count = 0
    useful_no: Count = 0
    people: IdSet = msgspec.field(default_factory=IdSet)
    sessions: IdSet = msgspec.field(default_factory=IdSet)
    latency: Histogram = msgspec.field(default_factory=Histogram)
    models: dict[str, ModelUse] = {}
    sources: dict[str, Count] = {}
    routes: dict[str, RouteUse] = {}
    scores: dict[Hundredths, Count] = {}
    citations: dict[str, CitationUse] = {}


class Seen(msgspec.Struct, omit_defaults=True):
    """What arrived of one instance.

    `received` holds the sequence numbers as `[first, last]` runs, sorted and apart. `captured`, `dropped`,
    `refused`, `ignored` and `set_aside` are its cumulative counts, the highest that arrived. As many numbers
    as `uncertain` says may be missing from runs that were joined, since there were too many.
    """

    received: list[_Run] = []
    captured: _Number = 0
    dropped: _Number = 0
    refused: _Number = 0
    ignored: _Number = 0
    set_aside: _Number = 0
    hello: bool = False
    goodbye: bool = False
    uncertain: _Number = 0


class Rollup(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The numbers of a UTC hour (`cells` by hour of the owner's clock) or of a day.

    Of a day's hours only events, questions and outcomes are kept apart. Twenty-four sets of the same people
    would make a day's record twenty times as large, and who came in a week is asked of days.

    Attributes:
        version: of this form.
        zone: the time zone the cells were cut in.
        other_zones: further zones in which some hours of a day were cut; sorted, absent from an hour.
        parts: what it was made from: the batch ids of an hour, the UTC hours of a day; sorted.
        cells: by hour of the owner's clock, as `2026-11-16T09`; an hour cut by a zone at :30 or :45 has two.
        total: all cells of a day as one; absent from an hour.
        instances: what arrived of each capturing run.
        untraced: capturing runs beyond those of which a record tells; their events are counted.
        duplicates: events dropped because the same event had been counted.
        contradicted: of those, how many said something else than the event that had been counted.
        identified: events that came from outside with an id, duplicates dropped.
        ids: hashes of those ids; fewer than `identified` where one id came with several times.
        conflicting: by how many fewer, hour by hour: what is still known when `ids` is no longer exact.
        unreadable: segments that passed the drain but hold columns that cannot be read.

    """

    version: int = VERSION
    zone: str
    other_zones: list[str] = []
    parts: list[str]
    cells: dict[str, Cell] = {}
    total: Cell | None = None
    instances: dict[str, Seen] = {}
    untraced: Count = 0
    duplicates: Count = 0
    contradicted: Count = 0
    identified: Count = 0
    ids: IdSet = msgspec.field(default_factory=IdSet)
    conflicting: Count = 0
    unreadable: Count = 0

    @property
    def whole(self) -> Cell:
        """All cells as one."""
        return self.total if self.total is not None else merge_cells(self.cells.values())


def start_day(hour: str, rollup: Rollup) -> date:
    """Return the day of the owner's clock in which an hour begins."""
    return hour_start(hour).astimezone(ZoneInfo(rollup.zone)).date()


def days_of(hour: str, rollup: Rollup) -> set[date]:
    """Return the days that an hour's rollup is a part of: those of its cells, and the one it begins in.

    An hour in the middle of which the owner's midnight lies is a part of two days. What is not kept by cell
    (duplicates and the like) belongs to the day in which the hour begins.
    """
    return {start_day(hour, rollup), *(date.fromisoformat(name[:DAY_LENGTH]) for name in rollup.cells)}


def merge_day(day: date, zone: str, hours: Mapping[str, Rollup]) -> Rollup:
    """Return the rollup of a day of the owner's clock, from all the hours that it is a part of.

    `zone` is the owner's. Hours that were counted in another one say so, and then so does the day.
    """
    cells: dict[str, list[Cell]] = {}
    for rollup in hours.values():
        for name, cell in rollup.cells.items():
            if name.startswith(day.isoformat()):
                cells.setdefault(name, []).append(cell)
    own = [rollup for hour, rollup in hours.items() if start_day(hour, rollup) == day]
    zones = {rollup.zone for rollup in hours.values()} or {zone}
    main, *others = sorted(zones, key=lambda name: (name != zone, name))
    instances, untraced = followed(merge_instances(rollup.instances for rollup in hours.values()))
    return Rollup(
        zone=main,
        other_zones=others,
        parts=sorted(hours),
        cells={name: _by_hour(parts) for name, parts in cells.items()},
        total=_with_fewer_names(merge_cells(cell for parts in cells.values() for cell in parts)),
        instances=instances,
        untraced=total([untraced, *(rollup.untraced for rollup in own)]),
        duplicates=total(rollup.duplicates for rollup in own),
        contradicted=total(rollup.contradicted for rollup in own),
        identified=total(rollup.identified for rollup in own),
        ids=IdSet.merged(rollup.ids for rollup in own),
        conflicting=total(rollup.conflicting for rollup in own),
        unreadable=total(rollup.unreadable for rollup in own),
    )


def _by_hour(parts: Sequence[Cell]) -> Cell:
    """Return what a day keeps of one of its hours."""
    return Cell(
        events=total(cell.events for cell in parts),
        questions=total(cell.questions for cell in parts),
        outcomes=merge_counts(cell.outcomes for cell in parts),
    )


def _with_fewer_names(cell: Cell) -> Cell:
    """Return a cell with `DAY_NAMES` names in each table at most; the rest is `OTHER`."""
    return msgspec.structs.replace(
        cell,
        types=bounded(cell.types, DAY_NAMES),
        causes=bounded(cell.causes, DAY_NAMES),
        sources=bounded(cell.sources, DAY_NAMES),
        models=_fewer(cell.models, attrgetter("questions"), _merge_models, DAY_NAMES),
        routes=_fewer(cell.routes, attrgetter("requests"), _merge_routes, DAY_NAMES),
        citations=fewer_citations(cell.citations, DAY_NAMES),
    )


def fewer_citations(table: Mapping[str, CitationUse], most: int) -> dict[str, CitationUse]:
    """Return a table of at most `most` names; the rest is `OTHER`."""
    return _fewer(table, attrgetter("questions"), _merge_citations, most)


def _fewer(table: Mapping[str, Any], size: Callable[[Any], int], merge: Any, most: int) -> dict[str, Any]:
    named = kept_names({name: size(use) for name, use in table.items()}, most)
    return _grouped(({named[name]: use} for name, use in table.items()), merge)


def merge_cells(cells: Iterable[Cell]) -> Cell:
    """Return the sum of these cells."""
    parts = list(cells)
    return Cell(
        events=total(cell.events for cell in parts),
        types=merge_counts(cell.types for cell in parts),
        questions=total(cell.questions for cell in parts),
        outcomes=merge_counts(cell.outcomes for cell in parts),
        causes=merge_counts(cell.causes for cell in parts),
        useful_yes=total(cell.useful_yes for cell in parts),
        useful_no=total(cell.useful_no for cell in parts),
        people=IdSet.merged(cell.people for cell in parts),
        sessions=IdSet.merged(cell.sessions for cell in parts),
        latency=Histogram.merged(cell.latency for cell in parts),
        models=_grouped((cell.models for cell in parts), _merge_models),
        sources=merge_counts(cell.sources for cell in parts),
        routes=_grouped((cell.routes for cell in parts), _merge_routes),
        scores=merge_counts(cell.scores for cell in parts),
        citations=_grouped((cell.citations for cell in parts), _merge_citations),
    )


def merge_seen(parts: Iterable[Seen]) -> Seen:
    """Return what arrived of one instance over several rollups."""
    seen = list(parts)
    return Seen(
        received=merge_runs(run for one in seen for run in one.received),
        captured=max((one.captured for one in seen), default=0),
        dropped=max((one.dropped for one in seen), default=0),
        refused=max((one.refused for one in seen), default=0),
        ignored=max((one.ignored for one in seen), default=0),
        set_aside=max((one.set_aside for one in seen), default=0),
        hello=any(one.hello for one in seen),
        goodbye=any(one.goodbye for one in seen),
        uncertain=total(one.uncertain for one in seen),
    )


def merge_instances(parts: Iterable[Mapping[str, Seen]]) -> dict[str, Seen]:
    """Return what arrived of each instance over several rollups."""
    return _grouped(parts, merge_seen)


def followed(instances: Mapping[str, Seen]) -> tuple[dict[str, Seen], int]:
    """Return the instances that a record has room for, and how many more there are.

    Those from which most arrived stay. Each has its share of the `RUNS`, for which small gaps are closed.
    """
    names = sorted(instances, key=lambda name: (-arrived(instances[name]), name))[:INSTANCES]
    share = RUNS // max(1, len(names))
    found = {name: instances[name] for name in names}
    for name, seen in found.items():
        if len(seen.received) > share:
            runs, closed = fewer_runs(seen.received, share)
            found[name] = msgspec.structs.replace(seen, received=runs, uncertain=seen.uncertain + closed)
    return found, len(instances) - len(names)


def arrived(seen: Seen) -> int:
    """Return how many numbers of an instance arrived."""
    return sum(last - first + 1 for first, last in seen.received) - seen.uncertain


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Rollup)


def encode(rollup: Rollup) -> bytes:
    """Return the rollup's one form in bytes."""
    return _encoder.encode(_ordered(msgspec.to_builtins(rollup, builtin_types=(bytes,))))


def decode(body: bytes) -> Rollup:
    """Return the rollup of these bytes. Raises `msgspec.MsgspecError` or `ValueError`."""
    rollup = _decoder.decode(body)
    for name in rollup.cells:
        if f"{datetime.fromisoformat(name):%Y-%m-%dT%H}" != name:
            raise ValueError("a cell that is no hour")
    try:
        ZoneInfo(rollup.zone)
    except (KeyError, OSError) as error:
        raise ValueError("a time zone that is not known here") from error
    return rollup


def _ordered(value: Any) -> Any:
    """Return plain values with mappings in the order of their keys; msgspec orders those of strings only."""
    if isinstance(value, dict):
        return {key: _ordered(value[key]) for key in sorted(value)}
    return value


def _grouped(tables: Iterable[Mapping[str, Any]], merge: Any) -> dict[str, Any]:
    groups: dict[str, list[Any]] = {}
    for table in tables:
        for name, value in table.items():
            groups.setdefault(name, []).append(value)
    return {name: merge(values) for name, values in groups.items()}


def _merge_models(uses: list[ModelUse]) -> ModelUse:
    return ModelUse(
        questions=total(use.questions for use in uses),
        input_tokens=total(use.input_tokens for use in uses),
        output_tokens=total(use.output_tokens for use in uses),
    )


def _merge_routes(uses: list[RouteUse]) -> RouteUse:
    return RouteUse(
        requests=total(use.requests for use in uses),
        errors=total(use.errors for use in uses),
        latency=Histogram.merged(use.latency for use in uses),
        client_errors=total(use.client_errors for use in uses),
    )


def _merge_citations(uses: list[CitationUse]) -> CitationUse:
    return CitationUse(
        questions=total(use.questions for use in uses),
        answered=total(use.answered for use in uses),
        useful_yes=total(use.useful_yes for use in uses),
        useful_no=total(use.useful_no for use in uses),
    )
