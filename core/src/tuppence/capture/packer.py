"""Packs one instance's journal into batches: reads frames, joins questions with their ends, packs by hour.

Nothing is lost between two lines of this file: batches are written first, then the state that names them and
moves the offsets, then the space is given back. Dying in between means packing again; the events keep their
numbers, so they are the same events.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import islice
from typing import Any, Final, NamedTuple

import msgspec

from tuppence.batch import MAX_BODY, MAX_EVENTS, TARGET_BODY, Batch, Header, pack, peek
from tuppence.capture import threads
from tuppence.capture.frames import LEAD, Frame, FrameKind, Stop, after_torn, read
from tuppence.capture.hours import HOUR_MS, by_hour
from tuppence.capture.journal import FIRST, SEGMENT_BYTES, Segments, header_of
from tuppence.capture.set_aside import rejection_of
from tuppence.capture.state import Outbox
from tuppence.errors import DriverError
from tuppence.event import Event, Outcome, hour_of
from tuppence.runs import holds, merge_runs, runs_of

MAX_PENDING: Final = 32
"""Batches packed ahead of the queue; while it is away, the rest waits in the bounded journal."""
MAX_OPENED: Final = 50_000
"""Questions open at once; beyond it the oldest count as aborted."""
_PASSES_TORN: Final = 3
"""Passes over a torn frame of a living process before it is skipped; a writer is done in microseconds."""
_ON_THEIR_WAY: Final = 50_000
"""Numbers below the newest read that a suspended thread may still be about to write."""
_AT_ONCE: Final = 200
"""Frames read before the application's threads get a chance; about half a millisecond."""
_PAUSE: Final = 50e-6
"""Seconds that let the application's threads have the interpreter. One of zero is over before any of them has
woken up, and they go on waiting for it, five milliseconds or more."""
_FIRST_GUESS: Final = 40
"""Bytes per event before the first batch has been packed."""


class _Ended(NamedTuple):
    """A question that has ended and is not packed yet, and its data without its end."""

    question: Frame
    asked: dict[str, Any]


