"""What must hold for everything a reader has accepted, whatever bytes it came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from tuppence.batch import MAX_EVENTS, Header, pack, peek, to_events, unpack
from tuppence.drivers import Key, Record
from tuppence.errors import BadBatch
from tuppence.event import Event, hour_of
from tuppence.pipeline.records import pack_rollup, pack_texts, read_rollup, read_texts
from tuppence.pipeline.rollup import Rollup, days_of, merge_day
from tuppence.pipeline.tally import Tally
from tuppence.pipeline.texts import Texts
from tuppence.pipeline.visitors import Hashes

PROJECT: Final = "bot"
_ZONE: Final = ZoneInfo("Asia/Kathmandu")  # at +05:45, so that every hour has two cells
_KEY: Final = Key(partition="p", sort="s")


def record(body: bytes) -> Record:
    """Return a record with this body."""
    return Record(key=_KEY, body=body)


def read_batch(body: bytes) -> list[Event] | None:
    """Return the events of a batch, `None` where it is refused.

    An accepted one has as many events as its header says, all of its hour, and is the same after packing and
    unpacking it once more.
    """
    try:
        header, columns = unpack(body)
    except BadBatch:
        return None
    events = to_events(columns)
    assert peek(body)[1] == header
    assert len(events) == header.count <= MAX_EVENTS
    assert {hour_of(event.time) for event in events} <= {header.hour}
    _check_comes_back(header, events)
    return events


def check_counting(bodies: Mapping[str, bytes]) -> None:
    """Count segments as the seal does, by hour: each event once, in a form that is read back as it was."""
    hours: dict[str, dict[str, bytes]] = {}
    for part in sorted(bodies):
        hours.setdefault(peek(bodies[part])[1].hour, {})[part] = bodies[part]
    for hour, parts in hours.items():
        rollup, texts, added = _counted(hour, parts)
        assert _events(rollup) + rollup.duplicates == added
        check_rollup(hour, rollup)
        check_texts(texts)
        if all(_identified(body) for body in parts.values()):
            again, same_texts, _ = _counted(hour, parts | {f"{part}~": body for part, body in parts.items()})
            assert (again.cells, same_texts) == (rollup.cells, texts)


def check_rollup(hour: str, rollup: Rollup) -> None:
    """Hold a rollup to being read back as it was, and to keeping its events when merged into days."""
    packed = pack_rollup(rollup)
    assert read_rollup(record(packed)) == rollup
    days = [merge_day(day, rollup.zone, {hour: rollup}) for day in sorted(days_of(hour, rollup))]
    assert sum(map(_events, days)) == _events(rollup)
    for day in days:
        assert pack_rollup(read_rollup(record(pack_rollup(day)))) == pack_rollup(day)
        assert day.whole.events == _events(day)
        assert day.whole.people.count() >= 0
        day.whole.latency.percentile(0.95)


def check_texts(texts: Texts) -> None:
    """Hold texts to being read back as they were."""
    assert read_texts(record(pack_texts(texts))) == texts


def _check_comes_back(header: Header, events: list[Event]) -> None:
    try:
        packed = pack(header, events)
    except TypeError:
        return  # keys that are no strings: no writer packs them, and no reader minds
    if packed.fits():
        assert _plain(to_events(unpack(packed.body)[1])) == _plain(events)


def _plain(events: list[Event]) -> bytes:
    """Return a form in which what is not equal to itself is, too."""
    return msgspec.msgpack.encode(events, order="deterministic")


def _counted(hour: str, parts: Mapping[str, bytes]) -> tuple[Rollup, Texts, int]:
    """Return what was counted, and how many events were in it."""
    tally = Tally(hour, _ZONE, Hashes(bytes(32)))
    added = unreadable = 0
    for part, body in parts.items():
        try:
            tally.add(part, body)
            added += peek(body)[1].count
        except BadBatch:
            unreadable += 1
    rollup, texts = tally.finish()
    assert rollup.unreadable == unreadable
    return rollup, texts, added


def _events(rollup: Rollup) -> int:
    return sum(cell.events for cell in rollup.cells.values())


def _identified(body: bytes) -> bool:
    """Whether all events have an identity, as those of every writer have."""
    try:
        header, columns = unpack(body)
    except BadBatch:
        return True
    return bool(header.instance) or (None not in columns.id and len(columns.id) == header.count)
