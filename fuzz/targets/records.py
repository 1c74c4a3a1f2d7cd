"""The readers of rollups and texts: what they accept can be merged, counted and written again.

Input is MessagePack: [kind, body], 0 for a rollup, 1 for texts; the body is a value, or bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import zstandard

import samples
from properties import check_rollup, check_texts, record
from tuppence.drivers import Record
from tuppence.errors import TuppenceError
from tuppence.pipeline.records import late_events, pack_rollup, pack_texts, read_rollup, read_texts
from tuppence.pipeline.tally import Tally
from tuppence.pipeline.texts import merge_texts
from tuppence.pipeline.visitors import Hashes

TREE = True
WORDS = (*samples.WORDS, b"cells", b"zone", b"parts", b"buckets", b"registers", b"2026-11-16T09", b"UTC")
MAX_LEN = 8_192
_HOUR = "2026111609"


def check(data: bytes) -> None:
    """Read a record and use it."""
    try:
        kind, body = msgspec.msgpack.decode(data, type=tuple[int, Any])
        made = record(body if isinstance(body, bytes) else msgspec.msgpack.encode(body))
    except (msgspec.MsgspecError, UnicodeError, RecursionError, TypeError, OverflowError):
        return  # no record to read
    try:
        _use(made, is_texts=bool(kind & 1))
    except TuppenceError:
        return


def seeds() -> Iterator[bytes]:
    """Yield the rollups and texts of the samples, as they are and compressed."""
    tally = Tally(_HOUR, ZoneInfo("Asia/Kathmandu"), Hashes(bytes(32)))
    for place, message in enumerate(samples.messages()):
        tally.add(f"{place}", message)
    rollup, texts = tally.finish()
    for kind, body in ((0, pack_rollup(rollup)), (1, pack_texts(texts))):
        plain = zstandard.ZstdDecompressor().decompress(body) if body[:1] == b"\x28" else body
        yield msgspec.msgpack.encode([kind, msgspec.msgpack.decode(plain)])
        yield msgspec.msgpack.encode([kind, zstandard.ZstdCompressor().compress(plain)])


def _use(made: Record, *, is_texts: bool) -> None:
    """Do what the seal and the report do. Raises `TuppenceError` where the record is refused."""
    if not is_texts:
        check_rollup(_HOUR, read_rollup(made))
        late_events(made)
        return
    texts = read_texts(made)
    check_texts(texts)
    for share in texts.days.values():
        for text in share.values():
            merged = merge_texts([text, text])
            assert merged.count == 2 * text.count
