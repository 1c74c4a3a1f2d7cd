"""What a reader of the journal believes."""

from zlib import crc32

import msgspec
import pytest

from tuppence.capture.frames import FrameKind, Stop, frame, read
from tuppence.event import LATEST_MS

HEAD = ("tick", None, "u", None)
EMPTY = msgspec.msgpack.encode({})


def checked(rest):
    """Return bytes led by their length and the checksum that they have."""
    return len(rest).to_bytes(4, "little") + crc32(rest).to_bytes(4, "little") + rest


def test_an_event_comes_back_as_it_was_written():
    found = []

    written = frame(FrameKind.EVENT, 7, 1_000, HEAD, msgspec.msgpack.encode({"a": 1}))
    at, stop = read(written, 0, found)

    assert (at, stop) == (len(written), Stop.END)
    [(kind, event)] = found
    assert (kind, event.seq, event.time, event.user, event.data) == (FrameKind.EVENT, 7, 1_000, "u", {"a": 1})


NEVER_WRITTEN = {
    "one byte": checked(b"\x01"),
    "no head": checked(bytes([FrameKind.EVENT]) + bytes(16)),
    "a head of another length": checked(bytes([FrameKind.EVENT]) + bytes(16) + b"\x93\xa1x\xc0\xc0" + EMPTY),
    "a type that is a number": frame(FrameKind.EVENT, 1, 1, (5, None, None, None), EMPTY),
    "data that is a list": frame(FrameKind.EVENT, 1, 1, HEAD, b"\x90"),
    "an end that is a list": frame(FrameKind.CLOSED, 1, 1, None, b"\x90"),
    "no end": checked(bytes([FrameKind.CLOSED]) + bytes(16)),
    "another kind": frame(9, 1, 1, HEAD, EMPTY),
    "a time that no calendar has": frame(FrameKind.EVENT, 1, LATEST_MS + 1, HEAD, EMPTY),
    "a number of 64 bits": frame(FrameKind.EVENT, 2**63, 1, HEAD, EMPTY),
    "number 0": frame(FrameKind.EVENT, 0, 1, HEAD, EMPTY),
    "nested too deeply": frame(FrameKind.EVENT, 1, 1, HEAD, b"\x81\xa1a" + b"\x91" * 60_000),
}


@pytest.mark.parametrize("written", NEVER_WRITTEN.values(), ids=NEVER_WRITTEN)
def test_what_no_writer_writes_is_torn_also_with_the_right_checksum(written):
    found = []

    assert read(written, 0, found) == (0, Stop.TORN)
    assert not found
