"""A mail as the bytes that go over the wire, for mailers that are given all of it."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

from tuppence.drivers import Email

_POLICY: Final = SMTP.clone(cte_type="7bit")
"""Every server takes 7 bits."""
_HEADER_NAME: Final = re.compile(r"[!-9;-~]+")
_ENCODED_WORD: Final = re.compile(r"=\?[^?]*\?[^?]*\?[^?]*\?=")
"""What RFC 2047 decodes, to anything, line breaks included; Python does so when a header is set."""
_CONTENT_TYPE: Final = re.compile(r"(?:text|application|image)/[A-Za-z0-9.+-]+")


class NoMail(Exception):  # noqa: N818 - it names a thing, as the words of the design do
    """What was given cannot be written as a mail; the message says why, without repeating it."""


def compose(email: Email, *, default_sender: str, key: str, date: datetime) -> EmailMessage:
    """Return the message.

    Args:
        email: what to send; header values with line breaks are refused, not mended.
        default_sender: the From address where `email` names none.
        key: what the Message-ID is made from, by `digest`.
        date: what the Date header says.

    Raises:
        NoMail: a driver's `INVALID`.

    """
    message = EmailMessage(policy=_POLICY)
    _set(message, "From", email.sender or default_sender)
    sender = address_in(message, "From")
    _set(message, "To", email.to)
    address_in(message, "To")
    _set(message, "Subject", email.subject)
    _set(message, "Date", format_datetime(date))
    _set(message, "Message-ID", f"<{digest(key)}@{sender.domain}>")
    for name, value in email.headers.items():
        _set(message, name, value)
    try:
        _fill(message, email)
    except (ValueError, TypeError, MessageError) as error:
        raise NoMail("the text or an attachment holds what a mail cannot carry") from error
    return message


def digest(key: str) -> str:
    """Return what stands for an idempotency key, which may hold anything: letters and digits."""
    return hashlib.blake2b(key.encode(), digest_size=16).hexdigest()


def _fill(message: EmailMessage, email: Email) -> None:
    message.set_content(email.text)
    if email.html:
        message.add_alternative(email.html, subtype="html")
    for attachment in email.attachments:
        if not _CONTENT_TYPE.fullmatch(attachment.content_type):
            raise NoMail(f"{attachment.content_type!a} is no content type; write it as in text/csv")
        _refuse_tricks("Content-Disposition", attachment.name)
        maintype, _, subtype = attachment.content_type.partition("/")
        message.add_attachment(attachment.body, maintype=maintype, subtype=subtype, filename=attachment.name)


def address_in(message: EmailMessage, header: str) -> Address:
    """Return the one address of the From or To header."""
    field = message[header]
    addresses: tuple[Address, ...] = field.addresses
    if len(addresses) != 1 or field.defects or not (addresses[0].username and addresses[0].domain):
        raise NoMail(f"{header} must be one address, as in me@example.com or Me <me@example.com>")
    if not addresses[0].addr_spec.isascii():
        raise NoMail(f"{header} holds an address that is not ASCII; only the name before it may be")
    return addresses[0]


def _set(message: EmailMessage, name: str, value: str) -> None:
    if not _HEADER_NAME.fullmatch(name):
        raise NoMail(f"{name!a} is no header's name")
    _refuse_tricks(name, value)
    try:
        message[name] = value
    except (ValueError, MessageError) as error:
        raise NoMail(f"the header {name!a} cannot be written, or stands there already") from error


def _refuse_tricks(name: str, value: str) -> None:
    """Refuse what could end the header it stands in."""
    if any(ord(letter) < ord(" ") or letter == "\x7f" for letter in value):
        raise NoMail(f"the header {name!a} holds a control character")
    if _ENCODED_WORD.search(value):
        raise NoMail(f"the header {name!a} holds =?…?=, which would be decoded; write the text itself")
