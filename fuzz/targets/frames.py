"""The journal's reader and packer: whatever a segment holds, what is read of it is packed, in full.

The first byte of the input chooses: `r` is followed by the segment as it is, anything else by pieces (two
bytes of length each), which become frames with the right checksum.
"""

from __future__ import annotations

from collections.abc import Iterator
from zlib import crc32

from properties import PROJECT, read_batch
from tuppence.capture.frames import Frame, FrameKind, Stop, after_torn, frame, read
from tuppence.capture.journal import FIRST, MAGIC
from tuppence.capture.packer import Packer
from tuppence.capture.state import MemoryOutbox
from tuppence.event import MAX_NUMBER

WORDS = (
    b"\x99\x01\xa4tick\x01\xc0\xc0\xc0\xc0\x80\x01",
    b"\xff\xff\xff\xff",
    b"\x81\xa1a\x01",
    b"\x81\xa7outcome\xa8answered",
)
MAX_LEN = 2_048


def check(data: bytes) -> None:
    """Read a segment of a dead process, and pack it."""
    segment = data[1:] if data[:1] == b"r" else _framed(data[1:])
    frames = _read_all(segment)
    packer = Packer("i1", PROJECT, _Segment(segment), MemoryOutbox())
    for _ in range(len(segment) + 2):
        if packer.finished:
            break
        packer.read(dead=True)
    assert packer.finished
    try:
        packer.commit(0, goodbye=True)
    except TypeError:
        return  # keys that are no strings, which no writer writes
    packed = [read_batch(packer.body(name) or b"") or [] for name in packer.pending]
    kinds = {frame.kind for frame in frames}
    if any(frame.seq > MAX_NUMBER for frame in frames):
        return  # nor does any writer count so far
    if kinds == {FrameKind.EVENT}:
        assert sum(map(len, packed)) == len(frames)


def seeds() -> Iterator[bytes]:
    """Yield journals of some frames."""
    data = {"text": "Open?", "a": [1, None, 2.5]}
    written = [
        frame(FrameKind.EVENT, 1, 1_794_819_600_000, data, "tick", "web"),
        frame(FrameKind.OPENED, 2, 1_794_819_600_000, data, "question", None, "u1", "s1"),
        frame(FrameKind.CLOSED, 2, 1_794_819_700_000, {"outcome": "answered"}),
    ]
    yield b"r" + b"".join(written)
    yield b"r" + written[0] + b"\x20\x00\x00\x00torn" + written[1]
    pieces = [piece[8:] for piece in written]
    yield b"p" + b"".join(len(piece).to_bytes(2, "little") + piece for piece in pieces)


def _framed(data: bytes) -> bytes:
    frames = []
    while len(data) > 1:
        length = int.from_bytes(data[:2], "little")
        rest, data = data[2 : 2 + length], data[2 + length :]
        frames.append(len(rest).to_bytes(4, "little") + crc32(rest).to_bytes(4, "little") + rest)
    return b"".join(frames)


def _read_all(segment: bytes) -> list[Frame]:
    """Read past everything torn; every step moves on."""
    found: list[Frame] = []
    at = 0
    while at < len(segment):
        reached, stop = read(segment, at, found)
        assert reached >= at
        if stop is not Stop.TORN:
            break
        at = after_torn(segment, reached)
        assert at > reached
    return found


class _Segment:
    """A journal of one segment."""

    closed = False

    def __init__(self, frames: bytes) -> None:
        self._content = MAGIC + bytes(FIRST - len(MAGIC)) + frames

    def numbers(self) -> list[int]:
        return [1] if self._content else []

    def read(self, number: int, start: int, size: int) -> bytes:  # noqa: ARG002 - as Segments
        return self._content[start : start + size]

    def remove(self, number: int) -> None:  # noqa: ARG002 - as Segments
        self._content = b""
