"""The mailer: Communication Services, which is told of a mail and asked what became of it.

Options: `MailerOptions`.
Delivery: a mail is accepted first and handed over later; this waits for that. It is sent under an id of our
own, so where the answer was lost the service is asked whether it knows that id. What Azure documents against
repeats is a header that it remembers for five minutes, too short for a promise
(https://learn.microsoft.com/rest/api/communication/repeatable-requests, read November 2026), and of the id
only that it names the operation: so `IDEMPOTENT_MAIL` is not claimed.
`TIMEOUT` and `UNKNOWN` mean that the mail may have been sent; every other error means that it was not.
Sender: an address of a domain that is linked to the resource. The name beside it is the one that the domain
has for that address, whatever is written here.
Limits: 10 MB a request, attachments in base64; at first 30 mails a minute and 100 an hour, and from a domain
of Azure's own 5 and 10
(https://learn.microsoft.com/azure/communication-services/concepts/service-limits, read November 2026).
Errors: `tuppence_azure.communication` and `tuppence_azure.errors`.
Emulator: a fake of our own (tests/azure/mail), which checks the official client's signatures.
"""

from __future__ import annotations

import http.client
from base64 import b64encode
from collections.abc import Iterable, Sequence
from email.utils import parseaddr
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from tuppence.abandonable import AbandonableCall
from tuppence.clock import Deadline
from tuppence.drivers import Context, Email, MailerDriver, Permission, Role
from tuppence.errors import DriverError, ErrorCode
from tuppence.findings import Finding, note, wrong
from tuppence.mime import NoMail, address_in, compose, digest
from tuppence_azure.communication import VERSION, CommunicationOptions, Resource, answered, translated
from tuppence_azure.errors import PROVIDER, Refused, failure, too_large

CHECK_WAIT: Final = 10.0
CONNECT: Final = 5.0
"""Seconds for reaching the service."""
LARGEST: Final = 10_000_000
"""Bytes of a request."""
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 10.0
"""Seconds until the service is asked again what became of a mail. It may be asked ten times a minute where
the domain is Azure's own (the page of limits, as above)."""
LOOKS: Final = 3
"""How often the service is asked whether it knows a mail whose answer was lost."""
MAILS: Final = "communication.mails"
BYTES: Final = "communication.bytes"
"""Of requests; a mail is billed by both (https://azure.microsoft.com/pricing/details/communication-services/,
not verified)."""
NOBODY: Final = UUID(int=0)
"""The id of no mail."""
AZURES_OWN: Final = "azurecomm.net"
FEW: Final = 5
"""Mails a minute from a domain of Azure's own."""
_WORDS: Final = {
    "DomainNotLinked": (
        ErrorCode.NOT_FOUND,
        "the sender's domain is not linked to this resource; verify it, then connect it in the portal",
    ),
    "InvalidSenderUserName": (
        ErrorCode.INVALID,
        "the domain lacks this address; `az communication email domain sender-username create` adds it",
    ),
    "EmailDroppedAllRecipientsSuppressed": (
        ErrorCode.FORBIDDEN,
        "mails to this address came back, and Azure sends no more; see Suppression lists in the portal",
    ),
    "SubscriptionBlocked": (
        ErrorCode.FORBIDDEN,
        "Azure has blocked this subscription's mail for the sake of its reputation; ask Azure Support",
    ),
}
"""By the service's own codes, whose texts name addresses. No page lists them; these are what people met."""
_QUOTA: Final = (
    "the quota of mails, by the minute and by the hour, is used up; Azure Support raises it, but not for "
    "a domain of Azure's own"
)
_NOT_REACHED: Final = frozenset({"ServiceRequestError", "ServiceRequestTimeoutError"})
"""The SDK's errors of a connection that was never made."""


