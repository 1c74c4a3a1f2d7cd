"""Sets of whole numbers that come mostly one after the other, as `[first, last]` runs."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final

_CHUNK_BITS: Final = 8
"""A bit mask of a `NumberSet` stands for 256 numbers."""
_LAST: Final = (1 << _CHUNK_BITS) - 1


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


def fewer_runs(runs: Iterable[list[int]], most: int) -> tuple[list[list[int]], int]:
    """Return runs, which are sorted and apart, as at most `most`: the smallest gaps between them are closed.

    Also how many numbers lie in the gaps that were closed. Of equally small gaps the last are.
    """
    found = list(runs)
    if len(found) <= most:
        return found, 0
    gaps = [above[0] - below[1] - 1 for below, above in pairwise(found)]
    kept = sorted(range(len(gaps)), key=gaps.__getitem__, reverse=True)[: most - 1]
    cuts = [0, *(at + 1 for at in sorted(kept)), len(found)]
    fewer = [[found[start][0], found[end - 1][1]] for start, end in pairwise(cuts)]
    return fewer, sum(gaps) - sum(map(gaps.__getitem__, kept))


class NumberSet:
    """A set of whole numbers that grows run by run, in time and memory linear in the runs.

    A bit mask for each 256 neighbours: numbers in a row take a bit each, one far from all others 160 bytes.
    """

    def __init__(self) -> None:
        self._chunks: dict[int, int] = {}

    def add(self, runs: Iterable[Sequence[int]]) -> set[int]:
        """Add `[first, last]` runs, which are sorted and apart; return the numbers that were there before."""
        known: set[int] = set()
        for chunk, mask in _masks(runs):
            before = self._chunks.get(chunk, 0)
            if before & mask:
                both = _runs_in(chunk, before & mask)
                known.update(number for first, last in both for number in range(first, last + 1))
            self._chunks[chunk] = before | mask
        return known

    def runs(self) -> Iterator[list[int]]:
        """Yield the numbers as `[first, last]` runs, sorted and apart."""
        run: list[int] | None = None
        for chunk in sorted(self._chunks):
            for first, last in _runs_in(chunk, self._chunks[chunk]):
                if run is not None and first == run[1] + 1:
                    run[1] = last
                else:
                    if run is not None:
                        yield run
                    run = [first, last]
        if run is not None:
            yield run


def _masks(runs: Iterable[Sequence[int]]) -> Iterator[tuple[int, int]]:
    """Yield the chunks that runs lie in, each with the bits of the numbers in it; a chunk may come twice."""
    for first, last in runs:
        if first == last:
            yield first >> _CHUNK_BITS, 1 << (first & _LAST)
            continue
        for chunk in range(first >> _CHUNK_BITS, (last >> _CHUNK_BITS) + 1):
            low = max(0, first - (chunk << _CHUNK_BITS))
            high = min(_LAST, last - (chunk << _CHUNK_BITS))
            yield chunk, ((1 << (high - low + 1)) - 1) << low


def _runs_in(chunk: int, mask: int) -> Iterator[tuple[int, int]]:
    """Yield the runs of numbers that the bits of a chunk stand for."""
    at = chunk << _CHUNK_BITS
    while mask:
        gap = (mask & -mask).bit_length() - 1
        mask >>= gap
        length = (~mask & (mask + 1)).bit_length() - 1
        yield at + gap, at + gap + length - 1
        mask >>= length
        at += gap + length


def _first(run: list[int]) -> int:
    return run[0]
