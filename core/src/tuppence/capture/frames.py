"""The journal's frames: how one captured thing is written so that half of it is never read.

    offset  bytes  what
    0       4      length of what follows the checksum, unsigned, little-endian; 0 is nothing yet
    4       4      CRC-32 of it
    8       1      kind: 1 an event, 2 a question opened, 3 a question closed
    9       8      sequence number
    17      8      time, in milliseconds since 1970 UTC
    25      n      kinds 1 and 2: MessagePack array [type, source, user, session], then the data's map;
                   kind 3: the map that closes the question of this number

A length of 0xFFFFFFFF, or too little room for another frame, ends a segment.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from struct import Struct
from typing import Any, Final, NamedTuple
from zlib import crc32

import msgspec

from tuppence.event import LATEST_MS, MAX_EVENT_BYTES, Event


class FrameKind(IntEnum):
    """What a frame says."""

    EVENT = 1
    OPENED = 2
    CLOSED = 3


class Frame(NamedTuple):
    """One frame as read. An opened question's outcome is still to come."""

    kind: int
    event: Event


class Stop(IntEnum):
    """Why reading stopped."""

    WAIT = 0  # nothing more yet
    END = 1  # the segment is complete
    TORN = 2  # bytes that are no frame; a writer may be in the middle of it
    ENOUGH = 3  # as many frames as were asked for


_LEAD: Final = Struct("<II")
_FIXED: Final = Struct("<BQQ")
LEAD: Final = _LEAD.size
ENDED: Final = 0xFFFFFFFF
MANY: Final = 1_000_000
"""More frames than a segment holds."""
MAX_FRAME: Final = 4 * MAX_EVENT_BYTES

_encode = msgspec.msgpack.Encoder().encode
_Head = tuple[str, str | None, str | None, str | None]
_read_both = msgspec.msgpack.Decoder(tuple[str, str | None, str | None, str | None, dict[str, Any]]).decode
_read_end = msgspec.msgpack.Decoder(dict[str, Any]).decode


def frame(kind: int, seq: int, time: int, head: _Head | None, data: bytes) -> bytes:
    """Return the bytes of a frame. `head` is type, source, user and session; `data` an encoded map."""
    rest = _FIXED.pack(kind, seq, time) + (_encode(head) + data if head else data)
    return _LEAD.pack(len(rest), crc32(rest)) + rest


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
    at = start
    until = len(found) + most
    while at + LEAD <= len(segment):
        if len(found) == until:
            return at, Stop.ENOUGH
        length, checksum = _LEAD.unpack_from(segment, at)
        if length == 0:
            return at, Stop.WAIT
        if length == ENDED:
            return at, Stop.END
        rest = segment[at + LEAD : at + LEAD + length]
        if not _FIXED.size < length <= MAX_FRAME or len(rest) < length or crc32(rest) != checksum:
            return at, Stop.TORN
        try:
            found.append(_parsed(rest))
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return at, Stop.TORN
        at += LEAD + length
    return at, Stop.END


def after_torn(segment: bytes, at: int) -> int:
    """Return where to go on after bytes at `at` that are no frame: the next whole one, or the end."""
    for offset, length, checksum in _leads(segment, at + 1):
        rest = segment[offset + LEAD : offset + LEAD + length]
        if crc32(rest) == checksum:
            return offset
    return len(segment)


def _leads(segment: bytes, start: int) -> Iterator[tuple[int, int, int]]:
    """Yield offsets that may begin a frame."""
    for offset in range(start, len(segment) - LEAD - _FIXED.size):
        length, checksum = _LEAD.unpack_from(segment, offset)
        if _FIXED.size < length <= MAX_FRAME and offset + LEAD + length <= len(segment):
            yield offset, length, checksum


def _parsed(rest: bytes) -> Frame:
    """Return the frame of bytes whose checksum was right. Raises `ValueError` and what msgspec raises."""
    kind, seq, time = _FIXED.unpack_from(rest)
    if time > LATEST_MS or not 0 < seq <= _LARGEST:
        raise ValueError("a number that no writer writes")
    if kind == FrameKind.CLOSED:
        return Frame(kind, Event(time=time, type="", seq=seq, data=_read_end(rest[_FIXED.size :])))
    if kind not in _WITH_HEAD or rest[_FIXED.size] != _FOUR:
        raise ValueError("not a head")
    # Head and data are written one after the other, so that neither is encoded twice: an array of five is an
    # array of four with another first byte and one more item behind it.
    type_, source, user, session, data = _read_both(_FIVE + rest[_FIXED.size + 1 :])
    return Frame(
        kind, Event(time=time, type=type_, seq=seq, source=source, user=user, session=session, data=data)
    )


_WITH_HEAD: Final = frozenset({FrameKind.EVENT, FrameKind.OPENED})
_LARGEST: Final = 2**63 - 1
_FOUR: Final = 0x94
_FIVE: Final = b"\x95"
