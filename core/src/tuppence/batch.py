"""The batch: the events of one UTC hour, packed into one queue message.

    offset  bytes  what
    0       4      magic `tpb` and the format's version as one byte, 0x01
    4       16     digest: BLAKE2b-128 of everything after it; in hex it is the batch's id
    20      4      length of the header, unsigned, little-endian
    24      n      header: JSON, UTF-8 (`Header`)
    24+n    rest   columns: MessagePack (`Columns`), compressed as one zstd frame that states its size

The same content is the same bytes and so the same id, whoever sends it and however often.
`docs/reference/batch-format.md` describes it for other languages and holds test vectors.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate, compress
from operator import sub
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from msgspec import Meta

from tuppence.errors import BadBatch
from tuppence.event import (
    EARLIEST_MS,
    LATEST_MS,
    MAX_DEPTH,
    MAX_EVENT_BYTES,
    MAX_KEYS,
    MAX_NAME,
    MAX_NUMBER,
    Event,
    hour_of,
    hour_start,
    milliseconds,
)

VERSION: Final = 1
MAGIC: Final = b"tpb" + bytes([VERSION])
DIGEST: Final = 16
PREFIX: Final = 4 + DIGEST + 4
LEVEL: Final = 3
"""zstd's level: beyond 3 the CPU time doubles for a few per cent."""

MAX_BODY: Final = 64 * 1024
"""One billing chunk of the default queue (https://aws.amazon.com/sqs/pricing/, read November 2026)."""
TARGET_BODY: Final = 60 * 1024
"""A batch is closed at about this size, so that its header and a service's own fields still fit."""
LEAST_BODY: Final = 40 * 1024
"""What every queue takes. A question asked and answered, both as long as may be, is less with its header."""
MAX_EVENTS: Final = 4_096
"""Events in one batch: bounds what a reader holds at once."""
MAX_HEADER: Final = 4_096
MAX_RAW: Final = 4 * 1024 * 1024
"""The columns before compression, at most: what a reader is willing to unpack. A byte may become an object of
80 bytes, so that this bounds what one message can make a reader hold."""
MAX_EVENT_RAW: Final = 2 * MAX_EVENT_BYTES
"""What one event adds to the columns, at most: a question asked and its end, each as long as may be."""
MAX_INSTANCE: Final = 100
"""Characters of an instance's name."""
_WIDE: Final = 32
"""Keys of `data` that get a column of their own; the rest go row by row."""

_Name = Annotated[str, Meta(max_length=MAX_NAME)]
_Text = Annotated[str, Meta(max_length=MAX_EVENT_BYTES)]
_Number = Annotated[int, Meta(ge=0, le=MAX_NUMBER)]
"""A number or count of events. A process that records a million a second gets there in two weeks."""
_KEYS: Final = Meta(max_length=2 * MAX_KEYS)
"""A question has the keys with which it was asked and those with which it ended."""


def _nested(levels: int) -> Any:
    """Return the type of a value in `data`, held to the limits of an event at each level.

    A decoder refuses what is longer, or lies deeper, before it builds it.
    """
    few = Meta(max_length=MAX_KEYS)
    plain = value = _Text | int | float | bool | None
    for _ in range(levels):
        value = plain | Annotated[list[value], few] | Annotated[dict[_Name, value], few]  # type: ignore[valid-type]
    return value


if TYPE_CHECKING:
    _Value = Any
else:
    _Value = _nested(MAX_DEPTH)


