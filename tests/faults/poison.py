"""Messages made to break whoever reads them."""

import gzip
import hashlib
import json

import zstandard

from tuppence.batch import DIGEST, MAGIC, Header, pack
from tuppence.event import Event

TIME = 1_794_819_600_000
"""2026-11-16T09:00Z."""
HEADER = {"project": "bot", "hour": "2026111609", "count": 1}


def sealed(header, columns):
    """Return a batch whose digest is right, whatever is in it."""
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    rest = len(head).to_bytes(4, "little") + head + columns
    return MAGIC + hashlib.blake2b(rest, digest_size=DIGEST).digest() + rest


def compressed(raw):
    return zstandard.ZstdCompressor().compress(raw)


def gzip_bomb():
    return gzip.compress(bytes(200 * 1024 * 1024), 9)


def zstd_bomb():
    """Columns of 2 GiB, as the frame says itself; made without holding them."""
    compressor = zstandard.ZstdCompressor(level=1).compressobj(size=2 * 1024**3)
    block = bytes(16 * 1024 * 1024)
    return sealed(HEADER, b"".join(compressor.compress(block) for _ in range(128)) + compressor.flush())


def zstd_bomb_that_hides_its_size():
    compressor = zstandard.ZstdCompressor(write_content_size=False).compressobj()
    return sealed(HEADER, compressor.compress(bytes(64 * 1024 * 1024)) + compressor.flush())


def a_list_of_four_billion():
    return sealed(HEADER, compressed(b"\x81\xa4time\xdd\xff\xff\xff\xff"))


def nesting_without_end():
    return sealed(HEADER, compressed(b"\x81\xa4time" + b"\x91" * 500_000))


def a_header_of_a_megabyte():
    return sealed(json.dumps(HEADER | {"instance": "x" * 100_000}).encode(), b"")


def a_header_longer_than_the_message():
    return sealed(HEADER, b"")[:20] + (2**32 - 1).to_bytes(4, "little")


def more_events_than_it_says():
    events = [Event(time=TIME, type="t", id=str(n)) for n in range(3)]
    return pack(Header(**HEADER), events).body


def a_count_beyond_all_bounds():
    return sealed(HEADER | {"count": 2**62}, compressed(b"\x80"))


def an_event_of_another_hour():
    return pack(Header(**HEADER), [Event(time=TIME + 7_200_000, type="t", id="x")]).body


def json_without_end():
    return b'{"id":"x","time":"2026-11-16T09:00:00Z","type":"t","data":' + b'{"a":' * 2_000


def an_event_too_large():
    return b'{"id":"x","time":"2026-11-16T09:00:00Z","type":"' + b"x" * 100_000 + b'"}'


def a_message_too_large():
    return b"x" * 300_000


def nothing():
    return b""


def a_batch_of_another_version():
    return MAGIC[:3] + b"\x02" + bytes(100)


POISON = [
    gzip_bomb,
    zstd_bomb,
    zstd_bomb_that_hides_its_size,
    a_list_of_four_billion,
    nesting_without_end,
    a_header_of_a_megabyte,
    a_header_longer_than_the_message,
    more_events_than_it_says,
    a_count_beyond_all_bounds,
    an_event_of_another_hour,
    json_without_end,
    an_event_too_large,
    a_message_too_large,
    nothing,
    a_batch_of_another_version,
]
