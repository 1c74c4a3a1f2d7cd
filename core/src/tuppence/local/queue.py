"""The embedded queue: a table of SQLite.

Options: `path`.
Delivery: at least once; a lane in order; an id once while its message is in the queue; attempts are counted.
Limits: its own choice, near the clouds', so that what works here works there.
Errors: `tuppence.local.errors`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any, Final

from tuppence.clock import Deadline
from tuppence.drivers import ZERO, Context, Delivery, ItemError, Limits, Message, QueueDriver
from tuppence.errors import ErrorCode
from tuppence.findings import Finding
from tuppence.local.database import Database, FileOptions, check_types, microseconds, moment
from tuppence.local.errors import decoding, failure, too_large

LONGEST_LEASE: Final = timedelta(hours=12)
LONGEST_DELAY: Final = timedelta(hours=12)
POLL: Final = 0.2
"""Seconds between two looks while a receiver waits."""
CHECK_WAIT: Final = 5.0

STEP: Final = timedelta(seconds=1)
"""A clock that went back by more than this since a lease began was set."""
_HELD: Final = "due > :now AND attempt > 0 AND abs(leased) <= :now + :step"
"""Whether a message is leased, or given back with a delay, by a clock that was not set back since."""
_CANDIDATES: Final = f"""
    WITH held AS (
        SELECT lane, min(number) AS first FROM messages
        WHERE project = :project AND {_HELD} AND lane <> '' GROUP BY lane
    )
    SELECT number, id, messages.lane, body, attempt
    FROM messages INDEXED BY messages_in_order LEFT JOIN held ON held.lane = messages.lane
    WHERE project = :project AND NOT ({_HELD}) AND (held.first IS NULL OR number < held.first)
    ORDER BY number LIMIT :most
"""  # noqa: S608 - of constants
"""What may be delivered now: a message waits for the earlier ones of its lane.

