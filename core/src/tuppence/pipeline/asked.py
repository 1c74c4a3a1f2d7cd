"""The texts of an hour being gathered: what was asked on one day of the owner's clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import compress, islice
from typing import Final

from tuppence.event import MAX_NAME, Outcome
from tuppence.pipeline.names import bounded
from tuppence.pipeline.texts import ASKERS, CAUSES, CHARACTERS, TEXTS, Text, key_of, most_asked

HELD: Final = 20_000_000
"""Characters of different texts of one day's share of an hour that are looked at. An hour of a hundred
million questions a month has some eight million. Whoever means harm sends more."""


class Asked:
    """The texts of one day's share of an hour.

    Columns are held as they come and looked at once, when all are there: of a long tail most texts will not
    be kept, and of those nothing but their number needs to be known.
    """

    def __init__(self) -> None:
        self._texts: list[str | None] = []
        self._outcomes: list[str] = []
        self._causes: list[str | None] = []
        self._askers: list[int | None] = []
        self._judged: list[tuple[str, bool]] = []
        self._same: dict[str | None, str | None] = {}
        self._held = 0
        self._passed_over = 0

    def add(
        self,
        texts: Sequence[str | None],
        outcomes: Sequence[str],
        causes: Sequence[str | None],
        askers: Sequence[int | None],
    ) -> Sequence[str | None]:
        """Gather questions, given as columns; askers as hashes. Those without a text are left out.

        Returns the texts, each held in memory once however often it comes; new ones only while there is room.
        """
        same = self._kept(texts)
        self._texts += same
        self._outcomes += outcomes
        self._causes += causes
        self._askers += askers
        return same

    def _kept(self, texts: Sequence[str | None]) -> list[str | None]:
        if self._held > HELD:
            kept = list(map(self._same.get, texts))
            self._passed_over += kept.count(None) - texts.count(None)
            return kept
        known = len(self._same)
        kept = list(map(self._same.setdefault, texts, texts))
        new = islice(reversed(self._same), len(self._same) - known)
        self._held += sum(map(len, filter(None, new)))
        return kept

    def judge(self, text: str, *, useful: bool) -> None:
        """Credit what someone said of an answer to the question, which has been added."""
        self._judged.append((text, useful))

    def texts(self) -> tuple[dict[str, Text], int]:
        """Return the most asked texts by key, and how many questions are left out."""
        counts = Counter(self._texts)
        keys = {text: key_of(text) for text in counts if text and not text.isspace()}
        totals: dict[str, int] = {}
        for text, key in keys.items():
            totals[key] = totals.get(key, 0) + counts[text]
        kept = {key: Text("", count=totals[key]) for key in most_asked(totals, TEXTS, CHARACTERS)}
        of: dict[str | None, Text] = {}
        for text, key in keys.items():
            if key in kept:
                one = of[text] = kept[key]
                one.text = min(one.text or text, text)[: 2 * len(key) + MAX_NAME]
        self._tell(of)
        held = sum(totals.values())
        return kept, held + self._passed_over - sum(text.count for text in kept.values())

    def _tell(self, of: Mapping[str | None, Text]) -> None:
        """Add to the texts, by spelling, how they ended, who asked them, and what was said of the answers."""
        wanted = list(map(of.__contains__, self._texts))
        texts = list(compress(self._texts, wanted))
        ends = zip(texts, compress(self._outcomes, wanted), compress(self._causes, wanted), strict=True)
        for (text, outcome, cause), times in Counter(ends).items():
            one = of[text]
            one.outcomes[outcome] = one.outcomes.get(outcome, 0) + times
            if cause and outcome != Outcome.ANSWERED:
                told = f"{outcome}/{cause}"
                one.causes[told] = one.causes.get(told, 0) + times
        crowds: dict[str | None, set[int]] = {text: set() for text in of}
        for text, asker in zip(texts, compress(self._askers, wanted), strict=True):
            if asker is not None:
                crowds[text].add(asker)
        for text, crowd in crowds.items():
            of[text].askers += crowd
        for one in of.values():
            one.causes = bounded(one.causes, CAUSES)
            _thin(one)
        for text, useful in self._judged:
            if text in of:
                of[text].useful_yes += useful
                of[text].useful_no += not useful


def _thin(text: Text) -> None:
    """Keep the lowest hashes of a text's askers, if they are more than are kept at all."""
    askers = sorted(set(text.askers))
    text.sampled = text.sampled or len(askers) > ASKERS
    text.askers = askers[:ASKERS]
