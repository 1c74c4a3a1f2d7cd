"""Which events of an hour have been counted before, and what arrived of each instance."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tuppence.batch import Columns, Header
from tuppence.pipeline.rollup import Seen, merge_seen
from tuppence.runs import NumberSet, runs_of


class Identities:
    """The identities met so far: `(instance, seq)` of captured events, `(id, time)` of those from outside.

    Attributes:
        outside: the identities of events from outside.

    """

    def __init__(self) -> None:
        self._counts: dict[str, Seen] = {}
        self._numbers: dict[str, NumberSet] = {}
        self.outside: set[tuple[str | None, int]] = set()

    def fresh(self, header: Header, columns: Columns) -> list[bool] | None:
        """Take note of a segment's events; say for each whether it is new, or `None` where all are.

        An event without an identity, which no release writes, counts as new.
        """
        if header.instance:
            return self._fresh_captured(header, columns.seq)
        return self._fresh_outside(columns) if columns.id else None

    def instances(self) -> dict[str, Seen]:
        """Return what arrived of each capturing run."""
        return {
            name: msgspec.structs.replace(counts, received=list(self._numbers[name].runs()))
            for name, counts in self._counts.items()
        }

    def _fresh_captured(self, header: Header, seqs: Sequence[int]) -> list[bool] | None:
        name = header.instance
        self._counts[name] = merge_seen([self._counts.get(name, Seen()), _counts_of(header)])
        runs = runs_of(seqs)
        known = self._numbers.setdefault(name, NumberSet()).add(runs)
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


def _counts_of(header: Header) -> Seen:
    """Return what a header says of its instance, without the numbers in the batch."""
    return Seen(
        captured=header.captured,
        dropped=header.dropped,
        refused=header.refused,
        ignored=header.ignored,
        set_aside=header.set_aside,
        hello=header.hello,
        goodbye=header.goodbye,
    )


def _first_times(seqs: Sequence[int], known: set[int]) -> list[bool]:
    """Say for each number whether it is neither known nor came before."""
    keep = []
    for seq in seqs:
        keep.append(seq not in known)
        known.add(seq)
    return keep