One that was never delivered waits for no clock: its sender's may be days ahead.
"""


class LocalQueue(QueueDriver):
    """A queue in a SQLite file."""

    Options = FileOptions
    limits = Limits(batch_items=100, batch_bytes=1024 * 1024, item_bytes=256 * 1024)

    def __init__(self, options: FileOptions, context: Context) -> None:
        super().__init__(options, context)
        self._database = Database(options.path)

    def check(self) -> None:
        """Prove that the file can be opened and written."""
        with self._database.write("queue.check", Deadline.after(CHECK_WAIT, self.context.clock)):
            pass

    def findings(self, *, deadline: Deadline) -> Iterable[Finding]:  # noqa: ARG002 - no call is made
        """Look at the room there is."""
        return self._database.findings()

    def send(self, messages: Sequence[Message], /, *, deadline: Deadline) -> Sequence[ItemError]:
        """Hand over messages. One whose id is still in the queue is left out.

        The file is let go afterwards: an application may be forked at any time, also by code that runs none
        of Python's hooks, and then must not have it open.
        """
        fitting = [message for message in messages if len(message.body) <= self.limits.item_bytes]
        self._check_batch("queue.send", messages, sum(len(message.body) for message in fitting))
        now = microseconds(self.context.clock.now())
        with closing(self._database), self._database.write("queue.send", deadline) as connection:
            connection.executemany(
                "INSERT INTO messages (project, id, lane, body, sent, due) VALUES (?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (project, id) DO NOTHING",
                [(self.context.project, m.id, m.lane, m.body, now, now) for m in fitting],
            )
        self.context.meter.count("local.queue.messages", len(fitting))
        return [
            ItemError(position, too_large("queue.send", len(message.body), self.limits.item_bytes))
            for position, message in enumerate(messages)
            if len(message.body) > self.limits.item_bytes
        ]

    def receive(
        self, *, max_messages: int, wait: timedelta, lease: timedelta, deadline: Deadline
    ) -> Sequence[Delivery]:
        """Lease messages, the oldest first, looking every `POLL` seconds for up to `wait`."""
        if not 0 < max_messages <= self.limits.batch_items:
            raise failure(
                ErrorCode.INVALID, "queue.receive", f"max_messages must be 1 to {self.limits.batch_items}"
            )
        clock = self.context.clock
        until = clock.monotonic() + min(wait.total_seconds(), deadline.remaining() - POLL)
        while True:
            deliveries = self._lease(max_messages, lease, deadline)
            left = until - clock.monotonic()
            if deliveries or left <= 0:
                return deliveries
            clock.sleep(min(POLL, left))

    def extend(
        self, deliveries: Sequence[Delivery], /, *, lease: timedelta, deadline: Deadline
    ) -> Sequence[ItemError]:
        """Lease for `lease`, at most `LONGEST_LEASE`, from now."""
        now = self.context.clock.now()
        return self._settle(
            "queue.extend",
            deliveries,
            deadline,
            "UPDATE messages SET due = :due, leased = :now WHERE number = :number AND attempt = :attempt "
            "AND leased > 0 AND due > :now",
            due=microseconds(now + min(lease, LONGEST_LEASE)),
            now=microseconds(now),
        )

    def ack(self, deliveries: Sequence[Delivery], /, *, deadline: Deadline) -> Sequence[ItemError]:
        """Remove for good, also after the lease ran out, as long as no one else was given the message."""
        return self._settle(
            "queue.ack",
            deliveries,
            deadline,
            "DELETE FROM messages WHERE number = :number AND attempt = :attempt AND leased > 0",
            gone_is_lost=False,
        )

    def nack(
        self, deliveries: Sequence[Delivery], /, *, delay: timedelta = ZERO, deadline: Deadline
    ) -> Sequence[ItemError]:
        """Give back, to be delivered after `delay`, at most `LONGEST_DELAY`."""
        now = self.context.clock.now()
        return self._settle(
            "queue.nack",
            deliveries,
            deadline,
            "UPDATE messages SET due = :due, leased = -:now WHERE number = :number AND attempt = :attempt "
            "AND leased > 0 AND due > :now",
            due=microseconds(now + min(delay, LONGEST_DELAY)),
            now=microseconds(now),
        )

    def depth(self, *, deadline: Deadline) -> tuple[int, timedelta | None]:
        """Return how many messages wait or are leased, and the age of the oldest."""
        with self._database.read("queue.depth", deadline) as connection:
            count, oldest = connection.execute(
                "SELECT count(*), min(sent) FROM messages WHERE project = ?", (self.context.project,)
            ).fetchone()
        with decoding("queue.depth", self._database.path):
            return count, None if oldest is None else max(ZERO, self.context.clock.now() - moment(oldest))

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _lease(self, most: int, lease: timedelta, deadline: Deadline) -> list[Delivery]:
        now = self.context.clock.now()
        expires = now + min(lease, LONGEST_LEASE)
        with self._database.write("queue.receive", deadline) as connection:
            rows = connection.execute(
                _CANDIDATES,
                {
                    "project": self.context.project,
                    "now": microseconds(now),
                    "step": STEP // timedelta(microseconds=1),
                    "most": most,
                },
            ).fetchall()
            with decoding("queue.receive", self._database.path):
                deliveries = [_delivery(row, expires) for row in rows]
            connection.executemany(
                "UPDATE messages SET due = ?, leased = ?, attempt = attempt + 1 WHERE number = ?",
                [(microseconds(expires), microseconds(now), row[0]) for row in rows],
            )
        return deliveries

    def _settle(
        self,
        operation: str,
        deliveries: Sequence[Delivery],
        deadline: Deadline,
        statement: str,
        *,
        gone_is_lost: bool = True,
        **values: int,
    ) -> list[ItemError]:
        """Run `statement` for each delivery; report those it found no row for."""
        self._check_batch(operation, deliveries, 0)
        lost = []
        with self._database.write(operation, deadline) as connection:
            for position, delivery in enumerate(deliveries):
                number, attempt = delivery.receipt
                done = connection.execute(statement, {"number": number, "attempt": attempt, **values})
                if not done.rowcount and (gone_is_lost or _is_there(connection, number)):
                    lost.append(position)
        return [ItemError(p, failure(ErrorCode.NOT_FOUND, operation, "the lease was lost")) for p in lost]

    def _check_batch(self, operation: str, items: Sequence[Any], size: int) -> None:
        limits = self.limits
        if len(items) > limits.batch_items or size > limits.batch_bytes:
            raise failure(
                ErrorCode.INVALID,
                operation,
                f"{len(items)} items of {size} bytes; at most {limits.batch_items} and {limits.batch_bytes}",
            )


def _delivery(row: tuple[int, str, str, bytes, int], expires: datetime) -> Delivery:
    number, message_id, lane, body, attempts = row
    check_types(row, int, str, str, bytes, int)
    return Delivery(
        message=Message(id=message_id, body=body, lane=lane),
        receipt=(number, attempts + 1),
        expires=expires,
        attempt=attempts + 1,
    )


def _is_there(connection: sqlite3.Connection, number: int) -> bool:
    return connection.execute("SELECT 1 FROM messages WHERE number = ?", (number,)).fetchone() is not None
