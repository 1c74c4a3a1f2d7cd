"""The import: events from a file into the queue, so that doing it twice changes nothing.

Lines become batches of events from outside, an hour each. What the batches hold, and so their ids, depends on
nothing but the content of the file. An event without an id is given one made of its canonical line and of how
many such lines came before, which takes some 100 bytes of memory a line; nothing else grows with the file.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal

import msgspec

from tuppence.batch import TARGET_BODY, Batch, Header, pack
from tuppence.clock import Deadline
from tuppence.drivers import Message
from tuppence.errors import InvalidEvent
from tuppence.event import EARLIEST_MS, LATEST_MS, Event, hour_of, milliseconds, moment, parse_event
from tuppence.pipeline.csv_rows import read_csv
from tuppence.pipeline.intake import redacted_event
from tuppence.pipeline.lines import read_ndjson
from tuppence.queue import Queue

EVENTS: Final = 2_000
"""Events of one hour gathered before they are packed."""
BYTES: Final = 384 * 1024
"""Bytes of their lines, likewise: they pack to about a tenth."""
HELD: Final = 50_000
"""Events gathered in all hours together; beyond it, the fullest hour is packed."""
LISTED: Final = 100
"""Refusals listed in the result; all are counted, and told as they happen."""
MAX_REASONS: Final = 50
"""Different reasons told apart; what is refused for yet another one is counted under `OTHER_REASONS`."""
OTHER_REASONS: Final = "other reasons"
LINES_OF_A_REASON: Final = 5
"""Lines named of each reason."""
_PLACE_IN_LINE: Final = re.compile(r" \(byte \d+\)$")

Format = Literal["ndjson", "csv"]


class Refusal(msgspec.Struct, frozen=True):
    """A line that cannot be an event, counted from 1, and why."""

    line: int
    reason: str


class Reason(msgspec.Struct, kw_only=True):
    """Why lines were refused: the words, how many they were, and the first `LINES_OF_A_REASON` of them."""

    reason: str
    count: int = 0
    lines: list[int]


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did.

    Attributes:
        lines: read.
        sent: events sent.
        refused: lines that cannot be events.
        refusals: the first `LISTED` of them.
        reasons: all of them, by reason.
        early: events sent from before the time that was asked about.
        future: events sent from after it.

    """

    lines: int
    sent: int
    refused: int
    refusals: list[Refusal]
    reasons: list[Reason]
    early: int
    future: int


class Refusals:
    """Counts refused lines by their reasons."""

    def __init__(self) -> None:
        self.count = 0
        self.first: list[Refusal] = []
        self._reasons: dict[str, Reason] = {}

    @property
    def reasons(self) -> list[Reason]:
        """The reasons so far, in the order in which they came up."""
        return list(self._reasons.values())

    def add(self, refusal: Refusal) -> None:
        """Count one."""
        self.count += 1
        if len(self.first) < LISTED:
            self.first.append(refusal)
        key = _PLACE_IN_LINE.sub("", refusal.reason)
        if key not in self._reasons and len(self._reasons) >= MAX_REASONS:
            key = OTHER_REASONS
        reason = self._reasons.setdefault(key, Reason(reason=key, lines=[]))
        reason.count += 1
        if len(reason.lines) < LINES_OF_A_REASON:
            reason.lines.append(refusal.line)


