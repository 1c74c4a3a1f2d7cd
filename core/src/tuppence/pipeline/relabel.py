"""Moving an hour from one time zone to another without its segments.

An hour's numbers are kept by hour of the owner's clock. Where another zone cuts the UTC hour in the same
places, the numbers stay as they are and only the names of those hours and of their day change. Everywhere
else the hour has to be counted again.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from msgspec.structs import replace

from tuppence.pipeline.owner_clock import DAY_LENGTH, clock_hours
from tuppence.pipeline.rollup import Rollup
from tuppence.pipeline.texts import Texts


def relabel_hour(hour: str, rollup: Rollup, zone: ZoneInfo) -> Rollup | None:
    """Return an hour's rollup by another zone's clock, or `None` where its events must be counted again."""
    names = _new_names(hour, ZoneInfo(rollup.zone), zone)
    if names is None or not rollup.cells.keys() <= names.keys():
        return None
    cells = {names[name]: cell for name, cell in rollup.cells.items()}
    return replace(rollup, zone=zone.key, cells=cells)


def relabel_texts(texts: Texts, hour: str, zone: ZoneInfo) -> Texts:
    """Return the texts of an hour that `relabel_hour` has moved: all of them belong to one day."""
    day = clock_hours(hour, zone)[0][:DAY_LENGTH]
    return replace(
        texts,
        days=dict(zip([day], texts.days.values(), strict=False)),
        left_out=dict(zip([day], texts.left_out.values(), strict=False)),
    )


def _new_names(hour: str, old: ZoneInfo, new: ZoneInfo) -> dict[str, str] | None:
    """Return what each hour of the old clock is called by the new one, if they are the same spans of time.

    The hours must also lie in one day by either clock, since texts are kept by day.
    """
    pairs = set(zip(clock_hours(hour, old), clock_hours(hour, new), strict=True))
    names = dict(pairs)
    one_to_one = len(pairs) == len(names) == len(set(names.values()))
    one_day = all(len({name[:DAY_LENGTH] for name in side}) == 1 for side in (names, names.values()))
    return names if one_to_one and one_day else None
