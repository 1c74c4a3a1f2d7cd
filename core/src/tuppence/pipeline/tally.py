"""The tally: from the columns of an hour's segments to its numbers and its texts.

Everything is counted a column at a time. Of several events under one identity the first counts, so segments
are added as they were received: nobody can put another event in the place of one that is there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import compress
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from tuppence.batch import Columns, Header, select, unpack
from tuppence.event import (
    FEEDBACK,
    QUESTION,
    REQUEST,
    Outcome,
    captured_id,
    hour_start,
    milliseconds,
    shown_name,
)
from tuppence.pipeline.asked import Asked
from tuppence.pipeline.cells import CellTally
from tuppence.pipeline.contents import Contents
from tuppence.pipeline.identity import Identities
from tuppence.pipeline.names import name_lists, strings, truths
from tuppence.pipeline.owner_clock import DAY_LENGTH, clock_hours
from tuppence.pipeline.rollup import Rollup, followed
from tuppence.pipeline.rows import Rows
from tuppence.pipeline.sketch import IdSet
from tuppence.pipeline.texts import Texts
from tuppence.pipeline.visitors import Hashes

_DIGITS: Final = 19  # of a sequence number, which has 63 bits at most
_MINUTE_MS: Final = 60_000
_OUTCOMES: Final = frozenset(outcome.value for outcome in Outcome)


class Judgement(NamedTuple):
    """What someone said of an answer. Of several the greatest counts: the latest, then by who said it."""

    time: int
    seq: int
    event: str
    useful: bool
    cell: str


class _Named(NamedTuple):
    """Questions by what others call them: captured ones by number within their instance, all others by id."""

    cell: str
    instance: str
    names: Sequence[Any]
    texts: Sequence[str | None]
    cited: Sequence[tuple[str, ...]]


class Tally:
    """One UTC hour being counted.

    Args:
        hour: which.
        zone: the owner's, whose clock cuts the cells.
        hashes: what stands for names.
        read_again: returns the body of a segment that was added before, or `None` if it is gone.

    Attributes:
        parts: the ids of the segments added.
        late: events counted that were marked late.

    """

    def __init__(
        self,
        hour: str,
        zone: ZoneInfo,
        hashes: Hashes,
        read_again: Callable[[str], bytes | None] = lambda _: None,
    ) -> None:
        self.parts: list[str] = []
        self.late = 0
        self._zone = zone
        self._hashes = hashes
        hashes.trim()
        self._start = milliseconds(hour_start(hour))
        self._clock = clock_hours(hour, zone)
        self._identities = Identities()
        self._contents = Contents(read_again)
        self._cells: dict[str, CellTally] = {}
        self._asked: dict[str, Asked] = {}
        self._judgements: dict[str, Judgement] = {}
        self._questions: list[_Named] = []
        self._duplicates = 0
        self._contradicted = 0
        self._unreadable = 0

    def add(self, part: str, body: bytes, *, late: bool = False) -> None:
        """Count a segment. Raises `BadBatch` on one that cannot be read, which is counted as that."""
        self.parts.append(part)
        self._unreadable += 1
        header, columns = unpack(body)
        self._unreadable -= 1
        fresh = self._identities.fresh(header, columns)
        self._contradicted += self._contents.add(part, header, columns, fresh)
        if fresh is not None:
            self._duplicates += len(fresh) - sum(fresh)
            columns = select(columns, fresh)
        self.late += len(columns.time) if late else 0
        for cell, share in self._cut(columns):
            self._count(cell, header, share)

    def finish(self) -> tuple[Rollup, Texts]:
        """Return the hour's numbers and texts. Nothing is added afterwards."""
        for judgement in self._judgements.values():
            self._cells[judgement.cell].judge(useful=judgement.useful)
        if self._judgements:
            self._credit()
        return self._rollup(), self._texts()

    def _rollup(self) -> Rollup:
        outside = self._identities.outside
        instances, untraced = followed(self._identities.instances())
        ids = {self._hashes.ids.once(name) for name, _ in outside if name}
        return Rollup(
            zone=self._zone.key,
            parts=sorted(self.parts),
            cells={name: cell.cell() for name, cell in self._cells.items()},
            instances=instances,
            untraced=untraced,
            duplicates=self._duplicates,
            contradicted=self._contradicted,
            identified=len(outside),
            ids=IdSet.of(ids),
            conflicting=len(outside) - len(ids),
            unreadable=self._unreadable,
        )

    def _texts(self) -> Texts:
        texts = Texts()
        for day, asked in self._asked.items():
            texts.days[day], left_out = asked.texts()
            if left_out:
                texts.left_out[day] = left_out
        return texts

    def _cut(self, columns: Columns) -> Iterator[tuple[str, Columns]]:
        """Yield the events of each cell."""
        cells = list(dict.fromkeys(self._clock))
        if len(cells) == 1:
            yield cells[0], columns
            return
        named = [self._clock[(time - self._start) // _MINUTE_MS] for time in columns.time]
        for cell in cells:
            share = select(columns, [name == cell for name in named])
            if share.time:
                yield cell, share

    def _count(self, name: str, header: Header, columns: Columns) -> None:
        if not columns.time:
            return
        cell = self._cells.setdefault(name, CellTally(self._hashes))
        types = Counter(columns.type)
        cell.add(columns, types)
        if types[QUESTION]:
            self._count_questions(name, header, Rows(columns, QUESTION, types[QUESTION]))
        if types[FEEDBACK]:
            feedback = Rows(columns, FEEDBACK, types[FEEDBACK])
            self._hear(name, header, feedback, strings(feedback.data("question")))
        if types[REQUEST]:
            cell.add_requests(Rows(columns, REQUEST, types[REQUEST]))

    def _count_questions(self, name: str, header: Header, questions: Rows) -> None:
        outcomes = _outcomes(questions)
        causes = strings(questions.data("cause"))
        self._cells[name].add_questions(questions, outcomes, causes)
        cited = name_lists(questions.data("sources"))
        if cited:
            self._cells[name].cite(cited, outcomes)
        asked = self._asked.setdefault(name[:DAY_LENGTH], Asked())
        askers = self._hashes.users.of(questions.field("user") or [None] * questions.count)
        texts = asked.add(strings(questions.data("text")), outcomes, causes, askers)
        ids = questions.field("id")
        instance = "" if ids else header.instance
        names = questions.field("seq") if instance else ids
        self._questions.append(_Named(name, instance, names, texts, cited))
        self._hear(name, header, questions, None)

    def _hear(self, cell: str, header: Header, rows: Rows, about: Sequence[str | None] | None) -> None:
        """Take note of what these events say of the questions they are about, or are themselves."""
        useful = truths(rows.data("useful"))
        if useful.count(None) == rows.count:
            return
        names = _names(header, rows)
        seqs = rows.field("seq") or [0] * rows.count
        said = zip(rows.field("time"), seqs, names, about or names, useful, strict=True)
        for time, seq, event, question, yes in said:
            if yes is not None and question:
                judgement = Judgement(time, seq, event or "", yes, cell)
                self._judgements[question] = max(judgement, self._judgements.get(question, judgement))

    def _credit(self) -> None:
        """Add the judgements to questions that were asked in this hour: to their texts and their sources."""
        captured = _by_instance(self._judgements)
        meant: dict[str, str] = {}
        for cell, instance, names, texts, cited in self._questions:
            shown = shown_name(instance)
            if meant.setdefault(shown, instance) != instance:
                continue  # someone who saw an id has sent under the part of a name that is shown
            judged: Mapping[Any, Judgement] = captured.get(shown, {}) if instance else self._judgements
            known = list(map(judged.__contains__, names))
            for name, text in compress(zip(names, texts, strict=False), known):
                if text:
                    self._asked[cell[:DAY_LENGTH]].judge(text, useful=judged[name].useful)
            for name, sources in compress(zip(names, cited, strict=False), known):
                self._cells[cell].judge_cited(sources, useful=judged[name].useful)


def _outcomes(questions: Rows) -> list[str]:
    """Return how each question ended: `answered` if it does not say, `error` if it says no word of `Outcome`.

    An end that has no name is none that the application meant.
    """
    said = strings(questions.data("outcome"))
    known: dict[str | None, str] = {
        word: word if word in _OUTCOMES else Outcome.ERROR.value for word in set(said) if word is not None
    }
    known[None] = Outcome.ANSWERED.value
    return list(map(known.__getitem__, said))


def _by_instance(judgements: Mapping[str, Judgement]) -> dict[str, dict[int, Judgement]]:
    """Return the judgements of captured questions by instance and number."""
    found: dict[str, dict[int, Judgement]] = {}
    for name, judgement in judgements.items():
        instance, _, seq = name.rpartition("-")
        if seq.isascii() and seq.isdigit() and len(seq) <= _DIGITS and seq[0] != "0":
            found.setdefault(instance, {})[int(seq)] = judgement
    return found


def _names(header: Header, rows: Rows) -> Sequence[str | None]:
    """Return the ids by which other events name these."""
    ids = rows.field("id")
    if ids or not header.instance:
        return ids or [None] * rows.count
    return [captured_id(header.instance, seq) for seq in rows.field("seq")]
