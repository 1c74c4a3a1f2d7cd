"""The batch reader behind its digest, which is made right: header and columns of any kind and size.

Input is MessagePack: [mend, header, columns]. Columns are a value, or the bytes of one; 1 in `mend` makes the
header agree with the columns, 2 takes the bytes for a compressed frame.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import accumulate
from typing import Any, Final

import msgspec
import zstandard

import samples
from properties import check_counting, read_batch
from tuppence.batch import DIGEST, MAGIC, MAX_RAW
from tuppence.event import EARLIEST_MS, LATEST_MS, hour_of

TREE = True
WORDS = samples.WORDS
_AGREE: Final = 1
_FRAME: Final = 2


def check(data: bytes) -> None:
    """Read a message whose digest is right."""
    try:
        mend, head, columns = msgspec.msgpack.decode(data, type=tuple[int, Any, Any])
        if mend & _AGREE and isinstance(head, dict) and isinstance(columns, dict):
            head = _agreeing(head, columns)
        message = sealed(head, columns, is_frame=bool(mend & _FRAME))
    except (msgspec.MsgspecError, UnicodeError, RecursionError, TypeError, OverflowError, ValueError):
        return  # no message to read
    if read_batch(message) is not None:
        check_counting({"0": message})


def sealed(head: Any, columns: Any, *, is_frame: bool = False) -> bytes:
    """Return a message around any header and columns."""
    encoded = head if isinstance(head, bytes) else msgspec.json.encode(head)
    raw = columns if isinstance(columns, bytes) else msgspec.msgpack.encode(columns)
    frame = raw if is_frame else zstandard.ZstdCompressor(level=1).compress(raw)
    inner = len(encoded).to_bytes(4, "little") + encoded + frame
    return MAGIC + hashlib.blake2b(inner, digest_size=DIGEST).digest() + inner


def seeds() -> Iterator[bytes]:
    """Yield the published messages taken apart, and some that promise too much."""
    for header, columns in samples.unpacked():
        head = msgspec.to_builtins(header)
        body = msgspec.to_builtins(columns)
        body["seq"], body["time"] = _deltas(columns.seq), _deltas(columns.time)
        for mend in (0, _AGREE):
            yield msgspec.msgpack.encode([mend, head, body])
        yield msgspec.msgpack.encode([0, msgspec.json.encode(head), msgspec.msgpack.encode(body)])
    nested = b"\x82\xa4time\x91\x00\xa4rest\x91\x81\xa1a" + b"\xdd" + (MAX_RAW - 64).to_bytes(4, "big")
    bomb = zstandard.ZstdCompressor().compress(nested + b"\x90" * (MAX_RAW - 64))
    yield msgspec.msgpack.encode([_FRAME, {"project": "bot", "hour": "1970010100", "count": 1}, bomb])


def _agreeing(head: dict[Any, Any], columns: dict[Any, Any]) -> dict[Any, Any]:
    """Return the header with the numbers and the hour that the columns have."""
    times, seqs = (columns.get(name) for name in ("time", "seq"))
    if not isinstance(times, list) or not isinstance(seqs, list | None):
        return head
    seqs = list(accumulate(seqs or []))
    hour = hour_of(min(max(EARLIEST_MS, times[0]), LATEST_MS)) if times else "2026111609"
    first_and_last = {"first": min(seqs), "last": max(seqs)} if seqs else {}
    return {**head, "project": "bot", "hour": hour, "count": len(times), **first_and_last}


def _deltas(values: list[int]) -> list[int]:
    return [after - before for before, after in zip([0, *values], values, strict=False)]
