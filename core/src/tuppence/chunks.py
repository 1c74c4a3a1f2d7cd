"""A record too big for one item, as a head and chunks.

The chunks lie beside the head, under `<sort>~<generation>.<n>`. They are written first and the head last, so
a reader sees the old record or the new one. The head's body is a `Manifest`.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import msgspec

from tuppence.drivers import Key, Record
from tuppence.errors import DriverError, ErrorCode

MARK: Final = "~"
"""Stands in the sort keys of chunks and in no other."""
CHUNKED: Final = "tp_chunked"
"""The attribute by which a head is known."""
MAX_RECORD: Final = 64 * 1024 * 1024
"""The largest record that is written, or put together again."""
OWN: Final = 64
"""Bytes kept free in every item for the attributes that core adds."""
SUFFIX: Final = len(f"{MARK}0123456789abcdef.1234567")
"""What a chunk's key is longer by than its head's."""


class Manifest(msgspec.Struct, frozen=True):
    """What a head says of its chunks: their generation, how many, and the whole's length and digest."""

    generation: str
    chunks: int
    length: int
    digest: str

    def keys(self, head: Key) -> list[Key]:
        """Return where the chunks of this generation lie."""
        return [
            Key(partition=head.partition, sort=f"{head.sort}{MARK}{self.generation}.{number}")
            for number in range(self.chunks)
        ]


def is_chunk(key: Key) -> bool:
    """Whether a record is part of another."""
    return MARK in key.sort


def split(record: Record, item_bytes: int) -> tuple[Record, list[Record]]:
    """Return the head and the chunks of a record, none of them larger than `item_bytes`."""
    length = item_bytes - OWN - len(record.key.partition) - len(record.key.sort) - SUFFIX
    parts = [record.body[at : at + length] for at in range(0, len(record.body), length)]
    manifest = Manifest(secrets.token_hex(8), len(parts), len(record.body), _digest(record.body))
    chunks = [
        Record(key=key, body=part, expires_at=record.expires_at)
        for key, part in zip(manifest.keys(record.key), parts, strict=True)
    ]
    attributes = {**record.attributes, CHUNKED: manifest.generation}
    return replace(record, body=msgspec.json.encode(manifest), attributes=attributes), chunks


def manifest_of(head: Record) -> Manifest | None:
    """Return what a head says of its chunks, or `None` of a record that is whole."""
    if CHUNKED not in head.attributes:
        return None
    return read_manifest(head.body)


def read_manifest(body: bytes) -> Manifest:
    """Return the manifest that a head's body is. Raises `DriverError` on one that nobody here wrote."""
    try:
        manifest = msgspec.json.decode(body, type=Manifest)
    except (msgspec.MsgspecError, UnicodeError):
        raise _unreadable() from None
    if not 0 < manifest.chunks <= manifest.length <= MAX_RECORD:
        raise _unreadable()
    return manifest


def join(manifest: Manifest, chunks: Sequence[Record | None]) -> bytes | None:
    """Return the whole, or `None` where a chunk is missing or another's."""
    body = b"".join(chunk.body for chunk in chunks if chunk is not None)
    if len(body) != manifest.length or _digest(body) != manifest.digest:
        return None
    return body


def _digest(body: bytes) -> str:
    return hashlib.blake2b(body, digest_size=16).hexdigest()


def _unreadable() -> DriverError:
    return DriverError(
        ErrorCode.INVALID,
        operation="store.get",
        provider="core",
        message="a chunked record whose manifest cannot be read",
    )
