"""The queue: five keys of Redis, changed by the steps of `queue.lua`.

Options: `ServerOptions`.
Delivery: at least once; in no promised order; an id once while its message is in the queue; attempts are
counted.
Limits: its own choice, near the clouds', so that what works here works there.
Errors: `tuppence_redis.errors`.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from tuppence.clock import Deadline
from tuppence.drivers import (
    ZERO,
    Context,
    Delivery,
    ItemError,
    Limits,
    Message,
    Permission,
    QueueDriver,
    Role,
)
from tuppence.errors import ErrorCode

from tuppence_redis.errors import failure, too_large
from tuppence_redis.server import Server, ServerOptions, microseconds, moment

LONGEST_LEASE: Final = timedelta(hours=12)
LONGEST_DELAY: Final = timedelta(hours=12)
POLL: Final = 0.2
"""Seconds between two looks while a receiver waits."""
CHECK_WAIT: Final = 5.0

_SENDS: Final = ("hsetnx", "zadd")
_RECEIVES: Final = (
    *("hget", "hset", "hdel", "hexists", "hincrby", "hlen"),
    *("zadd", "zrange", "zrangebyscore", "zrem", "zscore"),
)
_COMMANDS: Final = {Role.PRODUCER: _SENDS, Role.PROCESSOR: _RECEIVES, Role.REPORTER: ()}
"""What the steps of `queue.lua` call."""


class RedisQueue(QueueDriver):
    """A queue on a Redis server."""

    Options = ServerOptions
    limits = Limits(batch_items=100, batch_bytes=1024 * 1024, item_bytes=256 * 1024)

    def __init__(self, options: ServerOptions, context: Context) -> None:
        super().__init__(options, context)
        self._server = Server(options, context.meter, script="queue.lua")
        self._keys = [
            f"{options.prefix}:queue:{context.project}:{name}"
            for name in ("messages", "sent", "due", "attempts", "leases")
        ]

    def check(self) -> None:
        """Prove that the server lets us in and will keep what it is given."""
        self._server.check("queue.check", deadline=Deadline.after(CHECK_WAIT, self.context.clock))

    def permissions(self, role: Role, /) -> Sequence[Permission]:
        """Return rules for a user of the server: commands, and the keys they may touch."""
        return self._server.permissions(_COMMANDS[role], f"queue:{self.context.project}")

    def send(self, messages: Sequence[Message], /, *, deadline: Deadline) -> Sequence[ItemError]:
        """Hand over messages. One whose id is still in the queue is left out."""
        fitting = [message for message in messages if len(message.body) <= self.limits.item_bytes]
        self._check_batch("queue.send", messages, sum(len(message.body) for message in fitting))
        self._run("queue.send", [part for m in fitting for part in (m.id, m.lane, m.body)], deadline)
        return [
            ItemError(position, too_large("queue.send", len(message.body), self.limits.item_bytes))
            for position, message in enumerate(messages)
            if len(message.body) > self.limits.item_bytes
        ]

    def receive(
        self, *, max_messages: int, wait: timedelta, lease: timedelta, deadline: Deadline
    ) -> Sequence[Delivery]:
        """Lease messages, looking every `POLL` seconds for up to `wait`."""
        if not 0 < max_messages <= self.limits.batch_items:
            words = f"max_messages must be 1 to {self.limits.batch_items}"
            raise failure(ErrorCode.INVALID, "queue.receive", words)
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
        expires = self.context.clock.now() + min(lease, LONGEST_LEASE)
        return self._settle("queue.extend", [microseconds(expires)], deliveries, deadline)

    def ack(self, deliveries: Sequence[Delivery], /, *, deadline: Deadline) -> Sequence[ItemError]:
        """Remove for good, also after the lease ran out, as long as no one else was given the message."""
        return self._settle("queue.ack", [], deliveries, deadline)

    def nack(
        self, deliveries: Sequence[Delivery], /, *, delay: timedelta = ZERO, deadline: Deadline
    ) -> Sequence[ItemError]:
        """Give back, to be delivered after `delay`, at most `LONGEST_DELAY`."""
        again = self.context.clock.now() + min(delay, LONGEST_DELAY)
        return self._settle("queue.nack", [microseconds(again)], deliveries, deadline)

    def depth(self, *, deadline: Deadline) -> tuple[int, timedelta | None]:
        """Return how many messages wait or are leased, and the age of the oldest."""
        count, *oldest = self._run("queue.depth", [], deadline)
        if not oldest or oldest[0] is None:
            return count, None
        return count, max(ZERO, self.context.clock.now() - moment(int(float(oldest[0]))))

    def close(self) -> None:
        """Let the connection go."""
        self._server.close()

    def _lease(self, most: int, lease: timedelta, deadline: Deadline) -> list[Delivery]:
        expires = self.context.clock.now() + min(lease, LONGEST_LEASE)
        receipt = secrets.token_hex(8)  # with the message's id, this delivery's alone
        found = self._run("queue.receive", [microseconds(expires), receipt, most], deadline)
        return [
            Delivery(
                message=Message(id=message_id.decode(), body=body, lane=lane.decode()),
                receipt=receipt,
                expires=expires,
                attempt=attempt,
            )
            for message_id, lane, body, attempt in found
        ]

    def _settle(
        self, operation: str, arguments: Sequence[int], deliveries: Sequence[Delivery], deadline: Deadline
    ) -> list[ItemError]:
        """Run a step that settles deliveries; report those whose lease was lost."""
        self._check_batch(operation, deliveries, 0)
        named = [part for d in deliveries for part in (d.message.id, d.receipt)]
        lost = self._run(operation, [*arguments, *named], deadline)
        return [ItemError(p, failure(ErrorCode.NOT_FOUND, operation, "the lease was lost")) for p in lost]

    def _run(self, operation: str, arguments: Sequence[Any], deadline: Deadline) -> Any:
        now = microseconds(self.context.clock.now())
        return self._server.run(operation, self._keys, [now, *arguments], deadline=deadline)

    def _check_batch(self, operation: str, items: Sequence[Any], size: int) -> None:
        limits = self.limits
        if len(items) > limits.batch_items or size > limits.batch_bytes:
            raise failure(
                ErrorCode.INVALID,
                operation,
                f"{len(items)} items of {size} bytes; at most {limits.batch_items} and {limits.batch_bytes}",
            )
