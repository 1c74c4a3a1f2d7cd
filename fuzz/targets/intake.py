"""The single-event reader: what `segment_of` accepts can be drained and sealed."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import samples
from properties import PROJECT, check_counting, read_batch
from tuppence.pipeline.intake import Unusable, segment_of

WORDS = (*samples.WORDS, b"\x1f\x8b\x08", b"\\ud800", b"1e999", b"+00:00", b"a@example.com")
MAX_LEN = 2_048


def check(data: bytes) -> None:
    """Take a message in, as it is and compressed, with and without redaction."""
    for body in (data, gzip.compress(data, 1, mtime=0)):
        for redacted in (True, False):
            try:
                segment = segment_of(body, project=PROJECT, redacted=redacted)
            except Unusable:
                continue
            if segment.kind == "event":
                events = read_batch(segment.body)
                assert events is not None
                assert len(events) == segment.events == 1
            check_counting({segment.id: segment.body})


def seeds() -> Iterator[bytes]:
    """Yield single events and batches."""
    yield from samples.EVENTS
    yield from (gzip.compress(event, mtime=0) for event in samples.EVENTS)
    yield samples.messages()[0]
