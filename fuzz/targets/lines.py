"""The import: every line is sent or refused, what is sent can be counted, and doing it twice changes nothing.

The first byte of the input chooses the format, the rest is the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import cast

import samples
from properties import PROJECT, check_counting, read_batch
from tuppence.clock import Deadline
from tuppence.drivers import ItemError, Limits, Message
from tuppence.pipeline.importer import Imported, import_lines
from tuppence.queue import Queue

WORDS = (*samples.WORDS, b"data.", b",", b'"', b"\r\n", b"\xef\xbb\xbf")
MAX_LEN = 4_096


class _Sent:
    """A queue that takes everything."""

    limits = Limits(batch_items=10, batch_bytes=256 * 1024, item_bytes=256 * 1024)

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}

    def send(self, messages: Sequence[Message], *, deadline: Deadline) -> list[ItemError]:  # noqa: ARG002 - as Queue
        self.bodies |= {message.id: message.body for message in messages}
        return []


def check(data: bytes) -> None:
    """Import a file."""
    imported, sent = _imported(data)
    assert imported.lines == imported.sent + imported.refused
    events = [read_batch(body) for body in sent.values()]
    assert sum(len(each) for each in events if each is not None) == imported.sent
    assert None not in events
    check_counting(sent)
    assert _imported(data)[1] == sent


def seeds() -> Iterator[bytes]:
    """Yield files of both formats."""
    yield b"n" + b"\n".join(samples.EVENTS) + b"\n\nno event\n"
    yield (
        b"ctime,type,user,text,useful,latency_ms,data.plan\r\n"
        b'2026-11-16T09:00:00Z,question,u1,"Where, then?",yes,12.5,\r\n'
        b"2026-11-16T10:00:00Z,signup,u2,,,,free\r\n2026-11-16,question,,,\r\n"
    )


def _imported(data: bytes) -> tuple[Imported, dict[str, bytes]]:
    sink = _Sent()
    imported = import_lines(
        BytesIO(data[1:]),
        cast("Queue", sink),
        project=PROJECT,
        format="csv" if data[:1] == b"c" else "ndjson",
        deadline=Deadline.after(60),
    )
    return imported, sink.bodies
