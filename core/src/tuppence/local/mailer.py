"""The embedded mailer: speaks SMTP, or writes `.eml` files where no host is set.

Options: `MailerOptions`.
Delivery: SMTP has no idempotency. `TIMEOUT` and `UNKNOWN` mean that the mail may have been sent; every other
error means that it was not. A file is written once for a key.
Errors: `tuppence.local.smtp` and `tuppence.local.errors`.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Sequence
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Final, Literal

import msgspec

from tuppence.clock import Deadline
from tuppence.drivers import Context, Email, Feature, MailerDriver
from tuppence.errors import ErrorCode
from tuppence.findings import Finding, note
from tuppence.local import smtp
from tuppence.local.errors import failure, from_os
from tuppence.mime import NoMail, compose, digest
from tuppence.settings import Secret

LONGEST_CHECK: Final = 20.0
_SLUG: Final = 60


class MailerOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How mail leaves.

    Attributes:
        host: the SMTP server; empty writes `.eml` files into `directory`.
        port: 0 means the usual one: 587 with STARTTLS, 465 with TLS, 25 without.
        security: `starttls`, `tls` from the first byte, or `none`.
        username, password: for a server that wants a login; never sent unencrypted except to this machine.
        sender: the From address of mails that name none; empty means the recipient's own.
        directory: where files go; made when first used, within a folder that exists.
        ca_file: certificates to trust instead of the machine's.
        timeout: how long one step of the conversation may take.

    """

    host: str = ""
    port: int = 0
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str = ""
    password: Secret | None = None
    sender: str = ""
    directory: str = "outbox"
    ca_file: str = ""
    timeout: timedelta = timedelta(seconds=15)


class LocalMailer(MailerDriver):
    """Hands mail to an SMTP server, or to a folder."""

    Options = MailerOptions
    features = frozenset({Feature.WRITES_FILES})

    def __init__(self, options: MailerOptions, context: Context) -> None:
        super().__init__(options, context)
        self._directory = Path(options.directory).absolute()
        if options.host:
            self.features = frozenset()

    def check(self) -> None:
        """Prove that the server lets us in, or that the folder can be written."""
        if self.options.host:
            deadline = Deadline.after(LONGEST_CHECK, self.context.clock)
            with smtp.connect(self.options, "mailer.check", deadline) as client:
                client.noop()
        else:
            self._write("mailer.check", None, b"")

    def findings(self, *, deadline: Deadline, sender: str = "", to: Sequence[str] = ()) -> Iterable[Finding]:  # noqa: ARG002 - no call is made
        """Say when mail goes into a folder, which few people read."""
        if not self.options.host and to:
            yield note(
                f"mails are written into {self._directory} and sent to nobody",
                "Name an SMTP `host` below [mailer].",
            )

    def send(self, email: Email, /, *, idempotency_key: str, deadline: Deadline) -> str:
        """Send, and return the Message-ID, made from `idempotency_key`; or write, and return the path."""
        if deadline.expired:
            raise failure(ErrorCode.TIMEOUT, "mailer.send", "no time is left")
        message = self._composed(email, idempotency_key)
        if self.options.host:
            smtp.send(self.options, message, deadline)
            mail_id = str(message["Message-ID"])
        else:
            mail_id = str(self._file(idempotency_key, message))
        self.context.meter.count("local.mailer.mails")
        return mail_id

    def _composed(self, email: Email, key: str) -> EmailMessage:
        sender = self.options.sender or email.to
        try:
            return compose(email, default_sender=sender, key=key, date=self.context.clock.now())
        except NoMail as error:
            raise failure(ErrorCode.INVALID, "mailer.send", str(error)) from error

    def _file(self, key: str, message: EmailMessage) -> Path:
        """Return the file that holds the mail, written unless it is there."""
        earlier = next(self._directory.glob(f"*{_ending(key)}"), None)
        if earlier is not None:
            return earlier
        name = f"{self.context.clock.now():%Y-%m-%d}{_ending(key)}"
        self._write("mailer.send", name, message.as_bytes())
        return self._directory / name

    def _write(self, operation: str, name: str | None, content: bytes) -> None:
        """Write a file whole or not at all, for its owner alone; without a name, only try."""
        try:
            self._directory.mkdir(mode=0o700, exist_ok=True)
            file, temporary = tempfile.mkstemp(dir=self._directory, prefix=".", suffix=".tmp")
            try:
                with os.fdopen(file, "wb") as open_file:
                    open_file.write(content)
                    open_file.flush()
                    os.fsync(file)
                if name is not None:
                    Path(temporary).replace(self._directory / name)
            finally:
                Path(temporary).unlink(missing_ok=True)
        except OSError as error:
            raise from_os(error, operation, self._directory) from error


def _ending(key: str) -> str:
    """Return the part of a file's name that stands for a key: readable, and its digest."""
    readable = re.sub(r"[^A-Za-z0-9._-]+", "-", key)[:_SLUG]
    return f".{readable}.{digest(key)[:8]}.eml"
