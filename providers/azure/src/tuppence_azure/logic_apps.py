"""The mailer that hands a mail to a workflow of Logic Apps, to be sent from the mailbox that it has.

Options: `LogicAppsOptions`. The workflow is yours; docs/how-to/logic-apps-mail.json is one.
Delivery: one request. There is no idempotency: `TIMEOUT` and `UNKNOWN` mean that the mail may have been sent;
every other error means that it was not. A workflow that answers only after it has sent says more than one
that does not; two minutes are what Logic Apps gives it
(https://learn.microsoft.com/azure/logic-apps/logic-apps-limits-and-configuration, not verified).
What arrives is what the workflow makes of it: the connector of Office 365 takes no headers and no text beside
the HTML, and writes its mailbox as the sender.
Limits: 100 MB a request (the page as above, not verified); ours is that of Communication Services.
Errors: `tuppence_azure.errors`.
Emulator: a fake of our own (tests/azure/mail).
"""

from __future__ import annotations

import http.client
from base64 import b64encode
from collections.abc import Iterable, Sequence
from email.utils import parseaddr
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import msgspec

from tuppence.clock import Deadline
from tuppence.connection import Answer, Connection, unreached
from tuppence.drivers import Context, Email, MailerDriver
from tuppence.errors import DriverError, ErrorCode
from tuppence.findings import Finding, note
from tuppence.mime import NoMail, address_in, compose, digest
from tuppence.settings import Secret
from tuppence_azure.credentials import revealed
from tuppence_azure.errors import PROVIDER, Refused, answered, failure, too_large

