"""The queue: SQS, by signed requests of our own and without an SDK (`tuppence_aws.signed`).

Options: `QueueOptions`.
Delivery: at least once. FIFO, which is the default: a lane in order, an id once within five minutes. A
standard queue promises neither. Attempts are counted; what came too often is set aside in a second queue.
Limits: 1 MiB a call, which is the service's, and 256 KiB a message, less what goes with a body.
Errors: `tuppence_aws.errors`. Once a lease is over by our clock nothing is asked of the service: a standard
queue would accept the receipt, and might take the message from whoever holds it now.
Emulator: ministack and moto both.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
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
from tuppence.errors import DriverError, ErrorCode
from tuppence.findings import Finding
from tuppence_aws.answers import Described, Receipt, Received, Redrive, Settled
from tuppence_aws.errors import DENIED, failure, too_large
from tuppence_aws.messages import ATTRIBUTE, entry, weight
from tuppence_aws.names import arn
from tuppence_aws.session import AwsOptions, region_of
from tuppence_aws.signed import SignedService

Result = TypeVar("Result")

MEBIBYTE: Final = 1024 * 1024
ENTRIES: Final = 10
OVERHEAD: Final = weight(Message(id="i" * MAX_ID, body=b""))
"""Bytes that go with a body, with the longest id there is."""
BODIES: Final = MEBIBYTE - ENTRIES * OVERHEAD
"""Bytes of the bodies of one call, of which the service takes 1 MiB."""
BODY: Final = MEBIBYTE // 4 - OVERHEAD
"""Bytes of one body: 256 KiB a message is what any queue takes that was not set to less; some take 1 MiB."""
BILLED: Final = 64 * 1024
"""Bytes of messages that are billed as one request, in either direction.

https://aws.amazon.com/sqs/pricing/, read November 2026.
"""
LONGEST_WAIT: Final = 20
LONGEST_LEASE: Final = 12 * 60 * 60
"""Seconds from when a message was received, extensions included."""
TRANSIT: Final = 2.0
"""Seconds that an answer is on its way, at most: that long before it came its leases began."""
CHECK_WAIT: Final = 5.0

_SENDS: Final = ("SendMessage",)
_RECEIVES: Final = ("ReceiveMessage", "ChangeMessageVisibility", "DeleteMessage", "GetQueueAttributes")
_ACTIONS: Final[Mapping[Role, Sequence[str]]] = {
    Role.PRODUCER: _SENDS,
    Role.PROCESSOR: _RECEIVES,
    Role.REPORTER: ("GetQueueAttributes",),
}
_COUNTS: Final = tuple(f"ApproximateNumberOfMessages{part}" for part in ("", "NotVisible", "Delayed"))


class QueueOptions(AwsOptions, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which queue, beside where.

    Attributes:
        queue: its name; empty means `tuppence-<project>`, with `.fifo` behind it where that is.
        dead_letters: the name of the queue for what came too often; empty means `tuppence-<project>-dead`.
        fifo: whether it keeps order and drops repeats; both queues are of the same kind.
        account: whose queue it is, twelve digits; empty means the account of the credentials.

    """

    queue: str = ""
    dead_letters: str = ""
    fifo: bool = True
    account: str = ""

    def __post_init__(self) -> None:
        """Refuse what the service would."""
        for name in filter(None, (self.queue, self.dead_letters)):
            if not re.fullmatch(r"[A-Za-z0-9_-]{1,75}\.fifo" if self.fifo else r"[A-Za-z0-9_-]{1,80}", name):
                rule = "and ends in .fifo" if self.fifo else "and does not end in .fifo, since fifo = false"
                words = "cannot be a queue's name, which is at most 80 of A-Z a-z 0-9 _ -"
                raise ValueError(f"{name!r} {words} {rule}")
        if self.account and not re.fullmatch(r"\d{12}", self.account):
            raise ValueError(f"{self.account!r} cannot be an account, which is twelve digits")


