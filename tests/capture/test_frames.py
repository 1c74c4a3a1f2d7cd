"""What a reader of the journal believes."""

from zlib import crc32

import msgspec
import pytest

from tuppence.capture.frames import FrameKind, Stop, frame, read
from tuppence.event import LATEST_MS

DATA = {"a": 1}


def checked(rest):
    """Return bytes led by their length and the checksum that they have."""
    return len(rest).to_bytes(4, "little") + crc32(rest).to_bytes(4, "little") + rest


def test_an_event_comes_back_as_it_was_written():
    found = []

    written = frame(FrameKind.EVENT, 7, 1_000, DATA, "tick", None, "u")
    at, stop = read(written, 0, found)

    assert (at, stop) == (len(written), Stop.END)
    [event] = found
    assert (event.kind, event.seq, event.time) == (FrameKind.EVENT, 7, 1_000)
    assert (event.type, event.source, event.user, event.session) == ("tick", None, "u", None)
    assert event.data == DATA


NEVER_WRITTEN = {
    "one byte": checked(b"\x01"),
    "nothing but a number": checked(b"\xcf" + bytes(16)),
    "too few fields": checked(b"\x96\x01\xa1x\x01\xc0\xc0\xc0"),
    "an id": checked(msgspec.msgpack.encode([1, "x", 1, "id", None, None, None, {}, FrameKind.EVENT])),
    "a type that is a number": frame(FrameKind.EVENT, 1, 1, DATA, 5),
    "data that is a list": frame(FrameKind.EVENT, 1, 1, [], "tick"),
    "an end that is a list": frame(FrameKind.CLOSED, 1, 1, []),
    "another kind": frame(9, 1, 1, DATA, "tick"),
    "a time that no calendar has": frame(FrameKind.EVENT, 1, LATEST_MS + 1, DATA, "tick"),
    "a time before there was any": frame(FrameKind.EVENT, 1, -1, DATA, "tick"),
    "a number of 64 bits": frame(FrameKind.EVENT, 2**63, 1, DATA, "tick"),
    "number 0": frame(FrameKind.EVENT, 0, 1, DATA, "tick"),
    "nested too deeply": checked(b"\x99\x01\xa1x\x01\xc0\xc0\xc0\xc0\x81\xa1a" + b"\x91" * 60_000),
}


@pytest.mark.parametrize("written", NEVER_WRITTEN.values(), ids=NEVER_WRITTEN)
def test_what_no_writer_writes_is_torn_also_with_the_right_checksum(written):
    found = []

    assert read(written, 0, found) == (0, Stop.TORN)
    assert not found
