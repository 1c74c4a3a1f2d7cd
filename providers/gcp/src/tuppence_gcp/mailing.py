"""What both mailers have in common: options, what a mail is checked for, and when one is in doubt.

A request goes over a connection of its own: a kept one that the service closes in the meantime would leave
the next mail in doubt.
"""

from __future__ import annotations

import http.client
import re
from collections.abc import Mapping
from email.headerregistry import Address
from typing import Final, NamedTuple

import msgspec

from tuppence.clock import Deadline
from tuppence.connection import Answer, Connection, unreached
from tuppence.drivers import Context, Email
from tuppence.errors import ConfigError, DriverError, ErrorCode
from tuppence.mime import NoMail, address_in, compose
from tuppence.settings import Secret
from tuppence_gcp.errors import PROVIDER, failure, too_large

SEND: Final = "mailer.send"
CHECK: Final = "mailer.check"
CHECK_WAIT: Final = 5.0
DOUBT: Final = "the mail may have been sent"
SERVER: Final = 500
_PLACE: Final = re.compile(r"https://\S+|http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?/?")
_KEY: Final = re.compile(r"[!-~]+")


class MailerOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How mail leaves. The same for both services.

    Attributes:
        api_key: a secret, by reference; without one, the environment variable that the service's own clients
            read: `SENDGRID_API_KEY` or `RESEND_API_KEY`.
        sender: the address of mails that name none; empty means the recipient's own.
        endpoint: another address of the service, as SendGrid has for Europe, or one on this machine.

    """

    api_key: Secret | None = None
    sender: str = ""
    endpoint: str = ""

    def __post_init__(self) -> None:
        """Refuse an address to which the key would go unencrypted."""
        if self.endpoint and not _PLACE.fullmatch(self.endpoint):
            raise ValueError(f"endpoint {self.endpoint!r} must begin with https://, or be on this machine")


class Addresses(NamedTuple):
    """Who a mail is from, and whom it is to."""

    sender: Address
    to: Address


def checked(email: Email, options: MailerOptions, context: Context, *, key: str, largest: int) -> Addresses:
    """Return the addresses of a mail that can be sent. Raises `DriverError`.

    Args:
        email: what to send.
        options: who it is from where it does not say.
        context: the driver's.
        key: of idempotency.
        largest: bytes that the service takes, attachments encoded.

    """
    sender = options.sender or email.to
    try:
        message = compose(email, default_sender=sender, key=key, date=context.clock.now())
    except NoMail as error:
        raise failure(ErrorCode.INVALID, SEND, str(error)) from error
    size = len(message.as_bytes())
    if size > largest:
        raise too_large(SEND, size, largest)
    return Addresses(address_in(message, "From"), address_in(message, "To"))


def revealed(options: MailerOptions, usual: str, operation: str) -> str:
    """Return the API key, which `usual` holds where the options name no other place. Raises `DriverError`."""
    try:
        key = (options.api_key or Secret(env=usual)).reveal().strip()
    except ConfigError as error:
        raise failure(ErrorCode.UNAUTHENTICATED, operation, str(error)) from error
    if not _KEY.fullmatch(key):
        words = "the API key is empty, or holds what no key does; copy it again"
        raise failure(ErrorCode.UNAUTHENTICATED, operation, words)
    return key


def ask(
    origin: str,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    operation: str,
    deadline: Deadline,
) -> Answer:
    """Make one request. Raises `DriverError`: of a send, one that says whether the mail is in doubt."""
    if deadline.expired:
        raise failure(ErrorCode.TIMEOUT, operation, "no time is left")
    connection = Connection(origin)
    told = {"host": connection.host, **headers}
    try:
        return connection.request(method, path, told, body, deadline=deadline)
    except (OSError, http.client.HTTPException) as error:
        problem = unreached(error, operation=operation, provider=PROVIDER)
        if operation == SEND:
            problem = _unanswered(problem, deadline, handed_over=connection.handed_over)
        raise problem from error
    finally:
        connection.close()


def in_doubt(operation: str, status: int) -> DriverError:
    """Return what it means that the service itself failed, by its HTTP status."""
    if operation == SEND:
        return failure(ErrorCode.UNKNOWN, operation, f"status {status}; {DOUBT}")
    return failure(ErrorCode.UNAVAILABLE, operation, f"status {status}")


def seconds_in(text: str | None) -> float | None:
    """Return the seconds that a header such as `Retry-After` names, or `None`."""
    text = (text or "").strip()
    return float(text) if text.isdecimal() else None


def _unanswered(problem: DriverError, deadline: Deadline, *, handed_over: bool) -> DriverError:
    """Return what it means for a mail that no answer came. Until it is handed over, it was not sent."""
    if handed_over:
        late = problem.code is ErrorCode.TIMEOUT
        code = ErrorCode.TIMEOUT if late else ErrorCode.UNKNOWN
        return failure(code, SEND, f"{'did not answer in time' if late else 'fell silent'}; {DOUBT}")
    if problem.code is not ErrorCode.TIMEOUT:
        return problem
    code = ErrorCode.TIMEOUT if deadline.expired else ErrorCode.UNAVAILABLE
    return failure(code, SEND, "cannot be reached in time; the mail was not sent")
