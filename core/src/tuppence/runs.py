"""Sets of whole numbers that come mostly one after the other, as `[first, last]` runs."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence


def merge_runs(runs: Iterable[list[int]]) -> list[list[int]]:
    """Return `[first, last]` runs of whole numbers sorted, with those that touch or overlap joined."""
    joined: list[list[int]] = []
    for first, last in sorted(map(tuple, runs)):
        if joined and first <= joined[-1][1] + 1:
            joined[-1][1] = max(joined[-1][1], last)
        else:
            joined.append([first, last])
    return joined


def runs_of(numbers: Iterable[int]) -> list[list[int]]:
    """Return distinct or repeated whole numbers as `[first, last]` runs."""
    ordered = sorted(set(numbers))
    if ordered and ordered[-1] - ordered[0] == len(ordered) - 1:
        return [[ordered[0], ordered[-1]]]
    runs: list[list[int]] = []
    last = None
    for number in ordered:
        if last is None or number > last + 1:
            runs.append([number, number])
        last = runs[-1][1] = number
    return runs


def holds(runs: Sequence[list[int]], number: int) -> bool:
    """Whether a number lies in one of the runs, which are sorted and apart."""
    at = bisect_right(runs, number, key=_first)
    return at > 0 and number <= runs[at - 1][1]


def _first(run: list[int]) -> int:
    return run[0]