class MailerOptions(CommunicationOptions, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How mail leaves.

    Attributes:
        sender: the address of mails that name none, of a domain that is linked to the resource.

    """

    sender: str = ""


class AcsMailer(MailerDriver):
    """Mails by Communication Services."""

    Options = MailerOptions

    def __init__(self, options: MailerOptions, context: Context) -> None:
        super().__init__(options, context)
        self._resource = Resource(options)

    def check(self) -> None:
        """Prove that the resource is there and lets us in: it is asked about a mail that nobody sent.

        Whether the sender's domain is linked is seen by sending alone.
        """
        operation = "mailer.check"
        deadline = Deadline.after(CHECK_WAIT, self.context.clock)
        client = self._resource.client(operation)
        AbandonableCall("tuppence-azure-mail", PROVIDER).call(
            lambda: self._status(client, str(NOBODY), operation, deadline), operation, deadline.remaining()
        )

    def findings(self, *, deadline: Deadline, sender: str = "", to: Sequence[str] = ()) -> Iterable[Finding]:  # noqa: ARG002 - no call is made
        """Look at the sender, which has to be one of Azure's choosing. Domains are told to managers only."""
        sender = sender or self.options.sender
        if not sender and to:
            yield wrong(
                "mails name no sender, and Communication Services has none of its own",
                "Set `sender` below [report] to an address of a domain that is linked to the resource.",
            )
        if parseaddr(sender)[1].endswith(f".{AZURES_OWN}") and len(to) > FEW:
            yield note(
                f"from a domain of Azure's own go {FEW} mails a minute, and a report is {len(to)}",
                "The report waits for its turn; a verified domain of your own sends more.",
            )

    def permissions(self, role: Role, /) -> Sequence[Permission]:
        """Return the actions that sending takes, which are of the resource's management.

        https://learn.microsoft.com/azure/communication-services/quickstarts/email/send-email-smtp/smtp-authentication;
        not verified for the interface that is used here.
        """
        if role is not Role.REPORTER:
            return ()
        name = (urlsplit(self.options.endpoint).hostname or "").partition(".")[0] or "*"
        resource = f"Microsoft.Communication/communicationServices/{name}"
        return [
            Permission(
                action=f"Microsoft.Communication/{action}",
                resource=f"/subscriptions/*/resourceGroups/*/providers/{resource}",
            )
            for action in ("communicationServices/read", "communicationServices/write", "emailServices/write")
        ]

    def send(self, email: Email, /, *, idempotency_key: str, deadline: Deadline) -> str:
        """Send, wait until the mail is handed over, and return its id, which is made of the key."""
        operation = "mailer.send"
        told = self._told(email, idempotency_key, operation)
        if deadline.expired:
            raise failure(ErrorCode.TIMEOUT, operation, "no time is left")
        sending = _Sending(
            self._resource.client(operation), str(UUID(hex=digest(idempotency_key), version=4)), self.context
        )
        try:
            AbandonableCall("tuppence-azure-mail", PROVIDER).call(
                lambda: sending.send(told, deadline), operation, deadline.remaining()
            )
        finally:  # a kept connection that is closed in the meantime would leave the next mail in doubt
            self._resource.close()
        return sending.id

    def close(self) -> None:
        """Let the connections go."""
        self._resource.close()

    def _status(self, client: Any, mail_id: str, operation: str, deadline: Deadline) -> None:
        try:
            _asked(client, mail_id, operation, deadline)
        except Refused as error:
            if error.code is not ErrorCode.NOT_FOUND:
                raise
            if not error.name:  # it is the service that knows no mail, and names its error
                words = "there is no Communication Services resource; mend `endpoint`"
                raise failure(ErrorCode.NOT_FOUND, operation, words) from error

    def _told(self, email: Email, key: str, operation: str) -> dict[str, Any]:
        """Return a mail as the service is told of it. What could not be a mail is refused here."""
        sender = email.sender or self.options.sender
        if not sender:
            words = "the mail names no sender; set `sender` to an address of a domain that is linked"
            raise failure(ErrorCode.INVALID, operation, words)
        try:
            message = compose(email, default_sender=sender, key=key, date=self.context.clock.now())
        except NoMail as error:
            raise failure(ErrorCode.INVALID, operation, str(error)) from error
        to = address_in(message, "To")
        told = {
            "senderAddress": address_in(message, "From").addr_spec,
            "recipients": {"to": [{"address": to.addr_spec, "displayName": to.display_name}]},
            "content": {"subject": email.subject, "plainText": email.text},
            "headers": dict(email.headers),
            "attachments": [
                {
                    "name": one.name,
                    "contentType": one.content_type,
                    "contentInBase64": b64encode(one.body).decode(),
                }
                for one in email.attachments
            ],
        }
        if email.html:
            told["content"]["html"] = email.html  # type: ignore[index]  # a table, as written above
        size = len(msgspec.json.encode(told))
        if size > LARGEST:
            raise too_large(operation, size, LARGEST)
        return told


class _Sending:
    """One mail on its way."""

    def __init__(self, client: Any, mail_id: str, context: Context) -> None:
        self._client = client
        self._context = context
        self.id = mail_id

    def send(self, told: dict[str, Any], deadline: Deadline) -> None:
        """Hand a mail over, and wait until it has left. Raises `DriverError`."""
        operation = "mailer.send"
        try:
            with translated(operation):
                answer = self._client.begin_send(
                    told, operation_id=self.id, polling=False, **_patience(deadline)
                ).result()
        except DriverError as error:
            if not _in_doubt(error):
                raise _explained(error, operation) from error
            answer = self._looked_for(error, operation, deadline)
        self._context.meter.count(MAILS)
        self._context.meter.count(BYTES, len(msgspec.json.encode(told)))
        self._wait(answer, operation, deadline)

    def _looked_for(self, error: DriverError, operation: str, deadline: Deadline) -> Any:
        """Return what the service says of a mail whose answer was lost. Raises, where it knows of none."""
        clock = self._context.clock
        for look in range(LOOKS):
            pause = FIRST_PAUSE * look
            if pause >= deadline.remaining():
                break
            clock.sleep(pause)
            try:
                return _asked(self._client, self.id, operation, deadline)
            except DriverError:
                continue  # the doubt stays, whatever keeps us from asking
        if error.code is ErrorCode.TIMEOUT:
            raise error
        words = f"{error.message}; the mail may have been sent"
        raise failure(ErrorCode.UNKNOWN, operation, words) from error

    def _wait(self, answer: Any, operation: str, deadline: Deadline) -> None:
        """Wait until a mail that was accepted has been sent, or was not. Raises `DriverError`."""
        pause = FIRST_PAUSE
        while True:
            status = answer.get("status") if isinstance(answer, dict) else None
            if status == "Succeeded":
                return
            if status in {"Failed", "Canceled"}:
                raise _not_sent(answer, operation)
            if pause >= deadline.remaining():
                words = "the mail was accepted, and had not left when time was up; it may be sent"
                raise failure(ErrorCode.TIMEOUT, operation, words)
            self._context.clock.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
            try:
                answer = _asked(self._client, self.id, operation, deadline)
            except DriverError as error:  # it was accepted, so only time ends the asking
                pause = max(pause, error.retry_after or 0.0)


def _asked(client: Any, mail_id: str, operation: str, deadline: Deadline) -> Any:
    """Return what the service says of a mail. Raises `DriverError`."""
    from azure.core.rest import HttpRequest

    path = f"{{endpoint}}/emails/operations/{mail_id}?api-version={VERSION}"
    with translated(operation):
        response = client.send_request(HttpRequest("GET", path), **_patience(deadline))
        if response.status_code == http.client.OK:
            return response.json()
    raise answered(operation, response)


def _patience(deadline: Deadline) -> dict[str, float]:
    left = max(deadline.remaining(), 0.1)
    return {"connection_timeout": min(CONNECT, left), "read_timeout": left}


def _in_doubt(error: DriverError) -> bool:
    """Whether a mail that was handed over may have been accepted, or an earlier one under its id was."""
    if error.code in {ErrorCode.TIMEOUT, ErrorCode.ALREADY_EXISTS, ErrorCode.UNKNOWN}:
        return True
    return error.code is ErrorCode.UNAVAILABLE and type(error.__cause__).__name__ not in _NOT_REACHED


def _explained(error: DriverError, operation: str) -> DriverError:
    """Return what the service refused with what to do about it, where that is known."""
    if error.code is ErrorCode.THROTTLED:
        return failure(error.code, operation, _QUOTA, retry_after=error.retry_after)
    known = _WORDS.get(getattr(error, "name", ""))
    return failure(known[0], operation, known[1]) if known else error


def _not_sent(answer: Any, operation: str) -> DriverError:
    """Return why a mail that was accepted was not sent after all."""
    told = answer.get("error")
    name = str(told.get("code", "")) if isinstance(told, dict) else ""
    known = _WORDS.get(name)
    if known:
        return failure(known[0], operation, known[1])
    words = f"the mail was accepted and not sent: {name if name.isalnum() else answer['status']}"
    return failure(ErrorCode.FORBIDDEN, operation, words)
