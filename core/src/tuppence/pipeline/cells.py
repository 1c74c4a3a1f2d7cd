"""The counting of one cell: an hour of the owner's clock, filled a column at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from tuppence.batch import Columns
from tuppence.event import Outcome
from tuppence.pipeline.names import NAMES, bounded, hundredths, kept_names, strings, summed, wholes
from tuppence.pipeline.rollup import Cell, CitationUse, ModelUse, RouteUse, fewer_citations
from tuppence.pipeline.rows import Rows
from tuppence.pipeline.sketch import Histogram, IdSet, total
from tuppence.pipeline.visitors import Hashes

_CLIENT_ERROR: Final = 400
_SERVER_ERROR: Final = 500
NO_ROUTE: Final = "(no route)"
_UNNAMED: Final = ""
"""Stands for the model of questions that name none."""


class CellTally:
    """One cell being counted."""

    def __init__(self, hashes: Hashes) -> None:
        self._hashes = hashes
        self._events = 0
        self._types: Counter[str] = Counter()
        self._people: set[str | None] = set()
        self._sessions: set[str | None] = set()
        self._outcomes: Counter[tuple[str, str | None]] = Counter()
        self._useful: Counter[bool] = Counter()
        self._latency: Counter[int | None] = Counter()
        self._models: Counter[str | None] = Counter()
        self._tokens: dict[str, dict[str | None, int]] = {"input_tokens": {}, "output_tokens": {}}
        self._sources: Counter[str | None] = Counter()
        self._requests: Counter[tuple[str, int | None, int]] = Counter()
        self._scores: Counter[int | None] = Counter()
        self._cited: dict[str, CitationUse] = {}

    def add(self, columns: Columns, types: Mapping[str, int]) -> None:
        """Count what all events have. `types` are the events by type."""
        self._events += len(columns.time)
        self._types.update(types)
        self._people.update(columns.user)
        self._sessions.update(columns.session)

    def add_questions(self, questions: Rows, outcomes: Sequence[str], causes: Sequence[str | None]) -> None:
        """Count what only questions have."""
        self._outcomes.update(zip(outcomes, causes, strict=True))
        self._sources.update(questions.field("source"))
        self._latency.update(wholes(questions.data("latency_ms")))
        models = strings(questions.data("model"))
        self._models.update(models)
        for name, spent in self._tokens.items():
            for model, tokens in zip(models, wholes(questions.data(name)), strict=True):
                if tokens:
                    spent[model] = spent.get(model, 0) + tokens
        self._scores.update(hundredths(questions.data("score")))

    def cite(self, cited: Sequence[tuple[str, ...]], outcomes: Sequence[str]) -> None:
        """Count what the answers to questions rest on."""
        for (names, outcome), times in Counter(zip(cited, outcomes, strict=True)).items():
            for name in names:
                use = self._cited.setdefault(name, CitationUse())
                use.questions += times
                use.answered += times if outcome == Outcome.ANSWERED else 0

    def judge_cited(self, names: Sequence[str], *, useful: bool) -> None:
        """Credit what someone said of an answer to what it rests on, which has been counted."""
        for name in names:
            self._cited[name].useful_yes += useful
            self._cited[name].useful_no += not useful

    def add_requests(self, requests: Rows) -> None:
        """Count what only requests have."""
        methods = strings(requests.data("method"))
        statuses = wholes(requests.data("status"))
        latencies = wholes(requests.data("latency_ms"))
        rows = zip(methods, strings(requests.data("route")), statuses, latencies, strict=True)
        self._requests.update(
            (f"{method or '?'} {route or NO_ROUTE}", latency, _class_of(status or 0))
            for method, route, status, latency in rows
        )

    def judge(self, *, useful: bool) -> None:
        """Count what someone said of an answer."""
        self._useful[useful] += 1

    def cell(self) -> Cell:
        """Return the numbers."""
        outcomes: Counter[str] = Counter()
        causes: Counter[str] = Counter()
        for (outcome, cause), times in self._outcomes.items():
            outcomes[outcome] += times
            if cause and outcome != Outcome.ANSWERED:
                causes[f"{outcome}/{cause}"] += times
        return Cell(
            events=self._events,
            types=bounded(self._types),
            questions=outcomes.total(),
            outcomes=dict(outcomes),
            causes=bounded(causes),
            useful_yes=self._useful[True],
            useful_no=self._useful[False],
            people=IdSet.of(one for one in self._hashes.users.of(self._people) if one is not None),
            sessions=IdSet.of(map(self._hashes.sessions.once, filter(None, self._sessions))),
            latency=_histogram(self._latency),
            models=self._model_uses(),
            sources=bounded(_named(self._sources)),
            routes=self._route_uses(),
            scores={score: times for score, times in self._scores.items() if score is not None},
            citations=fewer_citations(self._cited, NAMES),
        )

    def _model_uses(self) -> dict[str, ModelUse]:
        questions = _named(self._models)
        named = kept_names(questions)
        uses = {name: ModelUse(questions=count) for name, count in summed(questions, named).items()}
        if any(None in spent or "" in spent for spent in self._tokens.values()):
            named[_UNNAMED] = _UNNAMED
            uses[_UNNAMED] = ModelUse(questions=self._models[None] + self._models[_UNNAMED])
        for kind, spent in self._tokens.items():
            for model, tokens in spent.items():
                use = uses[named[model or _UNNAMED]]
                setattr(use, kind, total([getattr(use, kind), tokens]))
        return uses

    def _route_uses(self) -> dict[str, RouteUse]:
        requests: Counter[str] = Counter()
        for (route, _, _), times in self._requests.items():
            requests[route] += times
        named = kept_names(requests)
        uses = {name: RouteUse(requests=count) for name, count in summed(requests, named).items()}
        for (route, latency, status), times in self._requests.items():
            use = uses[named[route]]
            use.errors += times if status == _SERVER_ERROR else 0
            use.client_errors += times if status == _CLIENT_ERROR else 0
            if latency is not None:
                use.latency.add(latency, times)
        return uses


def _class_of(status: int) -> int:
    """Return the lowest status that is an error like this one; 0 for what is none."""
    if status >= _SERVER_ERROR:
        return _SERVER_ERROR
    return _CLIENT_ERROR if status >= _CLIENT_ERROR else 0


def _named(counts: Mapping[str | None, int]) -> dict[str, int]:
    """Return the counts of what has a name."""
    return {name: count for name, count in counts.items() if name}


def _histogram(counts: Mapping[int | None, int]) -> Histogram:
    histogram = Histogram()
    for value, times in counts.items():
        if value is not None:
            histogram.add(value, times)
    return histogram
