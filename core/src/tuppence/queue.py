"""The queue as the rest of core uses it: any number of messages, retried, each with its own result."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Final, TypeVar

from tuppence.answers import check_deliveries
from tuppence.clock import Clock, Deadline
from tuppence.drivers import LETTERS, MAX_ID, ZERO, Delivery, ItemError, Limits, Message, QueueDriver
from tuppence.errors import DriverError, ErrorCode
from tuppence.retry import BatchCall, call, each

Item = TypeVar("Item", Message, Delivery)

_ALLOWED: Final = frozenset(LETTERS)


class Queue:
    """A queue driver with core's policy around it: batches within limits, retries, one deadline."""

    def __init__(self, driver: QueueDriver, clock: Clock) -> None:
        self.driver = driver
        self._clock = clock

    @property
    def limits(self) -> Limits:
        """What the service takes."""
        return self.driver.limits

    def send(self, messages: Sequence[Message], *, deadline: Deadline) -> list[ItemError]:
        """Send all; return those that failed for good or were still failing at the deadline.

        Raises:
            DriverError: `INVALID`, before anything is sent, for an id or a lane against the rules.

        """
        for message in messages:
            _check(message)
        return self._each(messages, self.driver.send, "queue.send", deadline)

    def receive(
        self, *, max_messages: int, wait: timedelta = ZERO, lease: timedelta, deadline: Deadline
    ) -> list[Delivery]:
        """Lease up to `max_messages`, at most one batch of the service's."""
        most = min(max_messages, self.limits.batch_items)
        return list(
            call(
                partial(self._receive, most, wait, lease),
                deadline=deadline,
                clock=self._clock,
                name="queue.receive",
            )
        )

    def extend(
        self, deliveries: Sequence[Delivery], *, lease: timedelta, deadline: Deadline
    ) -> list[ItemError]:
        """Lease all for longer; return those that were lost."""
        return self._each(
            deliveries,
            partial(self.driver.extend, lease=lease),
            "queue.extend",
            deadline,
        )

    def ack(self, deliveries: Sequence[Delivery], *, deadline: Deadline) -> list[ItemError]:
        """Acknowledge all; return those that will be delivered again."""
        return self._each(deliveries, self.driver.ack, "queue.ack", deadline)

    def nack(
        self, deliveries: Sequence[Delivery], *, delay: timedelta = ZERO, deadline: Deadline
    ) -> list[ItemError]:
        """Give all back; return those whose lease was lost, which come back by themselves."""
        return self._each(
            deliveries,
            partial(self.driver.nack, delay=delay),
            "queue.nack",
            deadline,
        )

    def depth(self, *, deadline: Deadline) -> tuple[int, timedelta | None]:
        """Return how many messages wait or are leased, and the age of the oldest where it is known."""
        return call(
            self.driver.depth,
            deadline=deadline,
            clock=self._clock,
            name="queue.depth",
        )

    def dead_letters(self) -> Queue | None:
        """Return where the service sets aside what came too often, if it does. Close it when done."""
        driver = self.driver.dead_letters()
        return Queue(driver, self._clock) if driver is not None else None

    def close(self) -> None:
        """Close the driver."""
        self.driver.close()

    def _receive(
        self, most: int, wait: timedelta, lease: timedelta, *, deadline: Deadline
    ) -> Sequence[Delivery]:
        found = self.driver.receive(max_messages=most, wait=wait, lease=lease, deadline=deadline)
        return check_deliveries(found, most, "queue.receive")

    def _each(
        self,
        items: Sequence[Item],
        operation: BatchCall[Item],
        name: str,
        deadline: Deadline,
    ) -> list[ItemError]:
        return each(
            items,
            operation,
            size=_size,
            limits=self.limits,
            deadline=deadline,
            clock=self._clock,
            name=name,
        )


def _check(message: Message) -> None:
    """Refuse what some service could not carry."""
    names = (message.id, message.lane)
    if not (message.id and _ALLOWED.issuperset(message.id + message.lane)):
        problem = "an id is not empty; it and its lane are made of A-Z a-z 0-9 . _ ~ -"
    elif max(map(len, names)) > MAX_ID:
        problem = f"an id and a lane are at most {MAX_ID} bytes long each"
    else:
        return
    raise DriverError(ErrorCode.INVALID, operation="queue.send", provider="core", message=problem)


def _size(item: Message | Delivery) -> int:
    """Return what an item weighs in a call; a delivery is named by its receipt alone."""
    return len(item.body) if isinstance(item, Message) else 0
