"""The drain and the seal, on batches that are packed right and hold anything.

Input is MessagePack: a list of batches, each [instance, events, captured]; an event is [milliseconds within
the hour, type, seq, id, source, user, session, data]. An empty instance means events from outside.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

import samples
from properties import PROJECT, check_counting, read_batch
from tuppence.batch import MAX_EVENTS, Header, pack
from tuppence.event import Event
from tuppence.pipeline.intake import segment_of

TREE = True
WORDS = samples.WORDS
_NINE: Final = 1_794_819_600_000  # 2026-11-16T09:00:00Z, in milliseconds
_HOUR: Final = 3_600_000
_LARGEST: Final = 2**63 - 1
_Name = str | None
_Row = tuple[int, str, int, _Name, _Name, _Name, _Name, dict[str, Any]]
_read = msgspec.msgpack.Decoder(list[tuple[str, list[_Row], int]]).decode


def check(data: bytes) -> None:
    """Take the batches in and count them: all are accepted and none is unreadable."""
    try:
        bodies = [_packed(instance, rows, captured) for instance, rows, captured in _read(data)]
    except (msgspec.MsgspecError, UnicodeError, RecursionError, TypeError, OverflowError):
        return  # nothing that a writer packs
    segments = {}
    for body in bodies:
        segment = segment_of(body, project=PROJECT, redacted=True)
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
