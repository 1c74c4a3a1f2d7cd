"""The queue as the rest of core uses it: any number of messages, retried, each with its own result."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import TypeVar

from tuppence.clock import Clock, Deadline
from tuppence.drivers import ZERO, Delivery, ItemError, Limits, Message, QueueDriver
from tuppence.errors import DriverError, ErrorCode
from tuppence.retry import call, may_retry, pause_before

Item = TypeVar("Item", Message, Delivery)


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
        """Send all; return those that failed for good or were still failing at the deadline."""
        return self._each(
            messages, lambda batch: self.driver.send(batch, deadline=deadline), "queue.send", deadline
        )

    def receive(
        self, *, max_messages: int, wait: timedelta = ZERO, lease: timedelta, deadline: Deadline
    ) -> list[Delivery]:
        """Lease up to `max_messages`, at most one batch of the service's."""
        most = min(max_messages, self.limits.batch_items)
        return list(
            call(
                lambda: self.driver.receive(max_messages=most, wait=wait, lease=lease, deadline=deadline),
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
            lambda batch: self.driver.extend(batch, lease=lease, deadline=deadline),
            "queue.extend",
            deadline,
        )

    def ack(self, deliveries: Sequence[Delivery], *, deadline: Deadline) -> list[ItemError]:
        """Acknowledge all; return those that will be delivered again."""
        return self._each(
            deliveries, lambda batch: self.driver.ack(batch, deadline=deadline), "queue.ack", deadline
        )

    def nack(
        self, deliveries: Sequence[Delivery], *, delay: timedelta = ZERO, deadline: Deadline
    ) -> list[ItemError]:
        """Give all back; return those whose lease was lost, which come back by themselves."""
        return self._each(
            deliveries,
            lambda batch: self.driver.nack(batch, delay=delay, deadline=deadline),
            "queue.nack",
            deadline,
        )

    def depth(self, *, deadline: Deadline) -> tuple[int, timedelta | None]:
        """Return how many messages wait or are leased, and the age of the oldest where it is known."""
        return call(
            lambda: self.driver.depth(deadline=deadline),
            deadline=deadline,
            clock=self._clock,
            name="queue.depth",
        )

    def close(self) -> None:
        """Close the driver."""
        self.driver.close()

    def _each(
        self,
        items: Sequence[Item],
        operation: Callable[[Sequence[Item]], Sequence[ItemError]],
        name: str,
        deadline: Deadline,
    ) -> list[ItemError]:
        failed: list[ItemError] = []
        for positions in self._batches(items):
            failed += self._one_batch(items, positions, operation, name, deadline)
        return failed

    def _one_batch(
        self,
        items: Sequence[Item],
        positions: list[int],
        operation: Callable[[Sequence[Item]], Sequence[ItemError]],
        name: str,
        deadline: Deadline,
    ) -> list[ItemError]:
        """Try the items of one batch until none is left that another try may help."""
        final: list[ItemError] = []
        attempt = 0
        while positions:
            batch = [items[position] for position in positions]
            try:
                errors = call(
                    partial(operation, batch),
                    deadline=deadline,
                    clock=self._clock,
                    name=name,
                )
            except DriverError as error:
                return final + [ItemError(position, error) for position in positions]
            attempt += 1
            located = [ItemError(positions[error.position], error.error) for error in errors]
            pause = max((pause_before(attempt, error.error) for error in located), default=0.0)
            out_of_time = pause >= deadline.remaining()
            again = [e for e in located if may_retry(e.error, attempt) and not out_of_time]
            final += [error for error in located if error not in again]
            positions = [error.position for error in again]
            if positions:
                self._clock.sleep(pause)
        return final

    def _batches(self, items: Sequence[Item]) -> Iterator[list[int]]:
        """Yield the positions of items that fit into one call together."""
        positions: list[int] = []
        size = 0
        for position, item in enumerate(items):
            length = len(item.body) if isinstance(item, Message) else 0
            full = len(positions) == self.limits.batch_items or size + length > self.limits.batch_bytes
            if positions and full:
                yield positions
                positions, size = [], 0
            positions.append(position)
            size += length
        if positions:
            yield positions


def too_large(name: str, provider: str, size: int, limit: int) -> DriverError:
    """Return the error for an item over a service's limit."""
    return DriverError(
        ErrorCode.TOO_LARGE, operation=name, provider=provider, message=f"{size} bytes; at most {limit}"
    )
