"""Batches as someone might make them who may send and means harm: well-formed, with anything in them."""

import hashlib

import msgspec
import zstandard

from pipeline.world import NINE, PROJECT
from tuppence.batch import DIGEST, MAGIC
from tuppence.event import milliseconds

START = milliseconds(NINE)


def forged(columns=None, **header):
    """Return the bytes of a batch with this header and these columns, by default one event of 09:00."""
    head = msgspec.json.encode({"project": PROJECT, "hour": "2026111609", "count": 1, **header})
    plain = msgspec.msgpack.encode({"time": [START], "type": ["question"], "id": ["a"]} | (columns or {}))
    return sealed(head, zstandard.ZstdCompressor(level=3).compress(plain))


def sealed(head, frame):
    """Return header and columns under the digest that belongs to them."""
    content = len(head).to_bytes(4, "little") + head + frame
    return MAGIC + hashlib.blake2b(content, digest_size=DIGEST).digest() + content


def nested(depth):
    """Return lists in lists."""
    value = []
    for _ in range(depth):
        value = [value]
    return value
