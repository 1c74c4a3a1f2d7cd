"""The queue that costs nothing at rest: a Storage Queue, by signed requests and without an SDK.

Options: `StorageQueueOptions`.
Delivery: at least once, in no order. Attempts are counted. Nothing is set aside: core does that itself, but
for what the host of a function app sets aside that is called with messages.
Limits: 64 KiB of text a message, so 48 KiB of bytes, less the id. A call takes one message, so a batch is as
many calls.
Errors: `tuppence_azure.errors`.
Emulator: azurite.
"""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import quote

import msgspec

from tuppence.clock import Deadline
from tuppence.connection import Answer
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
from tuppence.errors import DriverError, ErrorCode, of_no_item
from tuppence_azure.errors import Refused, failure, incomplete, too_large
from tuppence_azure.messages import BODY, read, text_of
from tuppence_azure.names import queue_named
from tuppence_azure.storage import Storage, StorageOptions

UNIT: Final = "storage_queue.operations"
"""Every request is one operation, one that finds nothing too.

https://azure.microsoft.com/pricing/details/storage/queues/, read November 2026.
"""
MESSAGES: Final = 32
"""Messages that one request gets at most."""
LONGEST: Final = 7 * 24 * 60 * 60
"""Seconds that a message is hidden at most."""
POLL: Final = 1.0
"""Seconds between two looks at an empty queue, each of them billed. The service has no long poll."""
CHECK_WAIT: Final = 5.0

