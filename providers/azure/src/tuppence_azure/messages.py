"""What a message is in a queue. In a Storage Queue it is text: the base64 of its id, a line break, its bytes.

That service keeps nothing beside the text, and lanes mean nothing to it. A message that does not look so is
of a program that is not tuppence: then the text itself, base64 or not, is what it holds.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from typing import Final

from tuppence.drivers import LETTERS, MAX_ID, Message

TEXT: Final = 64 * 1024
"""Bytes of a message's text.

https://learn.microsoft.com/rest/api/storageservices/put-message, read November 2026.
"""
BODY: Final = TEXT // 4 * 3 - MAX_ID - 1
"""Bytes of a body, with the longest id there is."""
_ID: Final = re.compile(f"[{re.escape(LETTERS)}]{{1,{MAX_ID}}}")
_OURS: Final = re.compile(rb"([%s]{1,%d})\n" % (re.escape(LETTERS).encode(), MAX_ID))


def id_of(told: str, number: object) -> str:
    """Return the id of a message of Service Bus: its number there, where another program has sent it."""
    return told if _ID.fullmatch(told) else f"number-{number}"


def text_of(message: Message) -> str:
    """Return the text that carries a message."""
    return b64encode(message.id.encode() + b"\n" + message.body).decode()


def read(text: str, service_id: str) -> Message:
    """Return the message that a text carries; the service's own id where it carries none."""
    try:
        content = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        content = text.encode()
    ours = _OURS.match(content)
    if ours is None:
        return Message(id=service_id, body=content)
    return Message(id=ours[1].decode(), body=content[ours.end() :])
