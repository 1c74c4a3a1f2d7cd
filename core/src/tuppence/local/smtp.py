"""One conversation with an SMTP server, bounded by a deadline, its failures as codes."""

from __future__ import annotations

import ipaddress
import re
import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any, Final

from tuppence.clock import Deadline
from tuppence.connection import Timed
from tuppence.errors import ConfigError, DriverError, ErrorCode
from tuppence.local.errors import failure
from tuppence.mime import address_in

if TYPE_CHECKING:
    from tuppence.local.mailer import MailerOptions

PORTS: Final = {"starttls": 587, "tls": 465, "none": 25}

_CODES: Final = {
    421: ErrorCode.UNAVAILABLE,
    450: ErrorCode.THROTTLED,
    452: ErrorCode.THROTTLED,
    523: ErrorCode.TOO_LARGE,
    530: ErrorCode.UNAUTHENTICATED,
    534: ErrorCode.UNAUTHENTICATED,
    535: ErrorCode.UNAUTHENTICATED,
    538: ErrorCode.UNAUTHENTICATED,
    552: ErrorCode.TOO_LARGE,
}
"""Replies (https://www.rfc-editor.org/rfc/rfc5321#section-4.2.3, rfc4954) that say more than their class."""
_POLICY_REFUSAL: Final = re.compile(rb"5\.7\.\d{1,3}\b")
"""Enhanced status codes (https://www.rfc-editor.org/rfc/rfc3463) that mean "you may not"."""


def send(options: MailerOptions, message: EmailMessage, deadline: Deadline) -> None:
    """Hand a message over. Raises `DriverError`; `TIMEOUT` and `UNKNOWN` leave open whether it was sent."""
    content = message.as_bytes()
    with connect(options, "mailer.send", deadline) as client:
        size = [f"size={len(content)}"] if client.has_extn("size") else []
        _expect(client.mail(address_in(message, "From").addr_spec, size))
        _expect(client.rcpt(address_in(message, "To").addr_spec))
        client.handed_over = True
        _expect(client.data(content))
        client.handed_over = False


@contextmanager
def connect(options: MailerOptions, operation: str, deadline: Deadline) -> Iterator[_Client]:
    """Lend a connection that is encrypted and logged in as the options say."""
    if options.username and options.security == "none" and not _is_loopback(options.host):
        raise failure(ErrorCode.INVALID, operation, "no login without TLS; set security to starttls or tls")
    client = _Client(options, _trust(options, operation), deadline)
    try:
        try:
            client.open()
            yield client
        except (OSError, smtplib.SMTPException) as error:
            raise _translated(error, client, operation) from error
        except ConfigError as error:
            raise failure(ErrorCode.INVALID, operation, str(error)) from error
        with suppress(OSError, smtplib.SMTPException):  # the mail is accepted; the farewell changes nothing
            client.quit()
    finally:
        client.close()


class _Client(smtplib.SMTP):
    """An SMTP client none of whose steps outlasts the deadline.

    `handed_over` is true from the moment the server may have the mail until it has answered.
    """

    def __init__(self, options: MailerOptions, trust: ssl.SSLContext, deadline: Deadline) -> None:
        self.file: Any = None
        self._timed: Timed
        self.handed_over = False
        self.options = options
        self.trust = trust
        self.deadline = deadline
        name = socket.gethostname()
        super().__init__(local_hostname=name if "." in name else "[127.0.0.1]")

    def open(self) -> None:
        """Connect, encrypt and log in."""
        options = self.options
        self._host = options.host  # what `starttls` checks the certificate against
        _expect(self.connect(options.host, options.port or PORTS[options.security]))
        if options.security == "starttls":
            self.starttls(context=self.trust)
        self.ehlo_or_helo_if_needed()
        if options.username:
            self._log_in(options.username, options.password.reveal() if options.password else "")

    def send(self, s: Any) -> None:
        """Send within the time left."""
        self._limit()
        super().send(s)

    def getreply(self) -> tuple[int, bytes]:
        """Read one reply within the time left, also where it comes a byte at a time."""
        self._limit()
        if self.file is None and self.sock is not None:
            self._timed = Timed(self.sock)
            self.file = self._timed.makefile("rb")
        if self.file is not None:
            self._timed.deadline = self.deadline.within(self.options.timeout.total_seconds())
        return super().getreply()

    def _log_in(self, username: str, password: str) -> None:
        if not (username + password).isascii():
            raise ConfigError("username and password must be ASCII; SMTP's logins know nothing else")
        self.login(username, password)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:  # noqa: ARG002 - ours is used
        connection = socket.create_connection((host, port), self._left())
        if self.options.security != "tls":
            return connection
        connection.settimeout(self._left())
        return self.trust.wrap_socket(connection, server_hostname=host)

    def _limit(self) -> None:
        if self.sock is not None:
            self.sock.settimeout(self._left())

    def _left(self) -> float:
        left = self.deadline.remaining()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        return min(left, self.options.timeout.total_seconds())


def _trust(options: MailerOptions, operation: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=options.ca_file or None)
    except OSError as error:
        raise failure(
            ErrorCode.INVALID, operation, f"ca_file {options.ca_file} holds no certificates"
        ) from error


def _expect(reply: tuple[int, bytes]) -> None:
    code, text = reply
    if code not in _FINE:
        raise smtplib.SMTPResponseException(code, text)


_FINE: Final = frozenset({220, 250, 251})


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def _translated(error: Exception, client: _Client, operation: str) -> DriverError:
    """Return what went wrong, without the server's words: they repeat addresses."""
    where = f"{client.options.host}:{client.options.port or PORTS[client.options.security]}"
    if isinstance(error, smtplib.SMTPResponseException):
        code = _of_reply(error.smtp_code, error.smtp_error)
        return failure(code, operation, f"{where} answered {error.smtp_code}")
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return failure(ErrorCode.UNSUPPORTED, operation, f"{where} does not offer STARTTLS or this login")
    if isinstance(error, ssl.SSLCertVerificationError):
        words = f"the certificate of {where} is not trusted ({error.verify_message}); see ca_file"
        return failure(ErrorCode.INVALID, operation, words)
    code, words = _of_silence(error, client)
    return failure(code, operation, f"{where}: {words}")


def _of_silence(error: Exception, client: _Client) -> tuple[ErrorCode, str]:
    """Return what it means that no answer came."""
    if client.handed_over:
        code = ErrorCode.TIMEOUT if client.deadline.expired else ErrorCode.UNKNOWN
        return code, "fell silent; the mail may have been sent"
    if client.deadline.expired:
        return ErrorCode.TIMEOUT, "took too long; the mail was not sent"
    if isinstance(error, socket.gaierror) and error.errno != socket.EAI_AGAIN:
        return ErrorCode.NOT_FOUND, "there is no such host"
    return ErrorCode.UNAVAILABLE, f"{type(error).__name__}; is it the right host, port and security?"


def _of_reply(code: int, text: bytes | str) -> ErrorCode:
    if code in _CODES:
        return _CODES[code]
    if code < 500:  # noqa: PLR2004 - the class of replies that may change their mind
        return ErrorCode.UNAVAILABLE
    words = text if isinstance(text, bytes) else text.encode()
    return ErrorCode.FORBIDDEN if _POLICY_REFUSAL.match(words) else ErrorCode.INVALID
