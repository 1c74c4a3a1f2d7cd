"""What a queue message is: the segment it becomes, or the reason why it cannot be one."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tuppence import batch
from tuppence.errors import BadBatch, InvalidEvent
from tuppence.event import MAX_EVENT_BYTES, Event, hour_of, parse_event

_GZIP: Final = b"\x1f\x8b"
_GZIP_WINDOW: Final = 31  # zlib's code for a gzip header and the largest window


class Reason(StrEnum):
    """Why a message, or a segment, could not be counted."""

    NO_EVENT = "not an event"
    BAD_BATCH = "bad batch"
    NEWER_FORMAT = "newer format"
    OTHER_PROJECT = "other project"
    BAD_COLUMNS = "unreadable columns"
    PERIOD_CLOSED = "period closed"


class Unusable(Exception):  # noqa: N818 - internal: what was read, not what went wrong
    """A message that cannot become a segment."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Segment:
    """A message that can be stored: always in the form of a batch, also when it came as a single event."""

    id: str
    hour: str
    body: bytes
    kind: str
    events: int


def segment_of(body: bytes, *, project: str, redacted: bool) -> Segment:
    """Return the segment that a message becomes. Raises `Unusable`.

    Args:
        body: a batch, or one event as JSON, which may be compressed with gzip. Whoever may send can send
            anything, so each is held to the limits of what capturing makes.
        project: whose messages are expected.
        redacted: whether what identifies people is replaced in a single event. A batch has had this done
            where it was captured.

    """
    if not batch.is_batch(body):
        return _single(body, project, redacted=redacted)
    try:
        batch_id, header = batch.peek(body)
    except BadBatch as error:
        other_version = body[3:4] != batch.MAGIC[3:]
        raise Unusable(Reason.NEWER_FORMAT if other_version else Reason.BAD_BATCH, str(error)) from None
    if header.project != project:
        raise Unusable(Reason.OTHER_PROJECT, "a batch of another project")
    try:
        batch.read_columns(body, header)  # and forgotten: what is stored is what came
    except BadBatch as error:
        raise Unusable(Reason.BAD_COLUMNS, str(error)) from None
    return Segment(batch_id, header.hour, body, "batch", header.count)


def redacted_event(event: Event) -> Event:
    """Return an event from outside with what identifies people replaced, as capturing does it."""
    from tuppence.redact import pseudonym, redact

    event.data = redact(event.data)
    event.user = event.user and pseudonym(event.user)
    event.session = event.session and pseudonym(event.session)
    return event


def _single(body: bytes, project: str, *, redacted: bool) -> Segment:
    try:
        event = parse_event(_unzipped(body) if body.startswith(_GZIP) else body)
    except InvalidEvent as error:
        raise Unusable(Reason.NO_EVENT, str(error)) from None
    if event.id is None:
        raise Unusable(Reason.NO_EVENT, "no `id`")
    if redacted:
        event = redacted_event(event)
    hour = hour_of(event.time)
    packed = batch.pack(batch.Header(project=project, hour=hour, count=1), [event])
    return Segment(packed.id, hour, packed.body, "event", 1)


def _unzipped(body: bytes) -> bytes:
    """Undo gzip within the size of one event. Raises `InvalidEvent`."""
    decompressor = zlib.decompressobj(_GZIP_WINDOW)
    try:
        plain = decompressor.decompress(body, MAX_EVENT_BYTES + 1)
    except zlib.error:
        raise InvalidEvent("not valid gzip") from None
    if len(plain) <= MAX_EVENT_BYTES and (not decompressor.eof or decompressor.unused_data):
        raise InvalidEvent("not one whole gzip member")
    return plain
