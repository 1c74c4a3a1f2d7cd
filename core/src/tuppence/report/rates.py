"""Shares of a whole, with what chance allows to be said of them."""

from __future__ import annotations

from math import sqrt
from typing import Final

import msgspec

LEAST: Final = 20
"""Below so many cases, counts are shown: no percentage, no arrow."""
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


def wilson(yes: int, of: int) -> tuple[float, float]:
    """Return the 95 % interval of a share; `of` is above 0."""
    share, square = yes / of, _Z * _Z / of
    middle = share + square / 2
    half = _Z * sqrt(share * (1 - share) / of + square / (4 * of))
    return max(0.0, (middle - half) / (1 + square)), min(1.0, (middle + half) / (1 + square))


def differ(one: Rate, other: Rate) -> bool:
    """Whether two rates differ by more than chance explains: two proportions, pooled, at 95 %."""
    pooled = (one.yes + other.yes) / (one.of + other.of)
    spread = sqrt(pooled * (1 - pooled) * (1 / one.of + 1 / other.of))
    return abs(one.yes / one.of - other.yes / other.of) > _Z * spread