_NAME: Final = re.compile(r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*")
_FOR_GOOD: Final = "-1"
"""A message's time to live. Without it the service drops messages after a week."""
_POISON: Final = "-poison"
"""https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue-trigger, read November
2026."""
_OF_ONE_MESSAGE: Final = frozenset({"RequestBodyTooLarge", "MessageTooLarge"})
"""What the service says of one message. All else is of the queue, the address or the caller.

https://learn.microsoft.com/rest/api/storageservices/queue-service-error-codes, read November 2026.
"""
_GONE: Final = frozenset({"MessageNotFound", "PopReceiptMismatch"})
_ACTIONS: Final[Mapping[Role, Sequence[str]]] = {
    Role.PRODUCER: ("messages/add/action",),
    Role.PROCESSOR: ("messages/process/action", "messages/write", "messages/read", "read"),
    Role.REPORTER: ("messages/read", "read"),  # to know whether anything waits
}

_MOVES: Final = ("messages/add/action",)
"""What the host needs beside, which sets messages aside as the function app that it runs."""


class StorageQueueOptions(StorageOptions, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which queue, beside where.

    Attributes:
        queue: its name; empty means `tuppence-<project>`.
        set_aside: whether functions are called with its messages. Their host moves what has failed five times
            to `<queue>-poison`, which is drained from there.

    """

    queue: str = ""
    set_aside: bool = False

    def __post_init__(self) -> None:
        """Refuse what the service would."""
        super().__post_init__()
        if self.queue and not _NAME.fullmatch(self.queue):
            raise ValueError(
                f"{self.queue!r} cannot be a queue's name, which is 3 to 63 of a-z 0-9 and single dashes"
            )


@dataclass(slots=True)
class Receipt:
    """What settles a delivery. Each extension gives a new one."""

    id: str
    pop: str
    removed: bool = False


class StorageQueue(QueueDriver):
    """A queue of a storage account."""

    Options = StorageQueueOptions
    limits = Limits(batch_items=MESSAGES, batch_bytes=MESSAGES * BODY, item_bytes=BODY)

    def __init__(self, options: StorageQueueOptions, context: Context) -> None:
        super().__init__(options, context)
        self.name = options.queue or queue_named(context.project)
        self._storage = Storage("queue", options, context.clock)

    def check(self) -> None:
        """Prove that the queue is there and may be read."""
        self._count("queue.check", Deadline.after(CHECK_WAIT, self.context.clock))

    def permissions(self, role: Role, /) -> Sequence[Permission]:
        """Return data actions of Azure's roles, and the queue they may touch."""
        account = self.options.account or "*"
        aside = role is Role.PROCESSOR and self.options.set_aside
        where = f"storageAccounts/{account}/queueServices/default/queues"
        return [
            Permission(
                action=f"Microsoft.Storage/storageAccounts/queueServices/queues/{action}",
                resource=f"/subscriptions/*/resourceGroups/*/providers/Microsoft.Storage/{where}/{name}",
            )
            for name in (self.name, self.name + _POISON)[: 1 + aside]
            for action in (*_ACTIONS[role], *(_MOVES if name != self.name else ()))
        ]

    def send(self, messages: Sequence[Message], /, *, deadline: Deadline) -> Sequence[ItemError]:
        """Hand over messages, one by one."""
        large = {n: len(message.body) for n, message in enumerate(messages) if len(message.body) > BODY}
        self._check_batch("queue.send", messages)
        errors = [ItemError(n, too_large("queue.send", size, BODY)) for n, size in large.items()]
        fitting = {n: message for n, message in enumerate(messages) if n not in large}
        return errors + self._each(fitting, lambda message: self._put(message, deadline))

    def receive(
        self, *, max_messages: int, wait: timedelta, lease: timedelta, deadline: Deadline
    ) -> Sequence[Delivery]:
        """Lease messages, looking every second; one of the deadline is left for the answer."""
        if not 0 < max_messages <= MESSAGES:
            raise failure(ErrorCode.INVALID, "queue.receive", f"max_messages must be 1 to {MESSAGES}")
        clock = self.context.clock
        until = clock.monotonic() + min(wait.total_seconds(), deadline.remaining() - 1)
        while True:
            found = self._get(max_messages, lease, deadline)
            left = until - clock.monotonic()
            if found or left <= 0:
                return found
            clock.sleep(min(POLL, left))

    def extend(
        self, deliveries: Sequence[Delivery], /, *, lease: timedelta, deadline: Deadline
    ) -> Sequence[ItemError]:
        """Lease for `lease` from now, at most a week."""
        return self._settle(
            "queue.extend", deliveries, lambda receipt: self._hide(receipt, _whole(lease), deadline)
        )

    def ack(self, deliveries: Sequence[Delivery], /, *, deadline: Deadline) -> Sequence[ItemError]:
        """Remove for good, also once the lease is over, unless the message has come to somebody else."""
        return self._settle("queue.ack", deliveries, lambda receipt: self._delete(receipt, deadline))

    def nack(
        self, deliveries: Sequence[Delivery], /, *, delay: timedelta = ZERO, deadline: Deadline
    ) -> Sequence[ItemError]:
        """Give back, to be delivered after `delay`, at most a week."""
        seconds = min(math.ceil(delay.total_seconds()), LONGEST)
        return self._settle(
            "queue.nack", deliveries, lambda receipt: self._hide(receipt, seconds, deadline, "queue.nack")
        )

    def depth(self, *, deadline: Deadline) -> tuple[int, timedelta | None]:
        """Return about how many messages wait or are leased, and the age of the first that is not leased."""
        waiting = self._count("queue.depth", deadline)
        return waiting, self._oldest(deadline) if waiting else None

    def dead_letters(self) -> QueueDriver | None:
        """Return the queue into which the host of a function app moves what has failed too often."""
        if not self.options.set_aside:
            return None
        aside = msgspec.structs.replace(self.options, queue=self.name + _POISON, set_aside=False)
        return StorageQueue(aside, self.context)

    def close(self) -> None:
        """Let the connection go."""
        self._storage.close()

    def _put(self, message: Message, deadline: Deadline) -> None:
        body = f"<QueueMessage><MessageText>{text_of(message)}</MessageText></QueueMessage>".encode()
        query = {"messagettl": _FOR_GOOD}
        try:
            self._call("queue.send", "POST", "/messages", deadline, query=query, body=body)
        except Refused as error:
            reported = error if error.name in _OF_ONE_MESSAGE else of_no_item(error)
            if reported is error:
                raise
            raise reported from error  # the request itself is refused, as for its headers or address

    def _get(self, most: int, lease: timedelta, deadline: Deadline) -> list[Delivery]:
        """Lease what is there now. Leases are counted from when they were asked for."""
        seconds = _whole(lease)
        expires = self.context.clock.now() + timedelta(seconds=seconds)
        query = {"numofmessages": str(most), "visibilitytimeout": str(seconds)}
        answer = self._call("queue.receive", "GET", "/messages", deadline, query=query)
        try:
            found = ET.fromstring(answer.body)  # noqa: S314 - the service's own, who escapes what others wrote
            if found.tag != "QueueMessagesList":
                raise incomplete("queue.receive")
            return [_delivery(one, expires) for one in found]
        except (ET.ParseError, KeyError, ValueError) as error:
            words = "the answer cannot be read"
            raise failure(ErrorCode.UNAVAILABLE, "queue.receive", words) from error

    def _hide(
        self, receipt: Receipt, seconds: int, deadline: Deadline, operation: str = "queue.extend"
    ) -> None:
        query = {"popreceipt": receipt.pop, "visibilitytimeout": str(seconds)}
        answer = self._call(operation, "PUT", _path(receipt), deadline, query=query)
        receipt.pop = answer.headers.get("x-ms-popreceipt", receipt.pop)

    def _delete(self, receipt: Receipt, deadline: Deadline) -> None:
        self._call("queue.ack", "DELETE", _path(receipt), deadline, query={"popreceipt": receipt.pop})
        receipt.removed = True

    def _oldest(self, deadline: Deadline) -> timedelta | None:
        query = {"numofmessages": "1", "peekonly": "true"}
        answer = self._call("queue.depth", "GET", "/messages", deadline, query=query)
        try:
            sent = ET.fromstring(answer.body).findtext(".//InsertionTime")  # noqa: S314 - as above
            return max(ZERO, self.context.clock.now() - parsedate_to_datetime(sent)) if sent else None
        except (ET.ParseError, ValueError) as error:
            raise failure(ErrorCode.UNAVAILABLE, "queue.depth", "the answer cannot be read") from error

    def _count(self, operation: str, deadline: Deadline) -> int:
        answer = self._call(operation, "GET", "", deadline, query={"comp": "metadata"})
        told = answer.headers.get("x-ms-approximate-messages-count", "")
        if not told.isdecimal():
            raise incomplete(operation)
        return int(told)

    def _call(self, operation: str, method: str, path: str, deadline: Deadline, **more: Any) -> Answer:
        """Make one call on the queue, and count it: a refusal is billed too, but for one of the caller."""
        try:
            answer = self._storage.call(operation, method, f"/{self.name}{path}", deadline=deadline, **more)
        except Refused as error:
            self.context.meter.count(UNIT)
            if error.name != "QueueNotFound":
                raise
            words = f"there is no queue {self.name}; `tuppence deploy` makes it"
            raise failure(error.code, operation, words) from error
        self.context.meter.count(UNIT)
        return answer

    def _settle(
        self, operation: str, deliveries: Sequence[Delivery], settle: Callable[[Receipt], None]
    ) -> list[ItemError]:
        """Settle deliveries one by one, but for those that were removed already."""
        self._check_batch(operation, deliveries)
        receipts: dict[int, Receipt] = {n: delivery.receipt for n, delivery in enumerate(deliveries)}
        held = {n: receipt for n, receipt in receipts.items() if not receipt.removed}

        def one(receipt: Receipt) -> None:
            try:
                settle(receipt)
            except Refused as error:
                if error.name not in _GONE:
                    raise
                raise _Lost(operation) from error

        return self._each(held, one)

    def _each(self, items: Mapping[int, Any], work: Callable[[Any], None]) -> list[ItemError]:
        """Do the same for each item. An error that is not about one item is that of all that are left."""
        errors: list[ItemError] = []
        positions = list(items)
        for done, position in enumerate(positions):
            try:
                work(items[position])
            except DriverError as error:
                if isinstance(error, _Lost) or getattr(error, "name", "") in _OF_ONE_MESSAGE:
                    errors.append(ItemError(position, error))
                elif done == 0:
                    raise
                else:
                    return errors + [ItemError(left, of_no_item(error)) for left in positions[done:]]
        return errors

    def _check_batch(self, operation: str, items: Sequence[Any]) -> None:
        if len(items) > MESSAGES:
            raise failure(ErrorCode.INVALID, operation, f"{len(items)} items; at most {MESSAGES}")


class _Lost(DriverError):  # noqa: N818 - as `Refused`
    """The lease of one message was lost, which says nothing of the next."""

    def __init__(self, operation: str) -> None:
        super().__init__(
            ErrorCode.NOT_FOUND, operation=operation, provider="azure", message="the lease was lost"
        )


def _delivery(found: ET.Element, expires: datetime) -> Delivery:
    told = {part.tag: part.text or "" for part in found}
    return Delivery(
        message=read(told["MessageText"], told["MessageId"]),
        receipt=Receipt(told["MessageId"], told["PopReceipt"]),
        expires=expires,
        attempt=int(told["DequeueCount"]),
    )


def _path(receipt: Receipt) -> str:
    return f"/messages/{quote(receipt.id)}"


def _whole(lease: timedelta) -> int:
    """Return a lease in the whole seconds that the service knows."""
    return max(1, min(int(lease.total_seconds()), LONGEST))
