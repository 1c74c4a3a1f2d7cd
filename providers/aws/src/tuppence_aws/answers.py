"""What SQS answers with, and what is made of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from tuppence.drivers import Delivery
from tuppence.errors import DriverError, ErrorCode
from tuppence_aws.errors import answered, failure
from tuppence_aws.messages import ATTRIBUTE, read

_GONE: Final = frozenset(
    {"ReceiptHandleIsInvalid", "MessageNotInflight", "InvalidParameterValue", "InvalidIdFormat"}
)
"""How SQS says of a receipt that its time is over."""


@dataclass(slots=True)
class Receipt:
    """What settles a delivery. Times are the clock's monotonic seconds."""

    handle: str
    last: float
    """When twelve hours are over."""
    until: float
    """When the lease is over."""
    removed: bool = False


class _Attribute(msgspec.Struct, rename="pascal"):
    binary_value: bytes | None = None


class _Message(msgspec.Struct, rename="pascal"):
    message_id: str
    receipt_handle: str
    body: str
    attributes: dict[str, str] = {}
    message_attributes: dict[str, _Attribute] = {}

    def delivery(self, last: float, until: float, expires: datetime) -> Delivery:
        """Return it as core knows it; the first two are `Receipt`'s."""
        attribute = self.message_attributes.get(ATTRIBUTE)
        return Delivery(
            message=read(
                service_id=self.message_id,
                body=self.body,
                payload=attribute.binary_value if attribute else None,
                group=self.attributes.get("MessageGroupId", ""),
            ),
            receipt=Receipt(self.receipt_handle, last, until),
            expires=expires,
            attempt=int(self.attributes["ApproximateReceiveCount"]),
        )


class Received(msgspec.Struct, rename="pascal"):
    """To ReceiveMessage."""

    messages: list[_Message] | None = None


class _Failed(msgspec.Struct, rename="pascal"):
    id: str
    code: str
    sender_fault: bool = False

    def error(self, operation: str) -> DriverError:
        """Return what became of the entry."""
        if operation != "queue.send" and self.code in _GONE:
            return failure(ErrorCode.NOT_FOUND, operation, "the lease was lost")
        error = answered(operation, self.code)
        if error.code is not ErrorCode.UNKNOWN:
            return error
        fault = ErrorCode.INVALID if self.sender_fault else ErrorCode.UNAVAILABLE
        return failure(fault, operation, self.code)  # whose fault it is, it says also where its code is new


class _Done(msgspec.Struct, rename="pascal"):
    id: str


class Settled(msgspec.Struct, rename="pascal"):
    """To the calls that take a batch. Every entry is in one of the two lists."""

    successful: list[_Done] | None = None
    failed: list[_Failed] | None = None

    def errors(self, ids: Iterable[str], operation: str) -> dict[int, DriverError]:
        """Return what failed, by position, which is what an entry's id names.

        An entry that the answer does not name has failed too. Raises `DriverError` where the answer is of
        other entries.
        """
        left = dict.fromkeys(ids)
        failed: dict[int, DriverError] = {}
        for one in (*(self.successful or ()), *(self.failed or ())):
            if one.id not in left:
                raise failure(ErrorCode.UNAVAILABLE, operation, "the answer is one to another call")
            del left[one.id]
            if isinstance(one, _Failed):
                failed[int(one.id)] = one.error(operation)
        words = "the answer is incomplete: it does not say what became of this item"
        return failed | {int(name): failure(ErrorCode.UNAVAILABLE, operation, words) for name in left}


class Described(msgspec.Struct, rename="pascal"):
    """To GetQueueAttributes."""

    attributes: dict[str, str] = {}


class Redrive(msgspec.Struct):
    """What a queue's attribute `RedrivePolicy` holds."""

    target: str = msgspec.field(name="deadLetterTargetArn", default="")
