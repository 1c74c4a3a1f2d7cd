"""A message in Pub/Sub: its bytes are the data, its id is the attribute `id`, its lane is the ordering key.

A message without that attribute comes from a program that is not tuppence: then Pub/Sub's own id is its id.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from tuppence.drivers import LETTERS, MAX_ID, Delivery, Message

ATTRIBUTE: Final = "id"
STAMP: Final = 20
"""Bytes that are billed for a message's time, beside all else that it holds.

https://cloud.google.com/pubsub/pricing, read November 2026.
"""
_OURS: Final = re.compile(f"[{re.escape(LETTERS)}]{{1,{MAX_ID}}}")


@dataclass(slots=True)
class Receipt:
    """What settles a delivery. `until` is when the lease is over, in the clock's monotonic seconds."""

    handle: str
    until: float
    removed: bool = False


class _Message(msgspec.Struct, rename="camel"):
    """A message as it is told by a pull."""

    message_id: str
    data: bytes = b""
    attributes: dict[str, str] = {}
    ordering_key: str = ""

    @property
    def size(self) -> int:
        """The bytes that are billed for it."""
        attributes = sum(len(text.encode()) for pair in self.attributes.items() for text in pair)
        return len(self.data) + attributes + len(self.ordering_key.encode()) + len(self.message_id) + STAMP

    def message(self) -> Message:
        """Return it as core knows it."""
        told = self.attributes.get(ATTRIBUTE, "")
        return Message(
            id=told if _OURS.fullmatch(told) else self.message_id,
            body=self.data,
            lane=self.ordering_key if _OURS.fullmatch(self.ordering_key) else "",
        )


class ReceivedMessage(msgspec.Struct, rename="camel"):
    """One of those that a pull brings."""

    ack_id: str
    message: _Message
    delivery_attempt: int | None = None

    def delivery(self, until: float, expires: datetime) -> Delivery:
        """Return it as core knows it; `until` is `Receipt`'s."""
        return Delivery(
            message=self.message.message(),
            receipt=Receipt(self.ack_id, until),
            expires=expires,
            attempt=self.delivery_attempt,
        )


class Pulled(msgspec.Struct, rename="camel"):
    """What a pull brings."""

    received_messages: list[ReceivedMessage] = []


class Pushed(msgspec.Struct, rename="camel"):
    """What Pub/Sub hands to a function: by a push, or as the data of an event.

    https://cloud.google.com/pubsub/docs/push, read November 2026.
    """

    message: _Message
    subscription: str = ""
    delivery_attempt: int | None = None

    def delivery(self, expires: datetime) -> Delivery:
        """Return it as core knows it. There is no receipt: how the call is answered settles it."""
        return Delivery(
            message=self.message.message(), receipt=None, expires=expires, attempt=self.delivery_attempt
        )


class Published(msgspec.Struct, rename="camel"):
    """What a publish answers."""

    message_ids: list[str]


class DeadLetterPolicy(msgspec.Struct, frozen=True, rename="camel"):
    """Where a subscription sets aside what came too often."""

    dead_letter_topic: str = ""


class PushConfig(msgspec.Struct, frozen=True, rename="camel"):
    """Where a subscription pushes its messages, where it does."""

    push_endpoint: str = ""


class Subscription(msgspec.Struct, rename="camel"):
    """How a subscription is made, as far as it matters here."""

    topic: str
    dead_letter_policy: DeadLetterPolicy = DeadLetterPolicy()
    push_config: PushConfig = PushConfig()
    enable_message_ordering: bool = False


def entry(message: Message, *, ordered: bool) -> dict[str, Any]:
    """Return what publishes a message."""
    told: dict[str, Any] = {"data": message.body, "attributes": {ATTRIBUTE: message.id}}
    if ordered and message.lane:
        told["orderingKey"] = message.lane
    return told


def weight(message: Message, service_id: str, *, ordered: bool) -> int:
    """Return the bytes that are billed for a message which is published; the service gave it `service_id`."""
    lane = len(message.lane) if ordered else 0
    return len(message.body) + len(ATTRIBUTE) + len(message.id) + lane + len(service_id) + STAMP