CHECK_WAIT: Final = 10.0
LARGEST: Final = 10_000_000
"""Bytes of a request."""
UNIT: Final = "logic_apps.requests"
"""Each begins a run, of which every action is billed.

https://azure.microsoft.com/pricing/details/logic-apps/, read November 2026.
"""
_OTHER_METHOD: Final = "TriggerRequestMethodNotValid"
"""What a trigger says to a request that is signed and is no POST. The workflow does not run."""
_WORDS: Final = {
    "WorkflowTriggerIsNotEnabled": (
        ErrorCode.NOT_FOUND,
        "the workflow is disabled or was deleted; enable it in the portal",
    ),
    "WorkflowNotFound": (ErrorCode.NOT_FOUND, "there is no such workflow; copy the trigger's URL anew"),
    "DirectApiAuthorizationRequired": (
        ErrorCode.UNAUTHENTICATED,
        "the trigger's URL lacks its signature; copy all of it",
    ),
    "AuthorizationFailed": (
        ErrorCode.UNAUTHENTICATED,
        "the trigger's URL is signed with a key that was replaced; copy it anew",
    ),
}
"""By the service's own codes. No page lists them: they are those that people met."""
_LOST: Final = (http.client.HTTPException, ConnectionResetError, BrokenPipeError)
"""What breaks a connection that was made."""
_LOCAL: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class LogicAppsOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which workflow.

    Attributes:
        trigger: the URL of its HTTP trigger, a secret, since whoever has it sends mail.
        sender: the address of mails that name none; empty means the recipient's own.

    """

    trigger: Secret | None = None
    sender: str = ""


class LogicAppsMailer(MailerDriver):
    """Mails by a workflow of Logic Apps."""

    Options = LogicAppsOptions

    def __init__(self, options: LogicAppsOptions, context: Context) -> None:
        super().__init__(options, context)
        self._connection: Connection | None = None

    def check(self) -> None:
        """Prove that the trigger is there and takes our signature, by a request that it does not run for."""
        operation = "mailer.check"
        deadline = Deadline.after(CHECK_WAIT, self.context.clock)
        try:
            self._call(operation, "GET", b"", {}, deadline)
        except Refused as error:
            if error.name != _OTHER_METHOD and error.code is not ErrorCode.UNSUPPORTED:
                raise _explained(error, operation) from error
        finally:
            self.close()

    def findings(self, *, deadline: Deadline, sender: str = "", to: Sequence[str] = ()) -> Iterable[Finding]:  # noqa: ARG002 - no call is made
        """Say whose address a mail bears: the workflow's connection has a mailbox of its own."""
        if parseaddr(sender or self.options.sender)[1] and to:
            yield note("whether mails bear the `sender` is for the workflow to say, and for its mailbox")

    def send(self, email: Email, /, *, idempotency_key: str, deadline: Deadline) -> str:
        """Send, and return the id of the workflow's run, or what stands for the key where none was told."""
        operation = "mailer.send"
        body = self._told(email, idempotency_key, operation)
        if deadline.expired:
            raise failure(ErrorCode.TIMEOUT, operation, "no time is left")
        name = digest(idempotency_key)
        headers = {"content-type": "application/json", "x-ms-client-tracking-id": name}
        try:
            answer = self._call(operation, "POST", body, headers, deadline)
        except DriverError as error:
            raise _explained(error, operation) from error.__cause__
        finally:  # a kept connection that is closed in the meantime would leave the next mail in doubt
            self.close()
        self.context.meter.count(UNIT)
        return answer.headers.get("x-ms-workflow-run-id", name)

    def close(self) -> None:
        """Let the connection go. The next call makes a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _told(self, email: Email, key: str, operation: str) -> bytes:
        """Return a mail as the workflow is told of it. What could not be a mail is refused here."""
        sender = self.options.sender or email.to
        try:
            message = compose(email, default_sender=sender, key=key, date=self.context.clock.now())
        except NoMail as error:
            raise failure(ErrorCode.INVALID, operation, str(error)) from error
        told = {
            "id": digest(key),
            "from": str(address_in(message, "From")),
            "to": address_in(message, "To").addr_spec,
            "subject": email.subject,
            "text": email.text,
            "html": email.html,
            "headers": dict(email.headers),
            "attachments": [
                {  # named as Office 365's connector wants them
                    "Name": one.name,
                    "ContentType": one.content_type,
                    "ContentBytes": b64encode(one.body).decode(),
                }
                for one in email.attachments
            ],
        }
        body = msgspec.json.encode(told)
        if len(body) > LARGEST:
            raise too_large(operation, len(body), LARGEST)
        return body

    def _call(
        self, operation: str, method: str, body: bytes, headers: dict[str, str], deadline: Deadline
    ) -> Answer:
        """Make one request of the trigger. Raises `DriverError`, which is `Refused` where it answered."""
        found = self._trigger(operation)
        if self._connection is None:
            self._connection = Connection(f"{found.scheme}://{found.netloc}")
        told: dict[str, Any] = {**headers, "host": self._connection.host, "content-length": str(len(body))}
        path = f"{found.path}?{found.query}" if found.query else found.path
        try:
            got = self._connection.request(method, path, told, body, deadline=deadline)
        except (OSError, http.client.HTTPException) as error:
            raise unreached(error, operation=operation, provider=PROVIDER) from error
        if not http.client.OK <= got.status < http.client.MULTIPLE_CHOICES:
            raise answered(operation, got)
        return got

    def _trigger(self, operation: str) -> SplitResult:
        """Return the trigger's URL. Raises `DriverError` without repeating it."""
        if self.options.trigger is None:
            words = "no workflow is known; set `trigger` to the URL of its HTTP trigger, by reference"
            raise failure(ErrorCode.INVALID, operation, words)
        found = urlsplit(revealed(self.options.trigger, operation).strip())
        if found.scheme not in {"https", "http"} or not found.hostname:
            words = "the trigger is no URL; copy that of the workflow's HTTP trigger from the portal"
            raise failure(ErrorCode.INVALID, operation, words)
        if found.scheme == "http" and found.hostname not in _LOCAL:
            words = "a mail is handed over nowhere unencrypted; the trigger's URL begins with https"
            raise failure(ErrorCode.INVALID, operation, words)
        return found


def _explained(error: DriverError, operation: str) -> DriverError:
    """Return the error of a call with what to do about it; `UNKNOWN` where the mail may have gone out."""
    known = _WORDS.get(getattr(error, "name", ""))
    if known:
        return failure(known[0], operation, known[1])
    lost = isinstance(error, Refused) or isinstance(error.__cause__, _LOST)
    if error.code is not ErrorCode.UNAVAILABLE or not lost:
        return error
    words = f"{error.message.partition(';')[0]}; the mail may have been sent"
    return failure(ErrorCode.UNKNOWN, operation, words)
