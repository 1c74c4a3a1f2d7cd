"""The tables of the report: topics, gaps, causes, channels, models and routes, each the largest first."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from tuppence.event import FEEDBACK, QUESTION, REQUEST, Outcome
from tuppence.pipeline.names import OTHER
from tuppence.pipeline.rollup import Cell, RouteUse
from tuppence.report import document as doc
from tuppence.report.changes import fails
from tuppence.report.inert import NAME, line
from tuppence.report.topics import Group, people

LISTED: Final = 200
"""Rows of one table at most."""
WORDINGS: Final = 3
"""Further wordings shown of one topic."""
BANDS: Final = 5
"""Bands that scores are counted in."""
LOW_SCORE: Final = 50
"""Hundredths: a score below it is called low."""
BUILT_IN: Final = frozenset({QUESTION, FEEDBACK, REQUEST})
"""Types of events that have sections of their own."""
EXAMPLE: Final = 500
"""Characters of an example."""
_CLOSING: Final = " .!?…"


def topics(groups: Sequence[Group], questions: int, *, compared: bool) -> list[doc.Topic]:
    """Return the most asked groups as topics.

    Args:
        groups: what was asked, the most asked first.
        questions: all questions of the week.
        compared: whether there are texts of the week before.

    """
    return [_topic(group, questions, compared=compared) for group in groups[:LISTED]]


def gaps(groups: Iterable[Group]) -> tuple[list[doc.Gap], int]:
    """Return the groups with unanswered questions, the most lost demand first, and how many there are."""
    found = [group for group in groups if _unanswered(group)]
    worst = heapq.nsmallest(
        LISTED, found, key=lambda group: (-_demand(group), -_unanswered(group), group.key)
    )
    return [_gap(group) for group in worst], len(found)


def causes(total: Cell) -> list[doc.Cause]:
    """Return why questions went unanswered."""
    split = ((name.partition("/"), count) for name, count in _most(total.causes))
    return [
        doc.Cause(outcome=_named(outcome), cause=_named(cause or OTHER), count=count)
        for (outcome, _, cause), count in split
    ]


def sources(total: Cell) -> list[doc.Source]:
    """Return the channels."""
    return [doc.Source(name=_named(name), questions=count) for name, count in _most(total.sources)]


def types(total: Cell) -> dict[str, int]:
    """Return the events by type."""
    return {_named(name): count for name, count in _most(total.types)}


def events(total: Cell, before: Cell | None) -> list[doc.EventCount]:
    """Return the events by type, beside the week before."""
    return [
        doc.EventCount(
            name=_named(name), count=count, before=None if before is None else before.types.get(name, 0)
        )
        for name, count in _most(total.types)
    ]


def scores(total: Cell, before: Cell | None) -> doc.Scores:
    """Return how sure the application's search was."""
    bands = [0] * BANDS
    for score, count in total.scores.items():
        bands[min(score * BANDS // 100, BANDS - 1)] += count
    return doc.Scores(
        count=sum(bands),
        median=_median(total.scores),
        median_before=_median(before.scores) if before else None,
        low=sum(count for score, count in total.scores.items() if score < LOW_SCORE),
        bands=bands,
    )


def _median(scores: Mapping[int, int]) -> float | None:
    """Return the middle of scores in hundredths (nearest rank)."""
    rank = (sum(scores.values()) + 1) // 2
    for score in sorted(scores):
        rank -= scores[score]
        if rank <= 0:
            return score / 100
    return None


def citations(total: Cell) -> list[doc.Citation]:
    """Return what answers rested on."""
    return [
        doc.Citation(
            name=_named(name),
            questions=count,
            answered=total.citations[name].answered,
            useful=doc.Useful(yes=total.citations[name].useful_yes, no=total.citations[name].useful_no),
        )
        for name, count in _most({name: use.questions for name, use in total.citations.items()})
    ]


def models(total: Cell) -> list[doc.Model]:
    """Return what each model did."""
    used = _most({name: use.questions for name, use in total.models.items()})
    return [
        doc.Model(
            name=_named(name),
            questions=count,
            input_tokens=total.models[name].input_tokens,
            output_tokens=total.models[name].output_tokens,
        )
        for name, count in used
    ]


def routes(total: Cell, before: Cell | None) -> list[doc.Route]:
    """Return what each route did, those that fail first."""
    made = [
        _route(name, use, before.routes.get(name, RouteUse()) if before else None, len(total.routes))
        for name, use in total.routes.items()
    ]
    return sorted(made, key=lambda one: (not one.failing, -one.requests, one.name))[:LISTED]


def _route(name: str, use: RouteUse, before: RouteUse | None, among: int) -> doc.Route:
    return doc.Route(
        name=_named(name),
        requests=use.requests,
        errors=use.errors,
        client_errors=use.client_errors,
        requests_before=before.requests if before else None,
        errors_before=before.errors if before else None,
        failing=fails(use, before, among),
        p50=use.latency.percentile(0.5),
        p95=use.latency.percentile(0.95),
    )


def _topic(group: Group, questions: int, *, compared: bool) -> doc.Topic:
    count = group.now.count
    asked, error = people(group.now)
    return doc.Topic(
        name=_name(group),
        example=line(group.wordings[0], EXAMPLE),
        wordings=_further(group),
        count=count,
        before=group.before if compared else None,
        change=count - group.before if compared else None,
        share=round(count / questions, 4) if questions else 0.0,
        answered=group.now.outcomes.get(Outcome.ANSWERED, 0),
        people=asked,
        people_error=error,
        useful=doc.Useful(yes=group.now.useful_yes, no=group.now.useful_no),
        new=compared and not group.before,
    )


def _unanswered(group: Group) -> int:
    return group.now.count - group.now.outcomes.get(Outcome.ANSWERED, 0)


def _demand(group: Group) -> int:
    """Return the unanswered questions times the people who can have missed an answer."""
    count = _unanswered(group)
    return count * (min(count, people(group.now)[0]) or 1)


def _gap(group: Group) -> doc.Gap:
    asked, error = people(group.now)
    return doc.Gap(
        name=_name(group),
        example=line(group.wordings[0], EXAMPLE),
        count=_unanswered(group),
        asked=group.now.count,
        people=asked,
        people_error=error,
        demand=_demand(group),
        outcomes={name: n for name, n in _most(group.now.outcomes) if name != Outcome.ANSWERED},
        causes={_named(name): n for name, n in _most(group.now.causes)},
    )


def _name(group: Group) -> str:
    """Return the most frequent wording as a title."""
    name = line(group.wordings[0]) or "(no words)"
    return name[:1].upper() + name[1:]


def _named(name: str) -> str:
    """Return a name an application gave; what a rollup had no room for goes by none."""
    return "everything else" if name == OTHER else line(name, NAME) or "(no name)"


def _further(group: Group) -> list[str]:
    """Return other wordings that a reader can tell from the name."""
    seen = {_name(group).casefold()}
    further: list[str] = []
    for text in group.wordings[1:]:
        wording = line(text)
        told = wording.rstrip(_CLOSING).casefold()
        if told and told not in seen and len(further) < WORDINGS:
            seen.add(told)
            further.append(wording)
    return further


def _most(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:LISTED]
