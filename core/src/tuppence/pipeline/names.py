"""What may stand in a column of `data`, made safe to count: strings, whole numbers, short lists of names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, Final

from tuppence.event import MAX_NAME, MAX_NUMBER

NAMES: Final = 256
"""Distinct names kept in one table of names of an hour (types, models, routes …); the rest are `OTHER`."""
OTHER: Final = "~other"
MOST: Final = MAX_NUMBER
LISTED: Final = 32
"""Names counted of one list."""
_STRINGS: Final = frozenset({str, type(None)})
_INTEGERS: Final = frozenset({int, type(None)})
_NOTHING: Final = frozenset({type(None)})
_REALS: Final = frozenset({int, float})
_TRUTHS: Final = frozenset({bool, type(None)})


def strings(values: Sequence[Any]) -> Sequence[str | None]:
    """Return the values with all that are no strings as `None`."""
    if _STRINGS.issuperset(map(type, values)):
        return values
    return [value if type(value) is str else None for value in values]


def truths(values: Sequence[Any]) -> Sequence[bool | None]:
    """Return the values with all that are neither true nor false as `None`."""
    if _TRUTHS.issuperset(map(type, values)):
        return values
    return [value if type(value) is bool else None for value in values]


def wholes(values: Sequence[Any]) -> Sequence[int | None]:
    """Return the values as whole numbers from 0 to `MOST`, rounded; all others as `None`."""
    if _INTEGERS.issuperset(map(type, values)):
        some = list(filter(None, values))  # neither 0 nor nothing is out of bounds
        if not some or (min(some) >= 0 and max(some) <= MOST):
            return values
    return [
        value if type(value) is int and 0 <= value <= MOST else _whole(value) if value is not None else None
        for value in values
    ]


def hundredths(values: Sequence[Any]) -> Sequence[int | None]:
    """Return the numbers from 0 to 1 in hundredths, rounded; all other values as `None`."""
    if _NOTHING.issuperset(map(type, values)):
        return values
    return [round(value * 100) if type(value) in _REALS and 0 <= value <= 1 else None for value in values]


def name_lists(values: Sequence[Any]) -> Sequence[tuple[str, ...]]:
    """Return lists of names without what is no name or comes twice; one string is a list of one.

    Nothing at all, if none of the values holds a name.
    """
    found = [_names_of(value) for value in values] if any(values) else []
    return found if any(found) else ()


def kept_names(counts: Mapping[str, int], most: int = NAMES) -> dict[str, str]:
    """Return what each name is counted as: itself if short and among the `most` most frequent, or `OTHER`.

    Of equally frequent names the first in code-point order stay.
    """
    short = {name: name if len(name) <= MAX_NAME else f"{name[: MAX_NAME - 1]}…" for name in counts}
    totals = summed(counts, short)
    kept = set(sorted(totals, key=lambda name: (-totals[name], name))[:most])
    return {name: cut if cut in kept else OTHER for name, cut in short.items()}


def summed(counts: Mapping[str, int], named: Mapping[str, str]) -> dict[str, int]:
    """Return counts under the names that `named` gives them."""
    totals: dict[str, int] = {}
    for name, count in counts.items():
        totals[named[name]] = totals.get(named[name], 0) + count
    return totals


def bounded(counts: Mapping[str, int], most: int = NAMES) -> dict[str, int]:
    """Return counts of at most `most` names, the rest as `OTHER`."""
    return summed(counts, kept_names(counts, most))


def _names_of(value: Any) -> tuple[str, ...]:
    if type(value) is str:
        return (value,) if value else ()
    if type(value) is not list:
        return ()
    names = dict.fromkeys(name for name in value if type(name) is str and name)
    return tuple(names)[:LISTED]


def _whole(value: Any) -> int | None:
    if type(value) is float and isfinite(value) and 0 <= value <= MOST:
        return round(value)
    return None
