"""A message in SQS: its id is the body, its bytes are the binary attribute `b`, its lane is the group.

An attribute's bytes are billed as they are; in the body, which is text, they would be a third more. A message
without that attribute comes from a program that is not tuppence: then the body itself is what it holds.
"""

from __future__ import annotations

import re
from typing import Any, Final

from tuppence.drivers import LETTERS, MAX_ID, Message

ATTRIBUTE: Final = "b"
"""The message attribute that holds the bytes."""
_TYPE: Final = "Binary"
_NO_LANE: Final = "#"
"""Begins the group of a message without a lane, and no lane: a FIFO queue wants a group of every one."""
_OURS: Final = re.compile(f"[{re.escape(LETTERS)}]{{1,{MAX_ID}}}")


def read(*, service_id: str, body: str, payload: bytes | None, group: str) -> Message:
    """Return the message that SQS hands over.

    Args:
        service_id: the id SQS itself gave it, used where the sender gave none.
        body: its text.
        payload: the bytes of `ATTRIBUTE`, if it has one.
        group: its message group, empty where there is none.

    """
    lane = group if _OURS.fullmatch(group) else ""
    if payload is not None and _OURS.fullmatch(body):
        return Message(id=body, body=payload, lane=lane)
    return Message(id=service_id, body=body.encode() if payload is None else payload, lane=lane)


def entry(entry_id: str, message: Message, *, fifo: bool) -> dict[str, Any]:
    """Return what sends a message, as an entry of SendMessageBatch.

    Args:
        entry_id: names it in the answer.
        message: whose body is not empty.
        fifo: whether the queue keeps order. A standard queue takes a group for a tenant, at a price.

    """
    attribute = {"DataType": _TYPE, "BinaryValue": message.body}
    told = {"Id": entry_id, "MessageBody": message.id, "MessageAttributes": {ATTRIBUTE: attribute}}
    if fifo:
        told["MessageGroupId"] = message.lane or (_NO_LANE + message.id)[:MAX_ID]
        told["MessageDeduplicationId"] = message.id
    return told


def weight(message: Message) -> int:
    """Return the bytes of a message that SQS limits and bills: name, type and value of attributes count too.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_MessageAttributeValue.html
    """
    return len(message.id) + len(ATTRIBUTE) + len(_TYPE) + len(message.body)
