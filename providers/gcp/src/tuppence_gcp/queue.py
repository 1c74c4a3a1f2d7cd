"""The queue: a topic of Pub/Sub and one subscription to it, by requests of our own (`tuppence_gcp.session`).

Options: `QueueOptions`.
Delivery: at least once, repeats included, and without order unless `ordered`. Attempts are counted as well as
the service can; what came too often is set aside in a second topic and its subscription.
Limits: 10 MB a request, which is the service's, less what JSON makes of bytes; 240 KiB a message.
Errors: `tuppence_gcp.errors`. Once a lease is over by our clock nothing is asked of the service, which might
take the message from whoever holds it now. Of a subscription that delivers exactly once, it says itself.
Emulator: Google's own. What waits is counted by Cloud Monitoring, of which there is none.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, TypeVar

import msgspec

from tuppence.clock import Deadline
from tuppence.drivers import (
    MAX_ID,
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
from tuppence_gcp.backlog import Backlog
from tuppence_gcp.credentials import told_project
from tuppence_gcp.errors import Refused, failed_alone, failure, incomplete, switched_off, too_large
from tuppence_gcp.messages import (
    Published,
    Pulled,
    Receipt,
    ReceivedMessage,
    Subscription,
    entry,
    weight,
)
from tuppence_gcp.names import named
from tuppence_gcp.session import GcpOptions, Session, beside

Result = TypeVar("Result")

REQUEST: Final = 10_000_000
"""Bytes of one publish (https://cloud.google.com/pubsub/quotas, read November 2026)."""
MESSAGES: Final = 100
"""Messages of a call; the service takes 1,000, but so many batches are more than anyone wants in memory."""
OVERHEAD: Final = 2 * MAX_ID + 100
"""Bytes of JSON that go with a body, at most."""
BODIES: Final = (REQUEST - MESSAGES * OVERHEAD) * 3 // 4
"""Bytes of the bodies of one call: JSON has them in base64, a third longer."""
BODY: Final = 240 * 1024
"""Bytes of one body; the service takes more, but a hundred of these can be read in one answer."""
BILLED: Final = 1_000
"""Bytes that a request is billed for at least (https://cloud.google.com/pubsub/pricing, November 2026)."""
LONGEST_LEASE: Final = 600
ANSWERED: Final = 1.0
"""Seconds of the deadline that are left for the lease of what was received."""
CHECK_WAIT: Final = 5.0

_RECEIVES: Final = ("pubsub.subscriptions.consume", "pubsub.subscriptions.get")


class QueueOptions(GcpOptions, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which topic and subscription, beside where.

    Attributes:
        queue: the name of both; empty means `tuppence-<project>`.
        dead_letters: the name of both for what came too often; empty means `tuppence-<project>-dead`.
        ordered: whether a lane keeps its order, which costs throughput; the subscription is made for it.

    """

    queue: str = ""
    dead_letters: str = ""
    ordered: bool = False

    def __post_init__(self) -> None:
        """Refuse what the service would."""
        for name in filter(None, (self.queue, self.dead_letters)):
            if not re.fullmatch(r"(?!goog)[A-Za-z][A-Za-z0-9._~+%-]{2,254}", name):
                words = "3 to 255 of A-Z a-z 0-9 - . _ ~ + %, a letter first, and not goog"
                raise ValueError(f"{name!r} cannot be a topic's name, which is {words}")


class PubSubQueue(QueueDriver):
    """A queue in Pub/Sub."""

    Options = QueueOptions
    limits = Limits(batch_items=MESSAGES, batch_bytes=BODIES, item_bytes=BODY)

    def __init__(self, options: QueueOptions, context: Context) -> None:
        super().__init__(options, context)
        self.name = options.queue or named(context.project, "", "queue")
        self._aside = options.dead_letters or named(context.project, "dead", "queue")
        self._session = Session(
            "https://pubsub.googleapis.com", "PUBSUB_EMULATOR_HOST", options, context.clock
        )
        self._backlog = Backlog(beside(options), context)

    def check(self) -> None:
        """Prove that the subscription is there, and that it is as the driver takes it to be."""
        found = self._subscription("queue.check", Deadline.after(CHECK_WAIT, self.context.clock))
        aside = found.dead_letter_policy.dead_letter_topic.rpartition("/")[2]
        if found.topic.rpartition("/")[2] != self.name:
            words = f"the subscription {self.name} is not one to the topic {self.name}"
        elif aside != self._aside:
            words = (
                f"{self.name} sets aside what came too often in {aside or 'no topic'}, not in {self._aside}"
            )
        elif found.enable_message_ordering != self.options.ordered:
            words = f"the subscription {self.name} was made with ordered = {not self.options.ordered}".lower()
        else:
            return
        raise failure(ErrorCode.INVALID, "queue.check", f"{words}; `tuppence deploy` mends it")

    def permissions(self, role: Role, /) -> Sequence[Permission]:
        """Return permissions of IAM, and what they are for."""
        place = f"projects/{self.options.project_id or told_project() or '*'}"
        if role is Role.PRODUCER:
            return [Permission(action="pubsub.topics.publish", resource=f"{place}/topics/{self.name}")]
        reads = {
            Role.PROCESSOR: [(name, action) for name in (self.name, self._aside) for action in _RECEIVES],
            Role.REPORTER: [(self.name, "pubsub.subscriptions.get")],  # to know whether anything waits
        }[role]
        return [
            *(Permission(action=action, resource=f"{place}/subscriptions/{name}") for name, action in reads),
            Permission(action="monitoring.timeSeries.list", resource=place),
        ]

    def send(self, messages: Sequence[Message], /, *, deadline: Deadline) -> Sequence[ItemError]:
        """Publish messages: in one request, or where there is order in one for each lane, as Google asks."""
        limit = self.limits.item_bytes
        over = {n: len(message.body) for n, message in enumerate(messages) if len(message.body) > limit}
        errors = [ItemError(n, too_large("queue.send", size, limit)) for n, size in over.items()]
        self._check_batch(
            "queue.send", messages, sum(len(message.body) for message in messages) - sum(over.values())
        )
        lanes: dict[str, dict[int, Message]] = {}
        for n, message in enumerate(messages):
            if n not in over:
                lanes.setdefault(message.lane if self.options.ordered else "", {})[n] = message
        return errors + self._publish_each(list(lanes.values()), deadline)

    def receive(
        self, *, max_messages: int, wait: timedelta, lease: timedelta, deadline: Deadline
    ) -> Sequence[Delivery]:
        """Lease messages. A second of the deadline is left for the lease, which is another request."""
        if not 0 < max_messages <= MESSAGES:
            raise failure(ErrorCode.INVALID, "queue.receive", f"max_messages must be 1 to {MESSAGES}")
        try:
            found = self._pull(max_messages, deadline)
        except DriverError as error:
            if error.code is ErrorCode.CONFLICT and self._pushes(deadline):
                return []  # it is drained by who it is pushed to, and what came too often is elsewhere
            raise
        patience = min(wait.total_seconds(), deadline.remaining() - ANSWERED)
        if not found and patience > 0:
            found = self._wait(max_messages, patience)
        if not found:
            return []
        seconds = _whole(lease)
        clock = self.context.clock
        asked = clock.monotonic()
        handles = [one.ack_id for one in found]
        lost = self._settle("queue.receive", "modifyAckDeadline", handles, deadline, seconds)
        expires = clock.now() + timedelta(seconds=asked + seconds - clock.monotonic())
        return [one.delivery(asked + seconds, expires) for one in found if one.ack_id not in lost]

    def extend(
        self, deliveries: Sequence[Delivery], /, *, lease: timedelta, deadline: Deadline
    ) -> Sequence[ItemError]:
        """Lease for `lease` from now, at most ten minutes."""
        return self._hide("queue.extend", deliveries, _whole(lease), deadline, released=False)

    def ack(self, deliveries: Sequence[Delivery], /, *, deadline: Deadline) -> Sequence[ItemError]:
        """Remove for good."""
        errors, removed = self._settle_held("queue.ack", "acknowledge", deliveries, deadline)
        for receipt in removed:
            receipt.removed = True
        return errors

    def nack(
        self, deliveries: Sequence[Delivery], /, *, delay: timedelta = ZERO, deadline: Deadline
    ) -> Sequence[ItemError]:
        """Give back, to be delivered after `delay`, at most ten minutes: so long nobody has it."""
        seconds = min(math.ceil(delay.total_seconds()), LONGEST_LEASE)
        return self._hide("queue.nack", deliveries, seconds, deadline, released=True)

    def depth(self, *, deadline: Deadline) -> tuple[int, timedelta | None]:
        """Return how many messages waited or were leased some minutes ago, and the age of the oldest."""
        self._subscription("queue.depth", deadline)
        return self._backlog.of(self.name, "queue.depth", deadline)

    def dead_letters(self) -> QueueDriver | None:
        """Return the queue into which Pub/Sub moves what was received too often."""
        return _DeadLetters(msgspec.structs.replace(self.options, queue=self._aside), self.context)

    def close(self) -> None:
        """Let the connections go."""
        self._session.close()
        self._backlog.close()

    def _publish_each(self, lanes: Sequence[Mapping[int, Message]], deadline: Deadline) -> list[ItemError]:
        """Publish lanes one by one. An error is that of all that are left: the next would meet it too.

        It says nothing about any message, as Pub/Sub refuses none alone.
        """
        for done, lane in enumerate(lanes):
            try:
                self._publish(list(lane.values()), deadline)
            except DriverError as error:
                if not done:
                    raise
                return [ItemError(n, of_no_item(error)) for left in lanes[done:] for n in left]
        return []

    def _publish(self, messages: Sequence[Message], deadline: Deadline) -> None:
        ordered = self.options.ordered
        request = {"messages": [entry(message, ordered=ordered) for message in messages]}
        told = self._call("queue.send", "POST", "topics", ":publish", request, Published, deadline)
        if len(told.message_ids) != len(messages):  # it names no message by itself: all are sent once more
            raise incomplete("queue.send")
        size = sum(
            weight(message, given, ordered=ordered)
            for message, given in zip(messages, told.message_ids, strict=True)
        )
        self.context.meter.count("pubsub.bytes", max(BILLED, size))

    def _pull(
        self, most: int, deadline: Deadline, *, patience: float | None = None
    ) -> Sequence[ReceivedMessage]:
        """Ask for messages: for those that are there now, or with patience for the first that comes."""
        request: dict[str, Any] = {"maxMessages": most}
        if patience is None:
            request["returnImmediately"] = True
        told = self._call(
            "queue.receive", "POST", "subscriptions", ":pull", request, Pulled, deadline, patience=patience
        )
        size = sum(one.message.size for one in told.received_messages)
        self.context.meter.count("pubsub.bytes", max(BILLED, size))
        return told.received_messages

    def _wait(self, most: int, patience: float) -> Sequence[ReceivedMessage]:
        """Wait for messages, from a service that has just answered: silence now means that none came.

        The service ends the wait, before we stop listening: what it hands to someone who has gone is leased
        to nobody, and comes again only when that is over.
        """
        listening = Deadline.after(patience + ANSWERED / 2, self.context.clock)
        try:
            return self._pull(most, listening, patience=patience)
        except DriverError as error:
            if error.code is not ErrorCode.TIMEOUT:
                raise
            self.context.meter.count("pubsub.bytes", BILLED)
            return []

    def _hide(
        self,
        operation: str,
        deliveries: Sequence[Delivery],
        seconds: int,
        deadline: Deadline,
        *,
        released: bool,
    ) -> list[ItemError]:
        """Hide messages for as many seconds from now."""
        asked = self.context.clock.monotonic()
        errors, hidden = self._settle_held(operation, "modifyAckDeadline", deliveries, deadline, seconds)
        for receipt in hidden:
            receipt.until = asked if released else asked + seconds
        return errors

    def _settle_held(
        self,
        operation: str,
        action: str,
        deliveries: Sequence[Delivery],
        deadline: Deadline,
        seconds: int | None = None,
    ) -> tuple[list[ItemError], list[Receipt]]:
        """Settle deliveries whose lease is not over; return the errors, and the receipts accepted."""
        self._check_batch(operation, deliveries, 0)
        now = self.context.clock.monotonic()
        receipts: dict[int, Receipt] = dict(enumerate(delivery.receipt for delivery in deliveries))
        held = {n: receipt for n, receipt in receipts.items() if receipt.until > now and not receipt.removed}
        failed = self._settle(operation, action, [one.handle for one in held.values()], deadline, seconds)
        errors = [ItemError(n, failed[one.handle]) for n, one in held.items() if one.handle in failed]
        errors += [
            ItemError(n, failure(ErrorCode.NOT_FOUND, operation, "the lease was lost"))
            for n, receipt in receipts.items()
            if n not in held and not receipt.removed
        ]
        return errors, [receipt for receipt in held.values() if receipt.handle not in failed]

    def _settle(
        self,
        operation: str,
        action: str,
        handles: Sequence[str],
        deadline: Deadline,
        seconds: int | None = None,
    ) -> Mapping[str, DriverError]:
        """Make one call on receipts; return what failed alone, which only exactly-once delivery knows of."""
        if not handles:
            return {}
        request: dict[str, Any] = {"ackIds": handles}
        if seconds is not None:
            request["ackDeadlineSeconds"] = seconds
        try:
            self._call(operation, "POST", "subscriptions", f":{action}", request, dict[str, Any], deadline)
        except Refused as error:
            if failed := failed_alone(operation, error):
                return failed
            raise
        return {}

    def _pushes(self, deadline: Deadline) -> bool:
        """Whether the service pushes the messages to a function, and so lets nobody pull."""
        return bool(self._subscription("queue.receive", deadline).push_config.push_endpoint)

    def _subscription(self, operation: str, deadline: Deadline) -> Subscription:
        return self._call(operation, "GET", "subscriptions", "", None, Subscription, deadline)

    def _call(
        self,
        operation: str,
        method: str,
        kind: str,
        action: str,
        request: object,
        answer: type[Result],
        deadline: Deadline,
        *,
        patience: float | None = None,
    ) -> Result:
        """Make one call on the topic or the subscription; the service gives up after `patience` seconds."""
        path = f"/v1/projects/{self._session.project(operation, deadline)}/{kind}/{self.name}{action}"
        try:
            return self._session.call(
                operation, method, path, request, answer, deadline=deadline, patience=patience
            )
        except DriverError as error:
            if off := switched_off(error, operation):
                raise off from error
            if error.code is not ErrorCode.NOT_FOUND:
                raise
            words = f"there is no {kind.removesuffix('s')} {self.name}; `tuppence deploy` makes it"
            raise failure(error.code, operation, words) from error

    def _check_batch(self, operation: str, items: Sequence[Any], size: int) -> None:
        limits = self.limits
        if len(items) > limits.batch_items or size > limits.batch_bytes:
            raise failure(
                ErrorCode.INVALID,
                operation,
                f"{len(items)} items of {size} bytes; at most {limits.batch_items} and {limits.batch_bytes}",
            )


class _DeadLetters(PubSubQueue):
    """The queue for what came too often. It sets nothing aside itself, and so counts no attempts."""

    def check(self) -> None:
        """Prove that it is there."""
        self._subscription("queue.check", Deadline.after(CHECK_WAIT, self.context.clock))

    def dead_letters(self) -> None:
        """Return none."""


def _whole(lease: timedelta) -> int:
    """Return a lease in the whole seconds that the service knows."""
    return max(1, min(int(lease.total_seconds()), LONGEST_LEASE))
