"""Two mergeable summaries: who was there, and how long things took.

Merging is exact, order-free and byte-identical: the same members give the same bytes, however they were split
and in whatever order they were merged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from struct import pack, unpack
from typing import Annotated, Final, TypeVar

import msgspec

EXACT_IDS: Final = 16_384
"""Up to so many ids a set is exact; beyond, it is a HyperLogLog."""
_PRECISION: Final = 14
_REGISTERS: Final = 1 << _PRECISION
_SHIFT: Final = 64 - _PRECISION
_REST: Final = (1 << _SHIFT) - 1
_MOST_RANK: Final = _SHIFT + 1
HLL_ERROR: Final = 1.04 / _REGISTERS**0.5
"""The standard error of a HyperLogLog of this size, 0.8 % (Flajolet et al. 2007)."""

_SUB_BITS: Final = 5
_SUB: Final = 1 << _SUB_BITS
HISTOGRAM_ERROR: Final = 0.5 / _SUB
"""A percentile is at most this fraction from the true value (half a bucket, 1.6 %)."""


_Key = TypeVar("_Key", str, int)
MOST_COUNTED: Final = 2**56
"""Where sums end: more than there ever is, and 64 such still fit in 63 bits."""
Count = Annotated[int, msgspec.Meta(ge=0, le=MOST_COUNTED)]
Bucket = Annotated[int, msgspec.Meta(ge=0, lt=(64 - _SUB_BITS + 1) << _SUB_BITS)]


def total(counts: Iterable[int]) -> int:
    """Return the sum of counts, and `MOST_COUNTED` where it is more.

    The result does not depend on what was added first, and can always be read back.
    """
    return min(sum(counts), MOST_COUNTED)


def merge_counts(tables: Iterable[Mapping[_Key, int]]) -> dict[_Key, int]:
    """Return the `total` of each key."""
    merged: dict[_Key, int] = {}
    for table in tables:
        for key, count in table.items():
            merged[key] = min(merged.get(key, 0) + count, MOST_COUNTED)
    return merged


class IdSet(msgspec.Struct, omit_defaults=True):
    """A set of 64-bit ids: exact up to `EXACT_IDS`, a HyperLogLog with `HLL_ERROR` beyond.

    `ids` are sorted 8-byte big-endian numbers, joined; `registers` is empty while the set is exact.
    """

    ids: bytes = b""
    registers: bytes = b""

    def __post_init__(self) -> None:
        """Refuse what no set looks like. Raises `ValueError`, which a decoder reports as its own error."""
        if len(self.ids) % 8 or len(self.registers) not in {0, _REGISTERS} or (self.ids and self.registers):
            raise ValueError("neither ids nor registers")
        if max(self.registers, default=0) > _MOST_RANK:
            raise ValueError("a register above the highest rank")

    @classmethod
    def of(cls, ids: Iterable[int]) -> IdSet:
        """Return the set of these ids, each an unsigned 64-bit hash."""
        return _canonical(set(ids), None)

    @property
    def exact(self) -> bool:
        """Whether `count` is exact."""
        return not self.registers

    def count(self) -> int:
        """Return how many distinct ids there are."""
        return len(self.ids) // 8 if self.exact else _estimate(self.registers)

    def members(self) -> set[int]:
        """Return the ids of an exact set."""
        return set(unpack(f">{len(self.ids) // 8}Q", self.ids))

    @classmethod
    def merged(cls, sets: Iterable[IdSet]) -> IdSet:
        """Return the union."""
        parts = list(sets)
        ids: set[int] = set()
        ids.update(*(one.members() for one in parts if one.exact))
        sketched = [one.registers for one in parts if not one.exact]
        if not sketched:
            return _canonical(ids, None)
        return _canonical(ids, bytearray(map(max, *sketched) if len(sketched) > 1 else sketched[0]))


class Histogram(msgspec.Struct, omit_defaults=True):
    """Counts of whole numbers in fixed buckets, 32 to each power of two.

    `buckets` maps a bucket's number to its count.
    """

    buckets: dict[Bucket, Count] = {}

    def add(self, value: int, times: int = 1) -> None:
        """Count a value, `times` over; negative ones count as 0."""
        bucket = _bucket(value) if value > 0 else 0
        self.buckets[bucket] = self.buckets.get(bucket, 0) + times

    def count(self) -> int:
        """Return how many values were counted."""
        return sum(self.buckets.values())

    def above(self, value: int) -> int:
        """Return how many values lie in buckets above the one that holds `value`."""
        bucket = _bucket(value) if value > 0 else 0
        return sum(count for number, count in self.buckets.items() if number > bucket)

    def below(self, value: int) -> int:
        """Return how many values lie in buckets below the one that holds `value`."""
        bucket = _bucket(value) if value > 0 else 0
        return sum(count for number, count in self.buckets.items() if number < bucket)

    def percentile(self, fraction: float) -> int | None:
        """Return the value below which `fraction` of the values lie (nearest rank), or `None` of nothing."""
        total = self.count()
        if not total:
            return None
        rank = max(1, -int(-fraction * total // 1))
        for bucket in sorted(self.buckets):
            rank -= self.buckets[bucket]
            if rank <= 0:
                return _middle(bucket)
        raise AssertionError("unreachable: the ranks of all buckets add up to the total")

    @classmethod
    def merged(cls, histograms: Iterable[Histogram]) -> Histogram:
        """Return the sum."""
        return cls(merge_counts(one.buckets for one in histograms))


def _canonical(ids: set[int], registers: bytearray | None) -> IdSet:
    """Return the one form that this content has."""
    if registers is None and len(ids) <= EXACT_IDS:
        return IdSet(pack(f">{len(ids)}Q", *sorted(ids)))
    registers = registers or bytearray(_REGISTERS)
    for number in ids:
        register = number >> _SHIFT
        rank = _MOST_RANK - (number & _REST).bit_length()
        if rank > registers[register]:  # noqa: PLR1730 - done for each id, and `max` takes twice the time
            registers[register] = rank
    return IdSet(b"", bytes(registers))


def _estimate(registers: bytes) -> int:
    """Return the HyperLogLog estimate without bias at any size (Ertl 2017, https://arxiv.org/abs/1702.01284)."""
    from math import log

    counts = Counter(registers)
    z = _REGISTERS * _tau(1 - counts[_MOST_RANK] / _REGISTERS)
    for rank in range(_MOST_RANK - 1, 0, -1):
        z = (z + counts[rank]) / 2
    z += _REGISTERS * _sigma(counts[0] / _REGISTERS)
    return round(_REGISTERS**2 / (2 * log(2) * z))


def _sigma(x: float) -> float:
    """Return x + the sum of x^(2^k) 2^(k-1) over k from 1."""
    total, before, weight = x, -1.0, 1.0
    while total != before:
        x *= x
        before = total
        total += x * weight
        weight += weight
    return total


def _tau(x: float) -> float:
    """Return (1 - x - the sum of (1 - x^(2^-k))^2 2^-k over k from 1) / 3."""
    if x <= 0 or x >= 1:
        return 0.0
    total, before, weight = 1 - x, -1.0, 1.0
    while total != before:
        x **= 0.5
        before = total
        weight /= 2
        total -= (1 - x) ** 2 * weight
    return total / 3


def _bucket(value: int) -> int:
    if value < _SUB:
        return value
    shift = value.bit_length() - 1 - _SUB_BITS
    return ((shift + 1) << _SUB_BITS) + (value >> shift) - _SUB


def _middle(bucket: int) -> int:
    if bucket < _SUB:
        return bucket
    shift = (bucket >> _SUB_BITS) - 1
    low = ((bucket & (_SUB - 1)) + _SUB) << shift
    return low + ((1 << shift) >> 1)
