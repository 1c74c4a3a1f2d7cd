"""What was asked: the questions of a week, near duplicates merged, beside those of the week before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tuppence.pipeline.texts import ASKERS, Text, merge_texts, most_asked
from tuppence.report.similar import grouped

COMPARED: Final = 20_000
"""Distinct questions of one week that are compared with each other, the most asked; the rest is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Askings of one question.

    Attributes:
        key: the normal form of the question that stands for all.
        now: all askings of this week as one.
        before: how often it was asked the week before.
        wordings: how people put it this week, the most frequent first.

    """

    key: str
    now: Text
    before: int
    wordings: tuple[str, ...]


def group(now: Mapping[str, Text], before: Mapping[str, int]) -> list[Group]:
    """Return the questions of this week, the most asked first.

    Args:
        now: this week's texts by key.
        before: how often those of the week before were asked. Both weeks are grouped together, so that a
            question keeps its name.

    """
    this, last = _compared({key: text.count for key, text in now.items()}), _compared(before)
    weights = {key: this.get(key, 0) + last.get(key, 0) for key in this | last}
    leaders = grouped(weights)
    members: dict[str, list[str]] = {}
    for key in this:
        members.setdefault(leaders[key], []).append(key)
    asked_before: dict[str, int] = {}
    for key, count in last.items():
        asked_before[leaders[key]] = asked_before.get(leaders[key], 0) + count
    groups = [
        _one(leader, [now[key] for key in keys], asked_before.get(leader, 0))
        for leader, keys in members.items()
    ]
    return sorted(groups, key=lambda one: (-one.now.count, one.key))


def people(text: Text) -> tuple[int, int]:
    """Return how many people asked, and the standard error of that, which is 0 while all of them are known.

    The lowest hashes are a fair sample of all: the further the last of them lies from zero, the fewer there
    are (Bar-Yossef et al. 2002).
    """
    known = len(text.askers)
    if not text.sampled or known < ASKERS:
        return known, 0
    estimate = round((ASKERS - 1) * 2**64 / max(1, text.askers[-1]))
    return max(ASKERS, min(estimate, text.count)), round(estimate / (ASKERS - 2) ** 0.5)


def _compared(counts: Mapping[str, int]) -> dict[str, int]:
    return {key: counts[key] for key in most_asked(counts, COMPARED)}


def _one(leader: str, texts: list[Text], before: int) -> Group:
    ranked = sorted(texts, key=lambda text: (-text.count, text.text))
    return Group(
        key=leader,
        now=merge_texts(ranked),
        before=before,
        wordings=tuple(text.text for text in ranked),
    )
