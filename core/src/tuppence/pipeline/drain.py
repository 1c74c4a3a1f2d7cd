"""The drain: from the queue to the store. Doing it twice does nothing more.

A message is acknowledged when its segment and its hour's marker, or its dead letter, have been written, in
this order; a crash between any two steps leaves a message that will be delivered again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from tuppence.clock import Clock, Deadline
from tuppence.config import Retention
from tuppence.drivers import ZERO, Absent, Delivery, ItemError, Key, Record
from tuppence.errors import DriverError, ErrorCode
from tuppence.pipeline import dead, layout
from tuppence.pipeline.intake import Unusable, segment_of
from tuppence.pipeline.records import marker
from tuppence.queue import Queue
from tuppence.store import Store

PASS: Final = 64
"""Messages stored together: at most 4 MiB of batches in memory."""
WAIT: Final = timedelta(seconds=1)
"""How long a receive waits; a service of many hosts asks all of them only when it may wait."""
LEASE: Final = timedelta(minutes=2)
NACK_DELAY: Final = timedelta(seconds=30)
"""How long a message that could not be stored stays away."""
RESERVE: Final = 5.0
"""Seconds kept for storing what a pass has received."""
_TICK: Final = timedelta(microseconds=1)


class Drained(msgspec.Struct, frozen=True, kw_only=True):
    """What a drain did: messages taken care of, and the segments and dead letters they became."""

    messages: int = 0
    segments: int = 0
    dead: int = 0

    def __add__(self, other: Drained) -> Drained:
        return Drained(
            messages=self.messages + other.messages,
            segments=self.segments + other.segments,
            dead=self.dead + other.dead,
        )


class Drain:
    """Stores messages, whoever received them: this program, or the platform that calls it.

    Args:
        store: where to.
        project: whose messages they are; another's become dead letters.
        retention: how long segments and dead letters live, from now.
        clock: what dates them.
        redacted: whether what identifies people is replaced in events that did not come through `capture()`.
        renewed: whether a segment that is there already is written again, to live as long as a new one.
            Otherwise its life, and whether it was late, are counted from the first time it was received.

    """

    def __init__(
        self,
        store: Store,
        *,
        project: str,
        retention: Retention,
        clock: Clock,
        redacted: bool = True,
        renewed: bool = False,
    ) -> None:
        self._store = store
        self._project = project
        self._retention = retention
        self._clock = clock
        self._redacted = redacted
        self._condition = None if renewed else Absent()
        self.done = Drained()

    def handle(self, deliveries: Sequence[Delivery], *, deadline: Deadline) -> list[ItemError]:
        """Store messages; return those that are not safe and must come again. Acknowledges nothing."""
        now = self._clock.now()
        kept = [
            self._kept(delivery.message.body, now + position * _TICK)
            for position, delivery in enumerate(deliveries)
        ]
        failed = self._put([record for record, mark in kept if mark is None], deadline)
        failed |= self._put([record for record, mark in kept if mark is not None], deadline, self._condition)
        markers = [mark for record, mark in kept if mark is not None and record.key not in failed]
        failed |= self._put(markers, deadline)
        errors = []
        for position, (record, mark) in enumerate(kept):
            error = failed.get(record.key) or (failed.get(mark.key) if mark is not None else None)
            if error is not None:
                errors.append(ItemError(position, error))
        self.done += Drained(
            messages=len(deliveries) - len(errors),
            segments=len({record.key for record, mark in kept if mark is not None} - failed.keys()),
            dead=len({record.key for record, mark in kept if mark is None} - failed.keys()),
        )
        return errors

    def _kept(self, body: bytes, now: datetime) -> tuple[Record, Record | None]:
        """Return what is kept of a message: its segment and the marker of its hour, or a dead letter.

        No two are received at the same moment, so that it stays known which was the first.
        """
        try:
            segment = segment_of(body, project=self._project, redacted=self._redacted)
        except Unusable as error:
            return dead.record_of(self._project, body, error, retention=self._retention, now=now), None
        record = Record(
            key=layout.segment(self._project, segment.hour, segment.id),
            body=segment.body,
            attributes={"received": now.isoformat(), "kind": segment.kind},
            expires_at=now + self._retention.events,
        )
        return record, marker(layout.dirty_hour(self._project, segment.hour))

    def _put(
        self, records: Iterable[Record], deadline: Deadline, condition: Absent | None = None
    ) -> dict[Key, DriverError]:
        """Write records, once for each key; return what became of those that are not there now."""
        distinct = list({record.key: record for record in records}.values())
        errors = self._store.put_many(distinct, condition=condition, deadline=deadline)
        return {
            distinct[error.position].key: error.error
            for error in errors
            if condition is None or not _is_about_item(error, ErrorCode.ALREADY_EXISTS)
        }


def drain(
    queue: Queue,
    store: Store,
    *,
    project: str,
    retention: Retention,
    clock: Clock,
    deadline: Deadline,
    max_messages: int = 1_000_000,
    redacted: bool = True,
) -> Drained:
    """Store what waits in the queue until it is empty, `max_messages` are done or the deadline is near.

    What the service itself has set aside, since it came too often, is stored in the same way: whatever kept
    it from being stored may be over, and if it cannot be read it becomes a dead letter.

    Raises:
        DriverError: the queue cannot be read, or something could not be stored or acknowledged. What was
            stored has been acknowledged where that was possible; the rest has been given back.

    """
    work = Drain(store, project=project, retention=retention, clock=clock, redacted=redacted)
    _empty(queue, work, clock, deadline, max_messages)
    aside = queue.dead_letters()
    if aside is not None:
        try:
            _empty(aside, work, clock, deadline, max_messages)
        finally:
            aside.close()
    return work.done


def _empty(queue: Queue, work: Drain, clock: Clock, deadline: Deadline, max_messages: int) -> None:
    """Do the work on what waits in a queue, as far as the limits let it."""
    reserve = min(RESERVE, deadline.remaining() / 4)
    while work.done.messages < max_messages and deadline.remaining() > reserve:
        most = min(PASS, max_messages - work.done.messages)
        deliveries = _receive(queue, most, clock, deadline)
        if not deliveries:
            break
        errors = work.handle(deliveries, deadline=deadline)
        unsafe = {error.position for error in errors}
        kept = queue.ack(_chosen(deliveries, unsafe, wanted=False), deadline=deadline)
        if errors:
            queue.nack(_chosen(deliveries, unsafe, wanted=True), delay=NACK_DELAY, deadline=deadline)
        # a lease that was lost is no failure: the message comes again, and storing it again does nothing
        failed = [*errors, *(error for error in kept if not _is_about_item(error, ErrorCode.NOT_FOUND))]
        if failed:
            raise failed[0].error


def _is_about_item(error: ItemError, code: ErrorCode) -> bool:
    """Whether an item itself failed with `code`; the same from a whole call means something else."""
    return error.error.code is code and not error.whole_call


def _receive(queue: Queue, most: int, clock: Clock, deadline: Deadline) -> list[Delivery]:
    """Lease up to `most` messages, for long enough to store them.

    Few or none does not mean that the queue is empty: one that keeps order holds back what follows on
    messages that are leased.
    """
    deliveries: list[Delivery] = []
    while len(deliveries) < most:
        more = queue.receive(
            max_messages=most - len(deliveries),
            wait=ZERO if deliveries else WAIT,
            lease=LEASE,
            deadline=deadline,
        )
        if not more:
            break
        deliveries += more
    soon = clock.now() + LEASE / 2
    queue.extend([held for held in deliveries if held.expires < soon], lease=LEASE, deadline=deadline)
    return deliveries


def _chosen(deliveries: Sequence[Delivery], unsafe: set[int], *, wanted: bool) -> list[Delivery]:
    return [held for position, held in enumerate(deliveries) if (position in unsafe) is wanted]