def import_lines(
    lines: Iterable[bytes],
    queue: Queue,
    *,
    project: str,
    format: Format = "ndjson",  # noqa: A002 - the word people type
    deadline: Deadline,
    redacted: bool = True,
    between: tuple[datetime, datetime] | None = None,
    on_refusal: Callable[[Refusal], object] | None = None,
) -> Imported:
    """Send the events that lines describe.

    Args:
        lines: of a file opened for reading bytes.
        queue: where to.
        project: whose events they are.
        format: `ndjson`, or `csv` with a line of column names first.
        deadline: when to give up.
        redacted: whether what identifies people is replaced first.
        between: count the events that lie before or after these two times; they are sent all the same.
        on_refusal: called with each line that is refused, as it is read.

    Raises:
        DriverError: the queue did not take something. Doing the whole import again is safe.

    """
    work = _Import(queue, project, deadline, redacted=redacted, between=between)
    refusals = Refusals()
    count = 0
    for number, raw, size in (read_csv if format == "csv" else read_ndjson)(lines):
        count += 1
        try:
            if isinstance(raw, InvalidEvent):
                raise raw
            work.add(raw, size)
        except InvalidEvent as error:
            refusal = Refusal(number, str(error))
            refusals.add(refusal)
            if on_refusal is not None:
                on_refusal(refusal)
    work.finish()
    return Imported(
        lines=count,
        sent=work.sent,
        refused=refusals.count,
        refusals=refusals.first,
        reasons=refusals.reasons,
        early=work.early,
        future=work.future,
    )


class _Import:
    """Gathers events by hour, packs and sends them."""

    def __init__(
        self,
        queue: Queue,
        project: str,
        deadline: Deadline,
        *,
        redacted: bool,
        between: tuple[datetime, datetime] | None,
    ) -> None:
        self._queue = queue
        self._project = project
        self._deadline = deadline
        self._redacted = redacted
        first, last = between or (moment(EARLIEST_MS), moment(LATEST_MS))
        self._first, self._last = milliseconds(first), milliseconds(last)
        self._hours: dict[str, list[Event]] = {}
        self._sizes: Counter[str] = Counter()
        self._held = 0
        self._occurrences: Counter[bytes] = Counter()
        self._packed: list[tuple[Batch, int]] = []
        self.sent = 0
        self.early = 0
        self.future = 0

    def add(self, raw: Mapping[str, Any], size: int) -> None:
        """Take one event in. Raises `InvalidEvent`."""
        event = parse_event(raw)
        if event.id is None:
            event.id = self._derived_id(raw)
        if self._redacted:
            event = redacted_event(event)
        self.early += event.time < self._first
        self.future += event.time > self._last
        hour = hour_of(event.time)
        self._hours.setdefault(hour, []).append(event)
        self._sizes[hour] += size
        self._held += 1
        if len(self._hours[hour]) >= EVENTS or self._sizes[hour] >= BYTES:
            self._pack(hour)
        elif self._held > HELD:
            self._pack(min(self._hours, key=lambda each: (-len(self._hours[each]), each)))

    def finish(self) -> None:
        """Send what is left."""
        for hour in sorted(self._hours):
            self._pack(hour)
        self._send()

    def _derived_id(self, raw: Mapping[str, Any]) -> str:
        canonical = msgspec.json.encode(raw, order="deterministic")
        digest = hashlib.blake2b(canonical, digest_size=12).digest()
        self._occurrences[digest] += 1
        return f"{digest.hex()}-{self._occurrences[digest]}"

    def _pack(self, hour: str) -> None:
        events = self._hours.pop(hour)
        del self._sizes[hour]
        self._held -= len(events)
        self._pack_events(hour, events)
        if len(self._packed) >= self._queue.limits.batch_items:
            self._send()

    def _pack_events(self, hour: str, events: Sequence[Event]) -> None:
        """Pack events into one message, or into several where one would be too large."""
        batch = pack(Header(project=self._project, hour=hour, count=len(events)), events)
        if len(batch.body) > min(TARGET_BODY, self._queue.limits.item_bytes) and len(events) > 1:
            half = len(events) // 2
            self._pack_events(hour, events[:half])
            self._pack_events(hour, events[half:])
        else:
            self._packed.append((batch, len(events)))

    def _send(self) -> None:
        messages = [Message(id=batch.id, body=batch.body, lane=batch.id[:1]) for batch, _ in self._packed]
        errors = self._queue.send(messages, deadline=self._deadline)
        if errors:
            raise errors[0].error
        self.sent += sum(count for _, count in self._packed)
        self._packed.clear()