class Packer:
    """Turns the journal of one instance into pending batches.

    Args:
        instance: its id.
        project: goes into every header.
        segments: its journal.
        outbox: its state and batches.

    Attributes:
        most: the bytes of a batch that the queue takes; the sender sets it.

    """

    def __init__(self, instance: str, project: str, segments: Segments, outbox: Outbox) -> None:
        self.instance = instance
        self.flushes = 0
        self.most = MAX_BODY
        self._project = project
        self._segments = segments
        self._outbox = outbox
        self._state = outbox.load()
        self._read = dict(self._state.read)
        self._opened = dict(self._state.opened)
        self._closed = dict(self._state.closed)
        self._late = self._state.late
        self._rows: list[Event] = []
        self._ended: dict[int, _Ended] = {}
        self._torn_passes: dict[int, int] = {}
        self._bytes_per_event: float = _FIRST_GUESS

    @property
    def waiting(self) -> int:
        """How many events have been read and not packed."""
        return len(self._rows)

    @property
    def events_set_aside(self) -> int:
        """How many events were in batches that the queue refused."""
        return self._state.set_aside

    @property
    def pending(self) -> Sequence[str]:
        """The batches to be sent, oldest first."""
        return tuple(self._state.pending)

    @property
    def full(self) -> bool:
        """Whether what was read fills a batch."""
        return len(self._rows) >= self._batch_events()

    def body(self, batch_id: str) -> bytes | None:
        """Return a pending batch's bytes."""
        return self._outbox.get(batch_id)

    def settle(self, sent: Iterable[str]) -> None:
        """Forget batches the queue has taken."""
        sent = set(sent)
        self._state.pending = [one for one in self._state.pending if one not in sent]
        self._outbox.save(self._state)
        for batch_id in sent:
            self._outbox.remove(batch_id)

    def set_aside(self, rejected: Mapping[str, DriverError], now: datetime) -> None:
        """Set aside batches that the queue refused for what they are, and count their events.

        Copied first, then counted, then removed: a crash in between leaves a batch that is pending and will
        be refused again. A hello that did not arrive is said by the next batch, and a dead instance makes
        another closing batch, with the counts as they are now. One without events is not made again.
        """
        for batch_id, error in rejected.items():
            body = self._outbox.get(batch_id)
            if body is None:
                continue
            self._outbox.set_aside(rejection_of(body, error, now))
            header = peek(body)[1]
            if header.count:
                self._state.set_aside += header.count
                self._state.hello = self._state.hello and not header.hello
                self._state.goodbye = False
        self.settle(rejected)

    def read(self, *, dead: bool) -> None:
        """Read what the journal has gained, up to a few batches' worth at a time.

        Args:
            dead: whether its process is gone, so that nothing more will be written.

        """
        numbers = self._segments.numbers()
        self._read = {number: at for number, at in self._read.items() if number in numbers}
        for number in numbers:
            if len(self._rows) >= 2 * self._batch_events():
                return
            self._read_segment(number, last=number == numbers[-1], dead=dead)
        if dead and self._at_end(numbers):
            self._abort(len(self._opened))

    @property
    def closed(self) -> bool:
        """Whether its journal was closed in order, and says so by itself: one in memory has no lock."""
        return self._segments.closed

    @property
    def finished(self) -> bool:
        """Whether a dead instance's journal has been read to the end."""
        return self._at_end(self._segments.numbers()) and not self._opened

    @property
    def done(self) -> bool:
        """Whether nothing of a dead instance is left to pack or send."""
        return self.finished and not self._state.pending and (self._state.goodbye or not self._telling)

    @property
    def torn(self) -> int:
        """How many places of the journal were damaged; what stood there counts as dropped."""
        return self._state.torn

    def covers(self, number: int, offset: int) -> bool:
        """Whether everything up to `offset` of segment `number` has been packed."""
        read = self._state.read
        return all(
            read.get(one, 0) >= (offset if one == number else SEGMENT_BYTES)
            for one in self._segments.numbers()
            if one <= number
        )

    def commit(self, now: int, *, goodbye: bool = False) -> None:
        """Pack everything read so far, if there is room for more batches.

        Args:
            now: milliseconds; the hour of a goodbye that carries no event.
            goodbye: this is the instance's last batch. Said once, and only by one that has anything to tell.

        Raises:
            OSError: there is no room for it. Nothing has changed then, and the next call does it all.

        """
        goodbye = goodbye and not self._state.goodbye and self._telling
        ended = [number for number, at in self._read.items() if at >= SEGMENT_BYTES]
        moved = self._read != self._state.read
        if len(self._state.pending) >= MAX_PENDING or not (moved or goodbye or self._rows):
            return
        before, batches = msgspec.structs.replace(self._state), list[Batch]()
        try:
            batches += self._packed(self._rows, now, goodbye=goodbye)
            self._keep(batches, goodbye=goodbye)
        except OSError:
            self._state = before  # what it was not: said hello, for one
            self._remove_unnamed(batches)
            raise
        self._rows, self._ended = [], {}
        for number in ended:
            self._segments.remove(number)

    def _keep(self, batches: Sequence[Batch], *, goodbye: bool) -> None:
        """Write batches, then the state that names them."""
        for batch in batches:
            self._outbox.put(batch)
        known = self._state.pending
        self._state.pending = known + [batch.id for batch in batches if batch.id not in known]
        self._state.read = dict(self._read)
        self._state.opened, self._state.closed = dict(self._opened), dict(self._closed)
        self._state.late = self._late
        self._state.goodbye = self._state.goodbye or goodbye
        self._outbox.save(self._state)

    def _remove_unnamed(self, batches: Sequence[Batch]) -> None:
        """Give back the space of batches that could not all be kept. Those that follow hold their events."""
        for batch in batches:
            if batch.id not in self._state.pending:
                with suppress(OSError):
                    self._outbox.remove(batch.id)

    @property
    def _telling(self) -> bool:
        """Whether there has been anything: an event, or a call that gave none."""
        state = self._state
        counts = state.refused or state.failed or state.ignored or state.set_aside
        return bool(self._rows or state.hello or counts)

    def _batch_events(self) -> int:
        target = self.most * TARGET_BODY // MAX_BODY
        return min(MAX_EVENTS, max(1, int(target / self._bytes_per_event)))

    def _at_end(self, numbers: Sequence[int]) -> bool:
        return all(self._read.get(number, 0) >= SEGMENT_BYTES for number in numbers)

    def _read_segment(self, number: int, *, last: bool, dead: bool) -> None:
        """Read one segment on from where it was left."""
        start = max(FIRST, self._read.get(number, 0))
        if start >= SEGMENT_BYTES or not self._read_header(number, dead=dead):
            return
        if not dead and self._segments.read(number, start, LEAD) == b"\0" * LEAD:
            return
        content = self._segments.read(number, start, SEGMENT_BYTES)
        frames: list[Frame] = []
        at, stop = read(content, 0, frames, _AT_ONCE)
        while stop is Stop.ENOUGH:
            threads.sleep(_PAUSE)
            at, stop = read(content, at, frames, _AT_ONCE)
        self._take(frames)
        if stop is Stop.TORN:
            at, stop = self._past_torn(number, content, at, patient=not dead and last)
        whole = stop is Stop.END or (stop is Stop.WAIT and dead)
        self._read[number] = SEGMENT_BYTES if whole else start + at
        if frames and last:
            newest = max([frame.seq for frame in frames])
            self._state.boundary = max(self._state.boundary, newest - _ON_THEIR_WAY)

    def _read_header(self, number: int, *, dead: bool) -> bool:
        """Take the counts from a segment's header; return whether it is one we can read."""
        content = self._segments.read(number, 0, FIRST)
        header = header_of(content)
        if header is not None:
            self._state.refused = max(self._state.refused, header.refused)
            self._state.failed = max(self._state.failed, header.failed)
            self._state.ignored = max(self._state.ignored, header.ignored)
            self.flushes = max(self.flushes, header.flushes)
            return True
        if dead and not content.strip(b"\0"):
            self._read[number] = SEGMENT_BYTES  # its process died while making it
        return False  # a version to come, or not ours: left as it is

    def _past_torn(self, number: int, content: bytes, at: int, *, patient: bool) -> tuple[int, Stop]:
        """Skip bytes that are no frame, once nobody can still be writing them."""
        passes = self._torn_passes.get(number, 0) + 1
        if patient and passes < _PASSES_TORN:
            self._torn_passes[number] = passes
            return at, Stop.WAIT
        self._torn_passes.pop(number, None)
        beyond = after_torn(content, at)
        self._state.torn += 1
        return (beyond, Stop.TORN) if beyond < len(content) else (beyond, Stop.END)

    def _take(self, frames: Sequence[Frame]) -> None:
        """Turn frames into events, joining questions with their ends."""
        event = FrameKind.EVENT
        self._rows += [frame for frame in frames if frame.kind == event]
        for frame in [frame for frame in frames if frame.kind != event]:
            if frame.kind == FrameKind.OPENED:
                self._opened[frame.seq] = frame
                if frame.seq in self._closed:
                    self._close(frame.seq, self._closed.pop(frame.seq))
            else:
                self._end(frame.seq, frame.data)
        self._abort(len(self._opened) - MAX_OPENED)
        for seq in list(islice(self._closed, max(0, len(self._closed) - MAX_OPENED))):
            del self._closed[seq]

    def _end(self, seq: int, end: dict[str, Any]) -> None:
        """Take the end of a question, or what was stated after it, which is all that is known by then."""
        if seq in self._opened:
            self._close(seq, end)
        elif seq in self._ended:
            question, asked = self._ended[seq]
            question.data = {**asked, **end}
        elif holds(self._state.seen, seq):
            self._late += 1  # a packed batch is not changed: whoever has it counts the question once
        else:
            self._closed[seq] = end

    def _close(self, seq: int, end: dict[str, Any]) -> None:
        question = self._opened.pop(seq)
        self._ended[seq] = _Ended(question, question.data)
        question.data = {**question.data, **end}
        self._rows.append(question)

    def _abort(self, count: int) -> None:
        """Close the oldest open questions for a process that did not live, or care, to do so."""
        for seq in list(islice(self._opened, max(0, count))):
            self._close(seq, {"outcome": Outcome.ABORTED.value})

    def _packed(self, rows: list[Event], now: int, *, goodbye: bool) -> list[Batch]:
        """Pack rows hour by hour; the cumulative counts stand in every header, hello and goodbye in one."""
        state = self._state
        hours = by_hour(rows)
        if goodbye and not hours:
            hours[now // HOUR_MS] = []
        state.seen = merge_runs([*state.seen, *runs_of([row.seq for row in rows])])
        counts = self._counts(final=goodbye)
        batches: list[Batch] = []
        for place, hour in enumerate(sorted(hours)):
            last = place == len(hours) - 1
            batches += self._pack_hour(hour_of(hour * HOUR_MS), hours[hour], counts, goodbye=goodbye and last)
        return batches

    def _pack_hour(
        self, hour: str, rows: list[Event], counts: dict[str, int], *, goodbye: bool
    ) -> list[Batch]:
        """Pack the rows of one hour into one batch, or more where they do not fit."""
        batches: list[Batch] = []
        rows.sort(key=_seq)
        most = self._batch_events()
        for at in range(0, max(1, len(rows)), most):
            threads.sleep(_PAUSE)
            ends = goodbye and at + most >= len(rows)
            batches += self._pack_some(hour, rows[at : at + most], counts, goodbye=ends)
        return batches

    def _pack_some(
        self, hour: str, rows: list[Event], counts: dict[str, int], *, goodbye: bool
    ) -> list[Batch]:
        header = Header(
            project=self._project,
            hour=hour,
            count=len(rows),
            instance=self.instance,
            first=rows[0].seq if rows else 0,
            last=rows[-1].seq if rows else 0,
            hello=not self._state.hello,
            goodbye=goodbye,
            **counts,
        )
        batch = pack(header, rows)
        if not batch.fits(self.most) and len(rows) > 1:
            half = len(rows) // 2
            return [
                *self._pack_some(hour, rows[:half], counts, goodbye=False),
                *self._pack_some(hour, rows[half:], counts, goodbye=goodbye),
            ]
        self._state.hello = True
        if len(rows) >= _ENOUGH_TO_GUESS:
            self._bytes_per_event = len(batch.body) / len(rows)
        return [batch]

    def _counts(self, *, final: bool) -> dict[str, int]:
        seen = self._state.seen
        captured = max(seen[-1][1] if seen else 0, self._state.failed)
        limit = captured if final else min(captured, self._state.boundary)
        known = sum(min(last, limit) - first + 1 for first, last in seen if first <= limit)
        waiting = sum(1 for seq in self._opened if seq <= limit)
        return {
            "captured": captured,
            "dropped": limit - known - waiting,
            "refused": self._state.refused,
            "ignored": self._state.ignored + self._late,
            "set_aside": self._state.set_aside,
        }


_ENOUGH_TO_GUESS: Final = 50


def _seq(event: Event) -> int:
    return event.seq
