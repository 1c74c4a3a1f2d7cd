"""Markers, rollups and texts as records: compressed where it pays, and read back within bounds."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Final, TypeVar

import msgspec

from tuppence.drivers import Key, Record
from tuppence.errors import TuppenceError
from tuppence.pipeline import rollup as rollups
from tuppence.pipeline import texts as text_records
from tuppence.pipeline.rollup import Rollup
from tuppence.pipeline.texts import Counts, Texts

_Made = TypeVar("_Made", Rollup, Texts, Counts)

MAX_RAW: Final = 64 * 1024 * 1024
"""Bytes a record is unpacked to, at most."""
LATE: Final = "late"
"""The attribute that counts late events. Not in the body, which is the same whatever order things came in."""
_LEVEL: Final = 3
_ZSTD: Final = bytes.fromhex("28b52ffd")
"""The first bytes of a zstd frame (RFC 8878); MessagePack never begins a map with them."""


def marker(key: Key) -> Record:
    """Return a fresh marker: no two are alike, also where a store's version is a hash of the content."""
    return Record(key=key, body=secrets.token_hex(8).encode())


def pack_rollup(rollup: Rollup) -> bytes:
    """Return the body of a rollup's record. Raises `TuppenceError` if it could not be read again."""
    return _packed(rollups.encode(rollup), rollups.decode)


def pack_texts(texts: Texts) -> bytes:
    """Return the body of a texts' record. Raises `TuppenceError` if it could not be read again."""
    return _packed(text_records.encode(texts), text_records.decode)


def read_rollup(record: Record) -> Rollup:
    """Return the rollup a record holds. Raises `TuppenceError` on one that this release cannot read."""
    return _read(record, rollups.decode, rollups.VERSION)


def read_texts(record: Record) -> Texts:
    """Return the texts a record holds. Raises `TuppenceError` on ones that this release cannot read."""
    return _read(record, text_records.decode, text_records.VERSION)


def read_counts(record: Record) -> Counts:
    """Return how often each text of a record was asked. Raises as `read_texts` does."""
    return _read(record, text_records.decode_counts, text_records.VERSION)


def late_events(record: Record) -> int:
    """Return how many events of a rollup came late."""
    count = record.attributes.get(LATE, "")
    return int(count) if count.isascii() and count.isdigit() else 0


def _read(record: Record, decode: Callable[[bytes], _Made], newest: int) -> _Made:
    try:
        made = decode(_plain(record.body))
    except (msgspec.MsgspecError, ValueError) as error:
        raise _unreadable(record, error) from None
    if made.version > newest:
        raise _newer(record)
    return made


def _packed(body: bytes, decode: Callable[[bytes], object]) -> bytes:
    """Compress what has been made, once it is known that it can be read again."""
    import zstandard

    try:
        if len(body) > MAX_RAW:
            raise ValueError(f"over {MAX_RAW} bytes")
        decode(body)
    except (msgspec.MsgspecError, ValueError) as error:
        raise TuppenceError(f"what was made of it could not be read again ({error})") from None
    small = zstandard.ZstdCompressor(level=_LEVEL).compress(body)
    return small if len(small) < len(body) else body


def _plain(body: bytes) -> bytes:
    """Undo `_packed`. Raises `ValueError`."""
    import zstandard

    if not body.startswith(_ZSTD):
        return body
    try:
        if not 0 <= zstandard.frame_content_size(body) <= MAX_RAW:
            raise ValueError(f"over {MAX_RAW} bytes unpacked")
        return zstandard.ZstdDecompressor().decompress(body, max_output_size=MAX_RAW)
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from None


def _unreadable(record: Record, error: Exception) -> TuppenceError:
    return TuppenceError(
        f"the record {record.key.partition}/{record.key.sort} cannot be read ({type(error).__name__}); "
        f"delete it to have it made again, if its events are still kept"
    )


def _newer(record: Record) -> TuppenceError:
    return TuppenceError(
        f"the record {record.key.partition}/{record.key.sort} is of a newer tuppence; upgrade this one"
    )
