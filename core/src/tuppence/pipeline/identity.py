"""Which events of an hour have been counted before, and what arrived of each instance."""

from __future__ import annotations

from collections.abc import Sequence

from tuppence.batch import Columns, Header
from tuppence.pipeline.rollup import Seen, merge_seen
from tuppence.runs import merge_runs


class Identities:
    """The identities met so far: `(instance, seq)` of captured events, `(id, time)` of those from outside.

    Attributes:
        instances: what arrived of each capturing run.
        outside: the identities of events from outside.

    """

    def __init__(self) -> None:
        self.instances: dict[str, Seen] = {}
        self.outside: set[tuple[str | None, int]] = set()

    def fresh(self, header: Header, columns: Columns) -> list[bool] | None:
        """Take note of a segment's events; say for each whether it is new, or `None` where all are.

        An event without an identity, which no release writes, counts as new.
        """
        if header.instance:
            return self._fresh_captured(header, columns.seq)
        return self._fresh_outside(columns) if columns.id else None

    def _fresh_captured(self, header: Header, seqs: Sequence[int]) -> list[bool] | None:
        before = self.instances.get(header.instance, Seen())
        runs = merge_runs([seq, seq] for seq in seqs) if _scattered(seqs) else [[seqs[0], seqs[-1]]]
        arrived = Seen(
            received=runs,
            captured=header.captured,
            dropped=header.dropped,
            refused=header.refused,
            ignored=header.ignored,
            set_aside=header.set_aside,
            hello=header.hello,
            goodbye=header.goodbye,
        )
        self.instances[header.instance] = merge_seen([before, arrived])
        known = _within(before.received, runs)
        if not known and sum(last - first + 1 for first, last in runs) == len(seqs):
            return None
        return _first_times(seqs, known)

    def _fresh_outside(self, columns: Columns) -> list[bool] | None:
        pairs = list(zip(columns.id, columns.time, strict=True))
        new = {pair for pair in pairs if pair[0] is not None}
        if len(new) == len(pairs) and self.outside.isdisjoint(new):
            self.outside |= new
            return None
        keep = []
        for pair in pairs:
            keep.append(pair not in self.outside)
            if pair[0] is not None:
                self.outside.add(pair)
        return keep


def _scattered(seqs: Sequence[int]) -> bool:
    """Whether these are anything but one run of numbers, each once."""
    return not seqs or list(seqs) != list(range(seqs[0], seqs[0] + len(seqs)))


def _within(known: Sequence[list[int]], runs: Sequence[list[int]]) -> set[int]:
    """Return the numbers that lie in both."""
    both: set[int] = set()
    for first, last in runs:
        for low, high in known:
            both.update(range(max(first, low), min(last, high) + 1))
    return both


def _first_times(seqs: Sequence[int], known: set[int]) -> list[bool]:
    """Say for each number whether it is neither known nor came before."""
    keep = []
    for seq in seqs:
        keep.append(seq not in known)
        known.add(seq)
    return keep
