"""The texts of an hour being gathered: what was asked on one day of the owner's clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from heapq import nsmallest
from typing import Final

from tuppence.event import Outcome
from tuppence.pipeline.texts import ASKERS, TEXTS, Text, key_of
from tuppence.pipeline.visitors import Hashes

_CROWD: Final = 8 * ASKERS
"""Askers of a text held before all but the lowest hashes are let go."""


class Asked:
    """The texts of one day's share of an hour."""

    def __init__(self, hashes: Hashes) -> None:
        self._hashes = hashes
        self._texts: dict[str, Text] = {}
        self._keys: dict[str, str] = {}

    def add(
        self,
        texts: Sequence[str | None],
        outcomes: Sequence[str],
        causes: Sequence[str | None],
        users: Sequence[str | None],
    ) -> None:
        """Gather questions, given as columns. Those without a text are left out."""
        for (text, outcome, cause), times in Counter(zip(texts, outcomes, causes, strict=True)).items():
            if text and not text.isspace():
                one = self._of(text)
                one.count += times
                one.outcomes[outcome] = one.outcomes.get(outcome, 0) + times
                if cause and outcome != Outcome.ANSWERED:
                    told = f"{outcome}/{cause}"
                    one.causes[told] = one.causes.get(told, 0) + times
        for text, user in set(zip(texts, users, strict=True)):
            if text and user and not text.isspace():
                self._asker(self._of(text), user)

    def judge(self, text: str, *, useful: bool) -> None:
        """Credit what someone said of an answer to the question."""
        one = self._of(text)
        one.useful_yes += useful
        one.useful_no += not useful

    def texts(self) -> tuple[dict[str, Text], int]:
        """Return the most asked texts by key, and how many questions are left out."""
        keys = sorted(self._texts, key=lambda key: (-self._texts[key].count, key))
        for text in self._texts.values():
            text.askers = sorted(set(text.askers))[:ASKERS]
        kept = {key: self._texts[key] for key in keys[:TEXTS]}
        return kept, sum(self._texts[key].count for key in keys[TEXTS:])

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

    def _asker(self, text: Text, user: str) -> None:
        text.askers.append(self._hashes.of("user", user))
        if len(text.askers) > _CROWD:
            text.askers = nsmallest(ASKERS, set(text.askers))