class Header(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the drain reads of a batch.

    Attributes:
        project: whose events these are.
        hour: their UTC hour, as `2026111609`.
        count: how many there are.
        instance: the capturing run they come from; empty for events from outside.
        first, last: the lowest and highest sequence number among them; 0 without an instance.
        captured: sequence numbers the instance has given out so far, itself a cumulative count.
        dropped: of those, how many fell out of a full journal so far.
        refused: calls so far that gave no event because their content could not be one.
        ignored: statements so far that could not be recorded, such as a score of 2; the events stand.
        set_aside: events so far in batches that the queue refused, and that were kept on the host instead.
        hello: the instance's first batch.
        goodbye: its last: `captured` is final.

    """

    project: _Name
    hour: str
    count: Annotated[int, Meta(ge=0, le=MAX_EVENTS)]
    instance: Annotated[str, Meta(max_length=MAX_INSTANCE, pattern=r"^[A-Za-z0-9._~-]*$")] = ""
    first: _Number = 0
    last: _Number = 0
    captured: _Number = 0
    dropped: _Number = 0
    refused: _Number = 0
    ignored: _Number = 0
    set_aside: _Number = 0
    hello: bool = False
    goodbye: bool = False


class Columns(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The events of a batch: a list for each field, `count` long, or empty when all is absent.

    `seq` and `time` hold the first value, then differences. `data` has one list for each frequent key,
    with `nil` where an event lacks it; `rest` holds what is left of each event's data, or `nil`.
    """

    seq: list[int] = []
    time: list[int] = []
    type: list[_Name] = []
    id: list[_Name | None] = []
    source: list[_Name | None] = []
    user: list[_Name | None] = []
    session: list[_Name | None] = []
    data: Annotated[dict[_Name, list[_Value]], _KEYS] = {}
    rest: list[Annotated[dict[_Name, _Value], _KEYS] | None] = []


class Batch(msgspec.Struct, frozen=True):
    """A packed batch: its id, the bytes of the message, and how many its columns have before compression."""

    id: str
    body: bytes
    raw: int

    def fits(self, most: int = MAX_BODY) -> bool:
        """Whether it is within what a queue takes, `most` bytes, and a reader unpacks."""
        return len(self.body) <= most and self.raw <= MAX_RAW


_header = msgspec.json.Encoder(order="deterministic")
_columns = msgspec.msgpack.Encoder(order="deterministic")
_read_header = msgspec.json.Decoder(Header)
_read_columns = msgspec.msgpack.Decoder(Columns)


def pack(header: Header, events: Sequence[Event]) -> Batch:
    """Pack events of one hour, in the order given. The caller keeps within `MAX_EVENTS` and `MAX_RAW`."""
    import zstandard

    raw = _columns.encode(_to_columns(events))
    head = _header.encode(header)
    body = zstandard.ZstdCompressor(level=LEVEL).compress(raw)
    sealed = len(head).to_bytes(4, "little") + head + body
    digest = hashlib.blake2b(sealed, digest_size=DIGEST).digest()
    return Batch(digest.hex(), MAGIC + digest + sealed, len(raw))


def is_batch(body: bytes) -> bool:
    """Whether these bytes claim to be a batch of any version."""
    return body[:3] == MAGIC[:3]


def peek(body: bytes) -> tuple[str, Header]:
    """Return a batch's id and header after checking its digest. Raises `BadBatch`."""
    if not is_batch(body):
        raise BadBatch("not a batch")
    if body[3:4] != MAGIC[3:]:
        raise BadBatch(f"format version {body[3:4].hex() or 'missing'}; this release reads {VERSION:02x}")
    if len(body) < PREFIX:
        raise BadBatch("cut short")
    digest = body[4 : 4 + DIGEST]
    if hashlib.blake2b(body[4 + DIGEST :], digest_size=DIGEST).digest() != digest:
        raise BadBatch("digest does not match its content")
    end = PREFIX + int.from_bytes(body[PREFIX - 4 : PREFIX], "little")
    if end > min(len(body), PREFIX + MAX_HEADER):
        raise BadBatch("header longer than allowed")
    try:
        header = _read_header.decode(body[PREFIX:end])
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise BadBatch(f"header: {error}") from None
    _check_header(header)
    return digest.hex(), header


def unpack(body: bytes) -> tuple[Header, Columns]:
    """Return a batch's header and columns, differences undone. Raises `BadBatch`; size is bounded."""
    _, header = peek(body)
    return header, read_columns(body, header)


def read_columns(body: bytes, header: Header) -> Columns:
    """Return the columns of a batch whose header has been read, as `unpack` does."""
    import zstandard

    start = PREFIX + int.from_bytes(body[PREFIX - 4 : PREFIX], "little")
    frame = body[start:]
    try:
        size = zstandard.frame_content_size(frame)
        most = min(MAX_RAW, (header.count + 1) * MAX_EVENT_RAW)
        if not 0 <= size <= most:
            raise BadBatch(f"columns of {size} bytes; at most {most} are read of {header.count} events")
        raw = zstandard.ZstdDecompressor().decompress(frame, max_output_size=MAX_RAW)
        columns = _read_columns.decode(raw)
    except (zstandard.ZstdError, msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise BadBatch(f"columns: {error}") from None
    columns.seq = list(accumulate(columns.seq))
    columns.time = list(accumulate(columns.time))
    _check_columns(header, columns)
    return columns


def to_events(columns: Columns) -> list[Event]:
    """Return columns as events again, in their order."""
    count = len(columns.time)
    absent: list[Any] = [None] * count
    rows: list[dict[str, Any]] = [dict(rest) if rest else {} for rest in columns.rest or absent]
    for key, values in columns.data.items():
        for row, value in zip(rows, values or absent, strict=True):
            if value is not None:
                row[key] = value
    return [
        Event(*fields)
        for fields in zip(
            columns.time,
            columns.type,
            columns.seq or [0] * count,
            columns.id or absent,
            columns.source or absent,
            columns.user or absent,
            columns.session or absent,
            rows,
            strict=True,
        )
    ]


def column(columns: Columns, key: str) -> list[Any]:
    """Return the values of one key of `data`, `None` where an event lacks it."""
    values = columns.data.get(key)
    if values is None and columns.rest:
        values = [rest.get(key) if rest else None for rest in columns.rest]
    return values or [None] * len(columns.time)


def select(columns: Columns, keep: Sequence[bool]) -> Columns:
    """Return the rows for which `keep` holds."""
    chosen = {name: list(compress(getattr(columns, name), keep)) for name in _LISTS}
    data = {key: list(compress(values, keep)) for key, values in columns.data.items()}
    return Columns(data=data, **chosen)


_LISTS: Final = ("seq", "time", "type", "id", "source", "user", "session", "rest")


def _to_columns(events: Sequence[Event]) -> Columns:
    rows = [event.data for event in events]
    wide, narrow = _keys(rows)
    rest = [{key: value for key, value in row.items() if key in narrow} or None for row in rows if narrow]
    return Columns(
        seq=_deltas([event.seq for event in events]) if any(event.seq for event in events) else [],
        time=_deltas([event.time for event in events]),
        type=[event.type for event in events],
        id=_or_empty([event.id for event in events]),
        source=_or_empty([event.source for event in events]),
        user=_or_empty([event.user for event in events]),
        session=_or_empty([event.session for event in events]),
        data={key: [row.get(key) for row in rows] for key in wide},
        rest=_or_empty(rest),
    )


def _keys(rows: Sequence[dict[str, Any]]) -> tuple[list[str], set[str]]:
    """Return the keys worth a column, sorted, and the others.

    A column is for keys that at least one event in eight has, the most frequent first. Events of one kind
    have the same keys, so that kinds are counted and not keys.
    """
    seen: Counter[str] = Counter()
    for keys, times in Counter(map(tuple, rows)).items():
        for key in keys:
            seen[key] += times
    frequent = [key for key, times in seen.items() if times * 8 >= len(rows)]
    wide = sorted(frequent, key=lambda key: (-seen[key], key))[:_WIDE]
    return sorted(wide), seen.keys() - set(wide)


def _deltas(values: list[int]) -> list[int]:
    return values[:1] + list(map(sub, values[1:], values))


def _or_empty(values: list[Any]) -> list[Any]:
    return values if values.count(None) < len(values) else []


def _check_header(header: Header) -> None:
    try:
        start = hour_start(header.hour)
    except ValueError:
        start = None
    if start is None or f"{start:%Y%m%d%H}" != header.hour:
        raise BadBatch("header: `hour` is not of the form 2026111609")
    if not EARLIEST_MS <= milliseconds(start) <= LATEST_MS:
        raise BadBatch("header: `hour` lies outside the years 1970 to 9998")
    if header.dropped > header.captured or header.set_aside > header.captured:
        raise BadBatch("header: more dropped or set aside than captured")


def _check_columns(header: Header, columns: Columns) -> None:
    """Refuse columns that disagree with each other or with the header."""
    named: list[list[Any]] = [columns.seq, columns.id, columns.source, columns.user, columns.session]
    lists = [*named, columns.rest, *columns.data.values()]
    if len(columns.time) != header.count or len(columns.type) != header.count:
        raise BadBatch("columns: not as many events as the header says")
    if any(values and len(values) != header.count for values in lists):
        raise BadBatch("columns: lists of different lengths")
    if header.instance and header.count and not columns.seq:
        raise BadBatch("columns: no sequence numbers")
    if columns.seq and not 0 <= min(columns.seq) <= max(columns.seq) <= MAX_NUMBER:
        raise BadBatch(f"columns: a sequence number below 0 or over {MAX_NUMBER}")
    if header.instance and columns.seq:
        if (min(columns.seq), max(columns.seq)) != (header.first, header.last):
            raise BadBatch("columns: sequence numbers disagree with the header")
        if not header.first:
            raise BadBatch("columns: sequence number 0")
    try:
        hours = {hour_of(time) for time in {min(columns.time), max(columns.time)}} if columns.time else set()
    except (OverflowError, ValueError):
        raise BadBatch("columns: a time that no calendar has") from None
    if hours - {header.hour}:
        raise BadBatch("columns: events of another hour than the header's")
