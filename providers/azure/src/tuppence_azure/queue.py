"""The queue: one of Service Bus, by AMQP. The Basic tier will do.

Options: `QueueOptions`.
Delivery: at least once, in no order; where the queue detects duplicates, an id once within its window.
Attempts are counted; what came too often is set aside in the queue's own sub-queue.
Leases: the lock duration of the queue, at most five minutes, whatever is asked for. A message given back with
a delay stays away until its lock ends.
Limits: 256 KB a call, less what goes with each message.
Errors: `tuppence_azure.service_bus`.
Emulator: a broker of our own (tests/azure/broker), which speaks AMQP with the official client.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import msgspec

from tuppence.abandonable import AbandonableCall
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
from tuppence.errors import DriverError, ErrorCode
from tuppence_azure.errors import PROVIDER, failure, too_large
from tuppence_azure.messages import id_of
from tuppence_azure.service_bus import Namespace, ServiceBusOptions, is_of_one_message, translated

UNIT: Final = "service_bus.operations"
"""Each message sent, delivered, completed, given back or renewed is an operation, one sent or delivered as
many as it has 64 KB; so is an answer without a message.

https://azure.microsoft.com/pricing/details/service-bus/, read November 2026.
"""
BILLED: Final = 64 * 1024
MESSAGES: Final = 100
BODIES: Final = 192 * 1024
"""Bytes of the bodies of one call. The rest of 256 KB is for what goes with a hundred messages."""
LEAST_WAIT: Final = 1.0
"""Seconds that the service is given to say what is there. It never says that nothing is."""
COUNTED: Final = 256
"""Messages that are counted, by looking at each: AMQP knows no other way."""
CHECK_WAIT: Final = 10.0
PEEK: Final = 5.0
"""Seconds for one look at what is there."""

_NAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,258}[A-Za-z0-9])?")
_ACTIONS: Final[Mapping[Role, Sequence[str]]] = {
    Role.PRODUCER: ("send",),
    Role.PROCESSOR: ("receive",),
    Role.REPORTER: ("receive",),  # to know whether anything waits; Azure allows no looking without taking
}


class QueueOptions(ServiceBusOptions, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which queue, beside where.

    Attributes:
        queue: its name; empty means `tuppence-<project>`.
        detects_duplicates: whether it was made to, which takes the Standard tier.

    """

    queue: str = ""
    detects_duplicates: bool = False

    def __post_init__(self) -> None:
        """Refuse what the service would."""
        super().__post_init__()
        if self.queue and not _NAME.fullmatch(self.queue):
            raise ValueError(
                f"{self.queue!r} cannot be a queue's name, which is at most 260 of A-Z a-z 0-9 . _ -"
            )


@dataclass(slots=True)
class Receipt:
    """What settles a delivery: the SDK's own message, on the link that it came by."""

    link: Any = field(repr=False)
    message: Any = field(repr=False)  # which repeats what people sent
    removed: bool = False


