"""The journal's frames: how one captured thing is written so that half of it is never read.

    offset  bytes  what
    0       4      length of what follows the checksum, unsigned, little-endian; 0 is nothing yet
    4       4      CRC-32 of it
    8       n      MessagePack array (`Frame`): time, type, number, nil, source, user, session, data, kind;
                   of kind 3, which closes the question of this number, type and names are empty

A length of 0xFFFFFFFF, or too little room for another frame, ends a segment.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import IntEnum
from struct import Struct
from typing import Any, Final
from zlib import crc32

import msgspec

from tuppence.event import LATEST_MS, MAX_EVENT_BYTES, Event


class FrameKind:
    """What a frame says. No enumeration: its members take longer to look up and to write."""

    EVENT: Final = 1
    OPENED: Final = 2
    CLOSED: Final = 3


class Frame(Event, array_like=True):
    """One frame as read: an event, and what it says of it. An opened question's outcome is still to come."""

    kind: int = FrameKind.EVENT


class Stop(IntEnum):
    """Why reading stopped."""

    WAIT = 0  # nothing more yet
    END = 1  # the segment is complete
    TORN = 2  # bytes that are no frame; a writer may be in the middle of it
    ENOUGH = 3  # as many frames as were asked for


_LEAD: Final = Struct("<II")
_SMALLEST: Final = 9
"""Bytes of an array of nine."""
LEAD: Final = _LEAD.size
ENDED: Final = 0xFFFFFFFF
MANY: Final = 1_000_000
"""More frames than a segment holds."""
MAX_FRAME: Final = 4 * MAX_EVENT_BYTES

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Frame]).decode
_lead = _LEAD.pack


def frame(
    kind: int,
    seq: int,
    time: int,
    data: dict[str, Any],
    type_: str = "",
    source: str | None = None,
    user: str | None = None,
    session: str | None = None,
) -> bytes:
    """Return the bytes of a frame."""
    content = _encode([time, type_, seq, None, source, user, session, data, kind])
    return _lead(len(content), crc32(content)) + content


def read(segment: bytes, start: int, found: list[Frame], most: int = MANY) -> tuple[int, Stop]:
    """Append the frames of `segment` from offset `start` to `found`.

    Args:
        segment: its bytes, or those from some offset on.
        start: where the first frame begins.
        found: what is added to.
        most: frames added at most.

    Returns:
        The offset reading stopped at, and why.

    """
    at, until = start, len(segment) - LEAD
    places: list[int] = []
    contents: list[bytes] = []
    stop = Stop.END
    while at <= until:
        if len(contents) == most:
            stop = Stop.ENOUGH
            break
        length, checksum = _LEAD.unpack_from(segment, at)
        if length == 0:
            stop = Stop.WAIT
            break
        if length == ENDED:
            break
        after = at + LEAD + length
        content = segment[at + LEAD : after]
        if not _SMALLEST < length <= MAX_FRAME or len(content) < length or crc32(content) != checksum:
            stop = Stop.TORN
            break
        places.append(at)
        contents.append(content)
        at = after
    frames = _parsed(contents)
    found += frames
    return (at, stop) if len(frames) == len(contents) else (places[len(frames)], Stop.TORN)


def after_torn(segment: bytes, at: int) -> int:
    """Return where to go on after bytes at `at` that are no frame: the next whole one, or the end."""
    for offset, length, checksum in _leads(segment, at + 1):
        rest = segment[offset + LEAD : offset + LEAD + length]
        if crc32(rest) == checksum:
            return offset
    return len(segment)


def _leads(segment: bytes, start: int) -> Iterator[tuple[int, int, int]]:
    """Yield offsets that may begin a frame."""
    for offset in range(start, len(segment) - LEAD - _SMALLEST):
        length, checksum = _LEAD.unpack_from(segment, offset)
        if _SMALLEST < length <= MAX_FRAME and offset + LEAD + length <= len(segment):
            yield offset, length, checksum


def _parsed(contents: Sequence[bytes]) -> list[Frame]:
    """Return the frames of bytes whose checksums were right, up to the first that no writer writes.

    All are decoded at once, which takes half the time; only where that fails, one by one.
    """
    frames = _as_one(contents)
    if frames is not None:
        return frames
    frames = []
    for content in contents:
        alone = _as_one([content])
        if alone is None:
            break
        frames += alone
    return frames


def _as_one(contents: Sequence[bytes]) -> list[Frame] | None:
    """Return the frames, or `None` where any of them is none."""
    try:
        frames = _decode(b"".join((_ARRAY, len(contents).to_bytes(4, "big"), *contents)))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    times, numbers = [frame.time for frame in frames], [frame.seq for frame in frames]
    if frames and not (
        {content[0] for content in contents} == {_NINE}
        and 0 <= min(times) <= max(times) <= LATEST_MS
        and 0 < min(numbers) <= max(numbers) <= _LARGEST
        and _KINDS.issuperset([frame.kind for frame in frames])
        and _NO_ID.issuperset([frame.id for frame in frames])
    ):
        return None
    return frames


_ARRAY: Final = b"\xdd"
"""Before the number of what follows, in MessagePack."""
_NINE: Final = 0x99
_LARGEST: Final = 2**63 - 1
_KINDS: Final = frozenset({FrameKind.EVENT, FrameKind.OPENED, FrameKind.CLOSED})
_NO_ID: Final = frozenset({None})