class SqsQueue(QueueDriver):
    """A queue of SQS."""

    Options = QueueOptions
    limits = Limits(batch_items=ENTRIES, batch_bytes=BODIES, item_bytes=BODY)

    def __init__(self, options: QueueOptions, context: Context) -> None:
        super().__init__(options, context)
        ending = ".fifo" if options.fifo else ""
        self.name = options.queue or f"tuppence-{context.project}{ending}"
        self._aside = options.dead_letters or f"tuppence-{context.project}-dead{ending}"
        self._service = SignedService("sqs", "AmazonSQS", options, context.clock)

    def check(self) -> None:
        """Prove that the queue is there, may be read, and sets aside where the drain looks."""
        found = self.attributes("queue.check", ["RedrivePolicy"], self._check_deadline())
        policy = msgspec.json.decode(found.get("RedrivePolicy") or "{}", type=Redrive)
        target = policy.target.rpartition(":")[2]
        if target != self._aside:
            words = (
                f"{self.name} sets aside what came too often in {target or 'no queue'}, not in {self._aside}"
            )
            raise failure(ErrorCode.INVALID, "queue.check", f"{words}; `tuppence deploy` mends it")

    def findings(self, *, deadline: Deadline) -> Iterable[Finding]:
        """Look at its settings, at what it has set aside, and at who may send."""
        from tuppence_aws.findings.queue import findings

        return findings(self, deadline)

    def permissions(self, role: Role, /) -> Sequence[Permission]:
        """Return actions of IAM, and the queues they may touch."""
        names = (self.name, self._aside) if role is Role.PROCESSOR else (self.name,)
        return [
            Permission(action=f"sqs:{action}", resource=self._arn(name))
            for name in names
            for action in _ACTIONS[role]
        ]

    def send(self, messages: Sequence[Message], /, *, deadline: Deadline) -> Sequence[ItemError]:
        """Hand over messages. A FIFO queue leaves out one whose id came within five minutes."""
        errors, fitting = [], {}
        for position, message in enumerate(messages):
            if problem := self._unfit(message):
                errors.append(ItemError(position, problem))
            else:
                fitting[position] = message
        size = sum(len(message.body) for message in fitting.values())
        self._check_batch("queue.send", messages, size)
        entries = [entry(f"{n}", message, fifo=self.options.fifo) for n, message in fitting.items()]
        total = sum(weight(message) for message in fitting.values())
        failed = self._batch("queue.send", "SendMessageBatch", entries, deadline, size=total)
        return errors + [ItemError(position, error) for position, error in failed.items()]

    def receive(
        self, *, max_messages: int, wait: timedelta, lease: timedelta, deadline: Deadline
    ) -> Sequence[Delivery]:
        """Lease messages, waiting whole seconds, at most 20; one of the deadline is left for the answer."""
        if not 0 < max_messages <= ENTRIES:
            raise failure(ErrorCode.INVALID, "queue.receive", f"max_messages must be 1 to {ENTRIES}")
        clock = self.context.clock
        asked, seconds = clock.monotonic(), _whole(lease)
        request = {
            "QueueUrl": self._address("queue.receive"),
            "MaxNumberOfMessages": max_messages,
            "VisibilityTimeout": seconds,
            "WaitTimeSeconds": max(0, int(min(wait.total_seconds(), LONGEST_WAIT, deadline.remaining() - 1))),
            "MessageAttributeNames": [ATTRIBUTE],
            "MessageSystemAttributeNames": ["ApproximateReceiveCount", "MessageGroupId"],
        }
        answer = self._call("queue.receive", "ReceiveMessage", request, Received, deadline)
        now = clock.monotonic()
        since = max(asked, now - TRANSIT)
        expires = clock.now() + timedelta(seconds=since + seconds - now)
        deliveries = [
            one.delivery(asked + LONGEST_LEASE, since + seconds, expires) for one in answer.messages or ()
        ]
        size = sum(weight(delivery.message) for delivery in deliveries)
        self.context.meter.count("sqs.requests", max(1, math.ceil(size / BILLED)))
        return deliveries

    def extend(
        self, deliveries: Sequence[Delivery], /, *, lease: timedelta, deadline: Deadline
    ) -> Sequence[ItemError]:
        """Lease for `lease` from now, at most until twelve hours after the message was received."""
        return self._hide("queue.extend", deliveries, _whole(lease), deadline, released=False)

    def ack(self, deliveries: Sequence[Delivery], /, *, deadline: Deadline) -> Sequence[ItemError]:
        """Remove for good."""
        now = self.context.clock.monotonic()
        errors, removed = self._settle(
            "queue.ack", "DeleteMessageBatch", deliveries, lambda _: {}, deadline, now
        )
        for receipt in removed:
            receipt.removed = True
        return errors

    def nack(
        self, deliveries: Sequence[Delivery], /, *, delay: timedelta = ZERO, deadline: Deadline
    ) -> Sequence[ItemError]:
        """Give back, to be delivered after `delay`, at most twelve hours after the message was received."""
        seconds = min(math.ceil(delay.total_seconds()), LONGEST_LEASE)
        return self._hide("queue.nack", deliveries, seconds, deadline, released=True)

    def depth(self, *, deadline: Deadline) -> tuple[int, timedelta | None]:
        """Return about how many messages wait or are leased, and how old CloudWatch says the oldest is."""
        found = self.attributes("queue.depth", _COUNTS, deadline)
        waiting = sum(int(found.get(name, 0)) for name in _COUNTS)
        if not waiting:
            return 0, None
        from tuppence_aws.oldest import age_of_oldest

        return waiting, age_of_oldest(self.options, self.name, self.context.clock.now(), deadline)

    def dead_letters(self) -> SqsQueue | None:
        """Return the queue into which SQS moves what was received too often."""
        return _DeadLetters(msgspec.structs.replace(self.options, queue=self._aside), self.context)

    def attributes(self, operation: str, names: Sequence[str], deadline: Deadline) -> dict[str, str]:
        """Return what SQS says of the queue. Raises `DriverError`."""
        request = {"QueueUrl": self._address(operation), "AttributeNames": names}
        found = self._call(operation, "GetQueueAttributes", request, Described, deadline)
        self.context.meter.count("sqs.requests")
        return found.attributes

    def close(self) -> None:
        """Let the connection go."""
        self._service.close()

    def _arn(self, name: str) -> str:
        return arn("sqs", region_of(self.options), name, account=self.options.account)

    def _address(self, operation: str) -> str:
        """Return what the service takes as the queue's address.

        Its name will do within one account, so that nobody has to look it up, or needs to be allowed to:
        https://github.com/aws/aws-sdk-js-v3/pull/6337, read November 2026.
        """
        if not self.options.account:
            return self.name
        return f"https://{self._service.host(operation)}/{self.options.account}/{self.name}"

    def _hide(
        self,
        operation: str,
        deliveries: Sequence[Delivery],
        seconds: int,
        deadline: Deadline,
        *,
        released: bool,
    ) -> list[ItemError]:
        """Hide messages for as many seconds from now, within their twelve hours."""
        now = self.context.clock.monotonic()
        least = 0 if released else 1  # 0 would give a message back

        def timeout(receipt: Receipt) -> dict[str, int]:
            return {"VisibilityTimeout": max(least, min(seconds, int(receipt.last - now)))}

        errors, hidden = self._settle(
            operation, "ChangeMessageVisibilityBatch", deliveries, timeout, deadline, now
        )
        for receipt in hidden:
            receipt.until = now if released else now + timeout(receipt)["VisibilityTimeout"]
        return errors

    def _settle(
        self,
        operation: str,
        action: str,
        deliveries: Sequence[Delivery],
        more: Callable[[Receipt], Mapping[str, int]],
        deadline: Deadline,
        now: float,
    ) -> tuple[list[ItemError], list[Receipt]]:
        """Settle deliveries whose lease is not over; return the errors, and the receipts accepted."""
        self._check_batch(operation, deliveries, 0)
        receipts: dict[int, Receipt] = dict(enumerate(delivery.receipt for delivery in deliveries))
        held = {n: receipt for n, receipt in receipts.items() if receipt.until > now and not receipt.removed}
        entries = [
            {"Id": f"{n}", "ReceiptHandle": receipt.handle, **more(receipt)} for n, receipt in held.items()
        ]
        failed = self._batch(operation, action, entries, deadline)
        errors = [ItemError(n, error) for n, error in failed.items()]
        errors += [
            ItemError(n, failure(ErrorCode.NOT_FOUND, operation, "the lease was lost"))
            for n, receipt in receipts.items()
            if n not in held and not receipt.removed
        ]
        return errors, [receipt for n, receipt in held.items() if n not in failed]

    def _batch(
        self, operation: str, action: str, entries: Sequence[Any], deadline: Deadline, *, size: int = 0
    ) -> dict[int, DriverError]:
        """Make one call on entries whose ids are positions; return what failed, by position."""
        if not entries:
            return {}
        request = {"QueueUrl": self._address(operation), "Entries": entries}
        answer = self._call(operation, action, request, Settled, deadline)
        self.context.meter.count("sqs.requests", max(1, math.ceil(size / BILLED)))
        return answer.errors((one["Id"] for one in entries), operation)

    def _call(
        self, operation: str, action: str, request: object, answer: type[Result], deadline: Deadline
    ) -> Result:
        try:
            return self._service.call(operation, action, request, answer, deadline=deadline)
        except DriverError as error:
            if error.code is ErrorCode.NOT_FOUND:
                words = f"there is no queue {self.name}; `tuppence deploy` makes it"
            elif error.message in DENIED:
                words = f"needs sqs:{action.removesuffix('Batch')} on {self._arn(self.name)}"
            else:
                raise
            raise failure(error.code, operation, words) from error

    def _check_deadline(self) -> Deadline:
        return Deadline.after(CHECK_WAIT, self.context.clock)

    def _unfit(self, message: Message) -> DriverError | None:
        if not message.body:
            return failure(ErrorCode.INVALID, "queue.send", "SQS takes no empty message")
        if len(message.body) > self.limits.item_bytes:
            return too_large("queue.send", len(message.body), self.limits.item_bytes)
        return None

    def _check_batch(self, operation: str, items: Sequence[Any], size: int) -> None:
        limits = self.limits
        if len(items) > limits.batch_items or size > limits.batch_bytes:
            raise failure(
                ErrorCode.INVALID,
                operation,
                f"{len(items)} items of {size} bytes; at most {limits.batch_items} and {limits.batch_bytes}",
            )


class _DeadLetters(SqsQueue):
    """The queue for what came too often. It sets nothing aside itself."""

    def check(self) -> None:
        """Prove that it is there and may be read."""
        self.attributes("queue.check", ["QueueArn"], self._check_deadline())

    def findings(self, *, deadline: Deadline) -> Iterable[Finding]:  # noqa: ARG002 - no call is made
        """Say nothing: the queue it belongs to does."""
        return ()

    def dead_letters(self) -> None:
        """Return none."""


def _whole(lease: timedelta) -> int:
    """Return a lease in the whole seconds that the service knows."""
    return max(1, min(int(lease.total_seconds()), LONGEST_LEASE))