class ServiceBusQueue(QueueDriver):
    """A queue of Service Bus."""

    Options = QueueOptions
    limits = Limits(batch_items=MESSAGES, batch_bytes=BODIES, item_bytes=BODIES)
    sub_queue: str | None = None

    def __init__(self, options: QueueOptions, context: Context) -> None:
        super().__init__(options, context)
        self.name = options.queue or f"tuppence-{context.project}"
        self._namespace = Namespace(options)
        self._links = ExitStack()
        self._apart = AbandonableCall("tuppence-azure-opening", PROVIDER)
        self._sender: Any = None
        self._receiver: Any = None
        self._process = 0

    def check(self) -> None:
        """Prove that the queue is there and may be read."""
        self._peek("queue.check", 1, 1, Deadline.after(CHECK_WAIT, self.context.clock))

    def permissions(self, role: Role, /) -> Sequence[Permission]:
        """Return data actions of Azure's roles, and the queue they may touch."""
        namespace = self.options.namespace.partition(".")[0] or "*"
        resource = f"Microsoft.ServiceBus/namespaces/{namespace}/queues/{self.name}"
        return [
            Permission(
                action=f"Microsoft.ServiceBus/namespaces/messages/{action}/action",
                resource=f"/subscriptions/*/resourceGroups/*/providers/{resource}",
            )
            for action in _ACTIONS[role]
        ]

    def send(self, messages: Sequence[Message], /, *, deadline: Deadline) -> Sequence[ItemError]:
        """Hand over messages, all in one transfer."""
        large = {n: len(message.body) for n, message in enumerate(messages) if len(message.body) > BODIES}
        errors = [ItemError(n, too_large("queue.send", size, BODIES)) for n, size in large.items()]
        fitting = [message for n, message in enumerate(messages) if n not in large]
        self._check_batch("queue.send", messages, sum(len(message.body) for message in fitting))
        if fitting:
            with self._working("queue.send", deadline):
                self._sending("queue.send", deadline).send_messages(
                    [_outgoing(message) for message in fitting], timeout=deadline.remaining()
                )
            self._count(*(len(message.body) for message in fitting))
        return errors

    def receive(
        self, *, max_messages: int, wait: timedelta, lease: timedelta, deadline: Deadline
    ) -> Sequence[Delivery]:
        """Lease messages for as long as the queue does, waiting at least as long as it takes to be told."""
        if not 0 < max_messages <= MESSAGES:
            raise failure(ErrorCode.INVALID, "queue.receive", f"max_messages must be 1 to {MESSAGES}")
        latest = self.context.clock.now() + lease
        with self._working("queue.receive", deadline):
            link = self._receiving("queue.receive", deadline)
            seconds = min(max(wait.total_seconds(), LEAST_WAIT), max(0.1, deadline.remaining() - 0.5))
            found = link.receive_messages(max_messages, max_wait_time=seconds)
            if len(found) < max_messages:
                _ask_no_more(link)
            deliveries = [_delivery(message, link, latest) for message in found]
        self._count(*(len(delivery.message.body) for delivery in deliveries) if deliveries else [0])
        return deliveries

    def extend(
        self,
        deliveries: Sequence[Delivery],
        /,
        *,
        lease: timedelta,  # noqa: ARG002 - as long as the queue says
        deadline: Deadline,
    ) -> Sequence[ItemError]:
        """Lease for as long as the queue does, from now."""
        return self._settle("queue.extend", deliveries, self._renewed(deadline), deadline)

    def ack(self, deliveries: Sequence[Delivery], /, *, deadline: Deadline) -> Sequence[ItemError]:
        """Remove for good."""

        def complete(receipt: Receipt) -> None:
            receipt.link.complete_message(receipt.message)
            receipt.removed = True

        return self._settle("queue.ack", deliveries, complete, deadline)

    def nack(
        self, deliveries: Sequence[Delivery], /, *, delay: timedelta = ZERO, deadline: Deadline
    ) -> Sequence[ItemError]:
        """Give back: at once, or under any delay when a lock taken now runs out."""

        def abandon(receipt: Receipt) -> None:
            receipt.link.abandon_message(receipt.message)

        give = self._renewed(deadline) if delay > ZERO else abandon
        return self._settle("queue.nack", deliveries, give, deadline)

    def depth(self, *, deadline: Deadline) -> tuple[int, timedelta | None]:
        """Return how many messages wait or are leased, up to `COUNTED`, and the age of the oldest."""
        count, following, oldest = 0, 1, None
        while count < COUNTED:
            found = self._peek("queue.depth", COUNTED - count, following, deadline)
            if not found:
                break
            oldest = oldest or found[0].enqueued_time_utc
            count, following = count + len(found), found[-1].sequence_number + 1
        return count, max(ZERO, self.context.clock.now() - oldest) if oldest else None

    def dead_letters(self) -> QueueDriver | None:
        """Return the sub-queue into which the service moves what was delivered too often."""
        return _DeadLetters(msgspec.structs.replace(self.options, queue=self.name), self.context)

    def close(self) -> None:
        """Let the connections go. In a forked child they are the parent's, and are left alone."""
        links, self._links = self._links, ExitStack()
        self._sender = self._receiver = None
        if self._process not in {0, os.getpid()}:
            links.pop_all()
            return
        with suppress(Exception):  # what fails to say goodbye is gone too
            links.close()
        with suppress(Exception):
            self._namespace.close()

    def _sending(self, operation: str, deadline: Deadline) -> Any:
        if self._sender is None:
            client = self._namespace.client(operation)
            self._sender = self._opened(client.get_queue_sender(self.name), operation, deadline)
        return self._sender

    def _receiving(self, operation: str, deadline: Deadline) -> Any:
        if self._receiver is None:
            client = self._namespace.client(operation)
            link = client.get_queue_receiver(self.name, sub_queue=self.sub_queue)
            self._receiver = self._opened(link, operation, deadline)
        return self._receiver

    def _opened(self, link: Any, operation: str, deadline: Deadline) -> Any:
        """Open a link, before a call has little time for it."""
        self._process = os.getpid()
        self._apart.call(link.__enter__, operation, deadline.remaining(), late=link.close)
        self._links.callback(link.close)
        return link

    @contextmanager
    def _working(self, operation: str, deadline: Deadline) -> Iterator[None]:
        """Make calls by the deadline. What a failure leaves of the connections is not used again."""
        if deadline.expired:
            raise failure(ErrorCode.TIMEOUT, operation, "no time is left")
        self._namespace.end_by(deadline)
        try:
            with translated(operation):
                yield
        except DriverError as error:
            if not is_of_one_message(error):
                self.close()
            if error.code is not ErrorCode.NOT_FOUND or is_of_one_message(error):
                raise
            words = f"there is no queue {self.name}; `tuppence deploy` makes it"
            raise failure(error.code, operation, words) from error

    def _settle(
        self,
        operation: str,
        deliveries: Sequence[Delivery],
        settle: Callable[[Receipt], None],
        deadline: Deadline,
    ) -> list[ItemError]:
        """Settle deliveries one by one, but for those that were removed already.

        An error that the next would meet too is that of all that are left.
        """
        self._check_batch(operation, deliveries)
        receipts = [delivery.receipt for delivery in deliveries]
        held = [n for n, receipt in enumerate(receipts) if not receipt.removed]
        errors: list[ItemError] = []
        for done, position in enumerate(held):
            receipt = receipts[position]
            try:
                if self._is_of_another_link(operation, receipt, deadline):
                    lost = failure(ErrorCode.NOT_FOUND, operation, "the lease was lost with its connection")
                    errors.append(ItemError(position, lost))
                    continue
                with self._working(operation, deadline):
                    _end_by(deadline, receipt.link)
                    settle(receipt)
                self._count(0)
            except DriverError as error:
                if is_of_one_message(error):
                    errors.append(ItemError(position, error))
                elif done == 0:
                    raise
                else:
                    return errors + [ItemError(left, error) for left in held[done:]]
        return errors

    def _is_of_another_link(self, operation: str, receipt: Receipt, deadline: Deadline) -> bool:
        """Whether a receipt can settle nothing any more, since its link is gone."""
        if self._receiver is None:
            self._peek(operation, 1, 1, deadline)  # there may be no queue at all
        return receipt.link is not self._receiver

    def _renewed(self, deadline: Deadline) -> Callable[[Receipt], None]:
        def renew(receipt: Receipt) -> None:
            receipt.link.renew_message_lock(receipt.message, timeout=deadline.remaining())

        return renew

    def _peek(self, operation: str, most: int, first: int, deadline: Deadline) -> list[Any]:
        """Look at messages from a sequence number on, leased ones too."""
        with self._working(operation, deadline):
            found: list[Any] = self._receiving(operation, deadline).peek_messages(
                most, sequence_number=first, timeout=min(PEEK, deadline.remaining())
            )
        self._count(*(len(_body(message)) for message in found) if found else [0])
        return found

    def _count(self, *sizes: int) -> None:
        """Count operations on messages of these sizes."""
        operations = sum(max(1, -(-size // BILLED)) for size in sizes)
        self.context.meter.count(UNIT, operations)

    def _check_batch(self, operation: str, items: Sequence[Any], size: int = 0) -> None:
        if len(items) > MESSAGES or size > BODIES:
            words = f"{len(items)} items of {size} bytes; at most {MESSAGES} and {BODIES}"
            raise failure(ErrorCode.INVALID, operation, words)


class _DeadLetters(ServiceBusQueue):
    """The sub-queue for what came too often. Nobody sends to it, and it sets nothing aside itself."""

    sub_queue = "deadletter"

    def send(self, messages: Sequence[Message], /, *, deadline: Deadline) -> Sequence[ItemError]:  # noqa: ARG002 - as above
        """Refuse: only the service sends here."""
        raise failure(ErrorCode.UNSUPPORTED, "queue.send", "only the service sets messages aside")

    def dead_letters(self) -> None:
        """Return none."""


def _outgoing(message: Message) -> Any:
    from azure.servicebus import ServiceBusMessage

    return ServiceBusMessage(message.body, message_id=message.id)


def _delivery(message: Any, link: Any, latest: Any) -> Delivery:
    """Return a message as core knows it; the service's number names one that another program sent."""
    name = id_of(str(message.message_id or ""), message.sequence_number)
    return Delivery(
        message=Message(id=name, body=_body(message)),
        receipt=Receipt(link, message),
        expires=min(message.locked_until_utc, latest),
        attempt=(message.delivery_count or 0) + 1,
    )


def _body(message: Any) -> bytes:
    """Return the bytes of a message; of one that is text, those of the text."""
    body = message.body
    if isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else b"".join(body)


def _end_by(deadline: Deadline, link: Any) -> None:
    """Give a message that is settled half of the time to be confirmed, and half to be settled another way.

    The SDK's calls take no timeout, and by themselves wait for a minute and more (azure-servicebus 7.15).
    """
    link._config.timeout = link._config.try_timeout = deadline.remaining() / 2  # noqa: SLF001 - see above


def _ask_no_more(link: Any) -> None:
    """Take back what was asked for and has not come: the service would lease later messages to this link.

    The SDK does so only when it closes the link (azure-servicebus 7.15).
    """
    link._amqp_transport.reset_link_credit(link._handler, 0)  # noqa: SLF001 - see above
