"""The texts of an hour being gathered: what was asked on one day of the owner's clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from heapq import nsmallest
from typing import Final

from tuppence.event import Outcome
from tuppence.pipeline.texts import ASKERS, TEXTS, Text, key_of

_CROWD: Final = 8 * ASKERS
"""Askers of a text held before all but the lowest hashes are let go."""
_HELD: Final = 50_000
"""Rows counted before they are folded into the texts."""


class Asked:
    """The texts of one day's share of an hour."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str | None, str, str | None]] = Counter()
        self._askers: set[tuple[str | None, int | None]] = set()
        self._texts: dict[str, Text] = {}
        self._keys: dict[str, str] = {}

    def add(
        self,
        texts: Sequence[str | None],
        outcomes: Sequence[str],
        causes: Sequence[str | None],
        askers: Iterable[int | None],
    ) -> None:
        """Gather questions, given as columns; askers as hashes. Those without a text are left out."""
        self._counts.update(zip(texts, outcomes, causes, strict=True))
        self._askers.update(zip(texts, askers, strict=True))
        if max(len(self._counts), len(self._askers)) > _HELD:
            self._fold()

    def judge(self, text: str, *, useful: bool) -> None:
        """Credit what someone said of an answer to the question."""
        if text and not text.isspace():
            one = self._of(text)
            one.useful_yes += useful
            one.useful_no += not useful

    def texts(self) -> tuple[dict[str, Text], int]:
        """Return the most asked texts by key, and how many questions are left out."""
        self._fold()
        keys = sorted(self._texts, key=lambda key: (-self._texts[key].count, key))
        kept = {key: self._texts[key] for key in keys[:TEXTS]}
        for text in kept.values():
            _thin(text)
        return kept, sum(self._texts[key].count for key in keys[TEXTS:])

    def _fold(self) -> None:
        of = self._of
        for (text, outcome, cause), times in self._counts.items():
            if text and not text.isspace():
                one = of(text)
                one.count += times
                one.outcomes[outcome] = one.outcomes.get(outcome, 0) + times
                if cause and outcome != Outcome.ANSWERED:
                    told = f"{outcome}/{cause}"
                    one.causes[told] = one.causes.get(told, 0) + times
        for text, asker in self._askers:
            if text and asker is not None and not text.isspace():
                askers = of(text).askers
                askers.append(asker)
                if len(askers) > _CROWD:
                    _thin(of(text))
        self._counts.clear()
        self._askers.clear()

    def _of(self, text: str) -> Text:
        key = self._keys.get(text)
        if key is None:
            key = self._keys[text] = key_of(text)
        one = self._texts.get(key)
        if one is None:
            one = self._texts[key] = Text(text)
        elif text < one.text:
            one.text = text
        return one


def _thin(text: Text) -> None:
    """Keep the lowest hashes of a text's askers, if they are more than are kept at all."""
    askers = set(text.askers)
    text.sampled = text.sampled or len(askers) > ASKERS
    text.askers[:] = nsmallest(ASKERS, askers)
