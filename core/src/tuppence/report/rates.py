"""Shares of a whole, with what chance allows to be said of them."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist
from typing import Final

import msgspec

LEAST: Final = 20
"""Below so many cases, counts are shown: no percentage, no arrow."""
_CHANCE: Final = 0.05
_Z: Final = 1.959964
"""Standard deviations on either side of the middle that hold 95 % of a normal distribution."""


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """How many of how many.

    `share`, `low` and `high` lie between 0 and 1: the share and its 95 % interval (Wilson 1927). They are
    absent below `LEAST` cases.
    """

    yes: int
    of: int
    share: float | None = None
    low: float | None = None
    high: float | None = None

    @classmethod
    def out_of(cls, yes: int, of: int) -> Rate:
        """Return the rate of `yes` in `of` cases."""
        if of < LEAST:
            return cls(yes=yes, of=of)
        low, high = wilson(yes, of)
        return cls(yes=yes, of=of, share=round(yes / of, 4), low=round(low, 4), high=round(high, 4))


def wilson(yes: int, of: int, *, among: int = 1) -> tuple[float, float]:
    """Return the 95 % interval of a share; `of` is above 0, and `among` as in `differ`."""
    z = _deviations(among)
    share, square = yes / of, z * z / of
    middle = share + square / 2
    half = z * sqrt(share * (1 - share) / of + square / (4 * of))
    return max(0.0, (middle - half) / (1 + square)), min(1.0, (middle + half) / (1 + square))


def differ(one: Rate, other: Rate, *, among: int = 1) -> bool:
    """Whether two rates differ by more than chance explains.

    Two proportions, pooled, at 95 %, with Yates's correction: without it a few cases would be taken for more
    than they are. `among` is how many pairs are compared at once; all of them together then raise a false
    alarm in one week of twenty (Bonferroni).
    """
    if not one.of or not other.of:
        return False
    pooled = (one.yes + other.yes) / (one.of + other.of)
    parts = 1 / one.of + 1 / other.of
    spread = sqrt(pooled * (1 - pooled) * parts)
    return abs(one.yes / one.of - other.yes / other.of) - parts / 2 > _deviations(among) * spread


def _deviations(among: int) -> float:
    """Return how many standard deviations are beyond chance for each of `among` comparisons."""
    return _Z if among == 1 else NormalDist().inv_cdf(1 - _CHANCE / 2 / among)
