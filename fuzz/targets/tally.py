"""The drain and the seal, on batches that are packed right and hold anything.

Input is MessagePack: a list of batches, each [instance, events, captured]; an event is [milliseconds within
the hour, type, seq, id, source, user, session, data]. An empty instance means events from outside.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

import samples
from properties import PROJECT, check_counting, read_batch
from tuppence.batch import MAX_EVENTS, Header, pack
from tuppence.event import MAX_DEPTH, MAX_EVENT_BYTES, MAX_KEYS, MAX_NAME, MAX_NUMBER, Event
from tuppence.pipeline.intake import Unusable, segment_of

TREE = True
WORDS = samples.WORDS
_NINE: Final = 1_794_819_600_000  # 2026-11-16T09:00:00Z, in milliseconds
_HOUR: Final = 3_600_000
_NAME: Final = re.compile(r"[A-Za-z0-9._~-]*")
_LARGEST: Final = MAX_NUMBER - 1
_Name = str | None
_Row = tuple[int, str, int, _Name, _Name, _Name, _Name, dict[str, Any]]
_read = msgspec.msgpack.Decoder(list[tuple[str, list[_Row], int]]).decode


def check(data: bytes) -> None:
    """Take the batches in and count them: all within the limits are accepted, and none is unreadable."""
    try:
        batches = _read(data)
        bodies = [_packed(instance, rows, captured) for instance, rows, captured in batches]
    except (msgspec.MsgspecError, UnicodeError, RecursionError, TypeError, OverflowError):
        return  # nothing that a writer packs
    segments = {}
    for body, (instance, rows, _) in zip(bodies, batches, strict=True):
        try:
            segment = segment_of(body, project=PROJECT, redacted=True)
        except Unusable:
            assert not (_NAME.fullmatch(instance[:32]) and all(map(_within_limits, rows)))
            continue
        assert read_batch(segment.body) is not None
        segments[segment.id] = segment.body
    check_counting(segments)


def seeds() -> Iterator[bytes]:
    """Yield batches of several kinds."""
    yield msgspec.msgpack.encode(samples.judged())
    for batch in samples.judged():
        yield msgspec.msgpack.encode([batch])


def _packed(instance: str, rows: list[_Row], captured: int) -> bytes:
    """Pack events as capturing (in order of their numbers) or importing does."""
    events = [
        Event(_NINE + at % _HOUR, kind, 0, name or f"{place}", source, user, session, data)
        for place, (at, kind, _, name, source, user, session, data) in enumerate(rows[:MAX_EVENTS])
    ]
    if not instance:
        return pack(Header(project=PROJECT, hour="2026111609", count=len(events)), events).body
    for event, row in zip(events, rows, strict=False):
        event.id, event.seq = None, row[2] & _LARGEST or 1
    events.sort(key=lambda event: event.seq)
    numbers = [event.seq for event in events] or [0]
    header = Header(
        project=PROJECT,
        hour="2026111609",
        count=len(events),
        instance=instance[:32],
        first=numbers[0],
        last=numbers[-1],
        captured=captured & _LARGEST,
    )
    return pack(header, events).body


def _within_limits(row: _Row) -> bool:
    """Whether capturing could have made this event."""
    *_, data = row
    names = [row[1], *row[3:7]]
    size = len(msgspec.msgpack.encode(row))
    return max(len(name or "") for name in names) <= MAX_NAME and size <= MAX_EVENT_BYTES and _small(data, 0)


def _small(value: Any, depth: int) -> bool:
    if isinstance(value, dict):
        keys = all(type(key) is str and len(key) <= MAX_NAME for key in value)
        return keys and _small(list(value.values()), depth)
    if isinstance(value, list):
        return (
            depth < MAX_DEPTH and len(value) <= MAX_KEYS and all(_small(inner, depth + 1) for inner in value)
        )
    return not isinstance(value, bytes | msgspec.msgpack.Ext)
