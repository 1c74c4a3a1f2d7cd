"""What was sealed, read back for the report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from tuppence.clock import Deadline
from tuppence.drivers import Key, Record
from tuppence.errors import TuppenceError
from tuppence.pipeline import layout, records
from tuppence.pipeline.rollup import Rollup
from tuppence.pipeline.texts import Text, add_text, most_asked, settle
from tuppence.store import Store

DISTINCT: Final = 50_000
"""Distinct texts returned at most; some 50 MB. The least asked are left out, and counted."""
CHARACTERS: Final = 10_000_000
"""Characters of them together."""
_DAY: Final = timedelta(days=1)


class Days(NamedTuple):
    """The rollups of those days that have one, and how many events of each day came late."""

    rollups: dict[date, Rollup]
    late: dict[date, int]


class Asked(NamedTuple):
    """What was asked, by the text's normal form, and how many questions are not in it."""

    texts: dict[str, Text]
    left_out: int


def read_days(store: Store, project: str, first: date, last: date, *, deadline: Deadline) -> Days:
    """Return the days from `first` to `last`, both included."""
    days = Days({}, {})
    start, end = layout.day(project, first), layout.day(project, last + _DAY)
    for record in _between(store, start, end, deadline):
        day = date.fromisoformat(record.key.sort)
        days.rollups[day] = records.read_rollup(record)
        days.late[day] = records.late_events(record)
    return days


def read_texts(
    store: Store, project: str, zones: Sequence[ZoneInfo], first: date, last: date, *, deadline: Deadline
) -> Asked:
    """Return what was asked on the days from `first` to `last` of the owner's clock, both included.

    `zones` are all those by which hours may have been counted.
    """
    merged: dict[str, Text] = {}
    again: dict[str, Text] = {}
    left_out = held = 0
    for record in _text_records(store, project, zones, first, last, deadline):
        texts = records.read_texts(record)
        for day, share in texts.days.items():
            if first.isoformat() <= day <= last.isoformat():
                left_out += texts.left_out.get(day, 0)
                for key, text in share.items():
                    known = merged.setdefault(key, text)
                    if known is text:
                        held += len(key)
                    else:
                        add_text(known, text)
                        again[key] = known
        if len(merged) > 2 * DISTINCT or held > 2 * CHARACTERS:
            left_out += _shrink(merged)
            held = sum(map(len, merged))
    left_out += _shrink(merged)
    for text in again.values():
        settle(text)
    return Asked(merged, left_out)


def count_texts(
    store: Store, project: str, zones: Sequence[ZoneInfo], first: date, last: date, *, deadline: Deadline
) -> dict[str, int]:
    """Return how often each text was asked on these days: those of `read_texts`, and no more of them."""
    counts: dict[str, int] = {}
    held = 0
    for record in _text_records(store, project, zones, first, last, deadline):
        for day, share in records.read_counts(record).days.items():
            if first.isoformat() <= day <= last.isoformat():
                for key, times in share.items():
                    held += 0 if key in counts else len(key)
                    counts[key] = counts.get(key, 0) + times.count
        if len(counts) > 2 * DISTINCT or held > 2 * CHARACTERS:
            counts = {key: counts[key] for key in most_asked(counts, DISTINCT, CHARACTERS)}
            held = sum(map(len, counts))
    return {key: counts[key] for key in most_asked(counts, DISTINCT, CHARACTERS)}


def hours_in_other_zones(
    store: Store, project: str, zone: str, first: str, end: str, *, reserve_s: float, deadline: Deadline
) -> tuple[dict[str, str], str | None]:
    """Return the UTC hours from `first` up to `end` that were counted by another zone than this, with theirs.

    Also the hour at which to go on, where the search stopped since only `reserve_s` seconds are left.
    """
    found: dict[str, str] = {}
    for record in _between(store, layout.hour(project, first), layout.hour(project, end), deadline):
        hour = record.key.sort
        if deadline.remaining() <= reserve_s:
            return found, hour
        try:
            counted_by = records.read_rollup(record).zone
        except TuppenceError:
            continue  # it stays as it is; whoever makes its day names it
        if counted_by != zone:
            found[hour] = counted_by
    return found, None


def waiting_hours(store: Store, project: str, *, deadline: Deadline) -> list[str]:
    """Return the UTC hours with segments that are not in the numbers yet."""
    return _marked(store, project, "h.", deadline)


def recount_hours(store: Store, project: str, *, deadline: Deadline) -> list[str]:
    """Return the UTC hours that are still to be counted again, by the owner's new time zone."""
    return _marked(store, project, "z.", deadline)


def _marked(store: Store, project: str, prefix: str, deadline: Deadline) -> list[str]:
    markers = store.query(layout.dirty(project), start=prefix, end=f"{prefix}~", deadline=deadline)
    return [marker.key.sort.removeprefix(prefix) for marker in markers]


def _between(store: Store, start: Key, end: Key, deadline: Deadline) -> Iterator[Record]:
    """Yield the records from `start` up to `end`, over the partitions of all years or months in between."""
    root, _, first = start.partition.rpartition(".")
    last = end.partition.rpartition(".")[2]
    partition = first
    while partition <= last:
        yield from store.query(f"{root}.{partition}", start=start.sort, end=end.sort, deadline=deadline)
        partition = _following(partition)


def _following(partition: str) -> str:
    """Return the year after `2026`, or the month after `202612`."""
    if len(partition) == len("2026"):
        return f"{int(partition) + 1}"
    year, month = int(partition[:4]), int(partition[4:])
    return f"{year + month // 12}{month % 12 + 1:02d}"


def _utc_hour(day: date, zone: ZoneInfo, *, before: timedelta) -> str:
    """Return the UTC hour in which a day begins, less `before`."""
    return f"{datetime.combine(day, time(), zone).astimezone(UTC) - before:%Y%m%d%H}"


def _text_records(
    store: Store, project: str, zones: Sequence[ZoneInfo], first: date, last: date, deadline: Deadline
) -> Iterator[Record]:
    """Yield the texts of the hours in which these days lie by the clock of any of the zones."""
    start = min(_utc_hour(first, zone, before=timedelta(0)) for zone in zones)
    end = max(_utc_hour(last + _DAY, zone, before=-timedelta(hours=1)) for zone in zones)
    yield from _between(store, layout.texts(project, start), layout.texts(project, end), deadline)


def _shrink(merged: dict[str, Text]) -> int:
    """Let the least asked texts go; return how many questions that were."""
    counts = {key: text.count for key, text in merged.items()}
    return sum(merged.pop(key).count for key in counts.keys() - most_asked(counts, DISTINCT, CHARACTERS))
