"""The other mailer: Resend, by requests of our own.

Options: `tuppence_gcp.mailing.MailerOptions`.
Delivery: the same idempotency key is sent once within 24 hours, and answered with the same id. `TIMEOUT` and
`UNKNOWN` mean that the mail may have been sent, and asking again is safe; every other error means that it was
not.
Limits: 40 MB a mail, attachments encoded; 3,000 mails a month and 100 a day are free; senders of domains that
Resend has verified. Whether an attachment may be empty is not verified.
https://resend.com/docs/api-reference/emails/send-email, https://resend.com/docs/api-reference/errors,
https://resend.com/docs/dashboard/emails/idempotency-keys and https://github.com/resend/resend-openapi, read
November 2026.
Errors: by the name that Resend gives each, else by HTTP status. Its own words name addresses, and are left
out.
Permissions: none of Google's; the key of the API needs Sending access.
Emulator: a server of the tests that takes and answers what the API's description says.
"""

from __future__ import annotations

import http.client
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from tuppence.clock import Deadline
from tuppence.connection import Answer, code_of
from tuppence.drivers import Context, Email, Feature, MailerDriver
from tuppence.errors import DriverError, ErrorCode
from tuppence.findings import Finding
from tuppence.mime import digest
from tuppence_gcp import __version__
from tuppence_gcp.errors import failure
from tuppence_gcp.mailing import (
    CHECK,
    CHECK_WAIT,
    SEND,
    SERVER,
    Addresses,
    MailerOptions,
    ask,
    checked,
    in_doubt,
    revealed,
    seconds_in,
)

SERVICE: Final = "https://api.resend.com"
KEY: Final = "RESEND_API_KEY"
LARGEST: Final = 40_000_000
"""Bytes of a mail."""
DOMAINS: Final = "https://resend.com/domains"
TESTING: Final = "resend.dev"
"""The domain from which everybody may mail to himself."""
UNFIT: Final = frozenset({"not_started", "pending", "failed"})
"""States of a domain for which nothing is sent."""
RESTRICTED: Final = "restricted_api_key"
"""How Resend names the refusal of all but sending, to a key that is valid."""
_DAY: Final = 86_400.0
_BAD_KEY: Final = (
    ErrorCode.UNAUTHENTICATED,
    "Resend does not know the API key; https://resend.com/api-keys makes one",
)
_SPENT: Final = (ErrorCode.THROTTLED, "the plan's mails are sent, of which the free one has 100 a day")
_NAMES: Final[Mapping[str, tuple[ErrorCode, str]]] = {
    "missing_api_key": _BAD_KEY,
    "invalid_api_key": _BAD_KEY,
    RESTRICTED: (ErrorCode.FORBIDDEN, "the API key may only send"),
    "invalid_idempotent_request": (
        ErrorCode.CONFLICT,
        "another mail was sent under the same key within 24 hours",
    ),
    "concurrent_idempotent_requests": (ErrorCode.UNKNOWN, "the same mail is being sent at this moment"),
    "daily_quota_exceeded": _SPENT,
    "monthly_quota_exceeded": _SPENT,
    "rate_limit_exceeded": (ErrorCode.THROTTLED, "Resend wants fewer calls"),
}
_UNVERIFIED: Final = (
    "Resend sends nothing for the sender, or not to this recipient: it sends for domains that are verified "
    f"at {DOMAINS}, and from {TESTING} to yourself"
)
_STATUSES: Final[Mapping[int, tuple[ErrorCode, str]]] = {
    403: (ErrorCode.FORBIDDEN, _UNVERIFIED),
    404: (ErrorCode.NOT_FOUND, "Resend is not there; mend `endpoint`, or leave it out"),
    422: (ErrorCode.INVALID, ""),
}


class _Told(msgspec.Struct):
    """An answer that was an error; of what there is, only what is read here."""

    name: str = ""
    message: str = ""


class _Sent(msgspec.Struct):
    id: str


class Domain(msgspec.Struct):
    """A domain as it is listed."""

    name: str
    status: str = ""
    open_tracking: bool = False
    click_tracking: bool = False


class _Domains(msgspec.Struct):
    data: list[Domain] = []
    has_more: bool = False


class ResendMailer(MailerDriver):
    """Mails by Resend."""

    Options = MailerOptions
    features = frozenset({Feature.IDEMPOTENT_MAIL})

    def __init__(self, options: MailerOptions, context: Context) -> None:
        super().__init__(options, context)
        self._origin = (options.endpoint or SERVICE).rstrip("/")

    def check(self) -> None:
        """Prove that the key is known, and that the sender's domain is where the key may see that."""
        listed = self.domains(CHECK, Deadline.after(CHECK_WAIT, self.context.clock))
        if self.options.sender and listed is not None and domain_of(self.options.sender) not in listed:
            words = f"Resend does not know the sender's domain; add it at {DOMAINS}"
            raise failure(ErrorCode.NOT_FOUND, CHECK, words)

    def findings(self, *, deadline: Deadline, sender: str = "", to: Sequence[str] = ()) -> Iterable[Finding]:
        """Look at the domains that mails are to come from."""
        from tuppence_gcp.findings.mail import of_resend

        return of_resend(self, deadline, sender or self.options.sender, to)

    def send(self, email: Email, /, *, idempotency_key: str, deadline: Deadline) -> str:
        """Send, and return Resend's id for the mail."""
        addresses = checked(email, self.options, self.context, key=idempotency_key, largest=LARGEST)
        headers = {"content-type": "application/json", "idempotency-key": digest(idempotency_key)}
        body = msgspec.json.encode(told_of(email, addresses))
        answer = self._asked(SEND, "POST", "/emails", headers, body, deadline)
        if not _accepted(answer):
            raise _explained(SEND, answer)
        self.context.meter.count("resend.mails")
        try:
            return msgspec.json.decode(answer.body, type=_Sent).id
        except msgspec.MsgspecError:
            return digest(idempotency_key)  # it is sent, which is more than its id

    def domains(self, operation: str, deadline: Deadline) -> Mapping[str, Domain] | None:
        """Return the domains by name; `None` where the key may not see them, or they are very many."""
        answer = self._asked(operation, "GET", "/domains?limit=100", {}, b"", deadline)
        if _named(answer).name == RESTRICTED:
            return None
        if not _accepted(answer):
            raise _explained(operation, answer)
        try:
            told = msgspec.json.decode(answer.body, type=_Domains)
        except msgspec.MsgspecError as error:
            raise failure(ErrorCode.UNAVAILABLE, operation, "the answer cannot be read") from error
        listed = {one.name.lower(): one for one in told.data}
        return None if told.has_more else {TESTING: Domain(TESTING, "verified"), **listed}

    def _asked(
        self,
        operation: str,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        deadline: Deadline,
    ) -> Answer:
        key = revealed(self.options, KEY, operation)
        who = {"authorization": f"Bearer {key}", "user-agent": f"tuppence/{__version__}"}  # refused without
        told = {**headers, **who}
        return ask(self._origin, method, path, told, body, operation=operation, deadline=deadline)


def domain_of(address: str) -> str:
    """Return the domain of an address, with or without a name beside it."""
    from email.utils import parseaddr

    return parseaddr(address)[1].rpartition("@")[2].lower()


def told_of(email: Email, addresses: Addresses) -> dict[str, Any]:
    """Return a mail as Resend is told of it. An empty text is given too: it would make one of the HTML."""
    told: dict[str, Any] = {
        "from": str(addresses.sender),
        "to": [str(addresses.to)],
        "subject": email.subject,
        "text": email.text,
    }
    if email.html:
        told["html"] = email.html
    if email.headers:
        told["headers"] = dict(email.headers)
    if email.attachments:
        told["attachments"] = [
            {
                "filename": one.name,
                "content": b64encode(one.body).decode(),
                "content_type": one.content_type,
            }
            for one in email.attachments
        ]
    return told


def _accepted(answer: Answer) -> bool:
    return http.client.OK <= answer.status < http.client.MULTIPLE_CHOICES


def _named(answer: Answer) -> _Told:
    try:
        return msgspec.json.decode(answer.body, type=_Told)
    except msgspec.MsgspecError:
        return _Told()


def _explained(operation: str, answer: Answer) -> DriverError:
    """Return what a refusal means, and what to do about it."""
    if answer.status >= SERVER:
        return in_doubt(operation, answer.status)
    told = _named(answer)
    if "API key is invalid" in told.message:  # the name of this one has changed with the years
        known = _BAD_KEY
    else:
        known = _NAMES.get(told.name) or _STATUSES.get(answer.status, (code_of(answer.status), ""))
    code, words = known
    name = told.name if told.name.isidentifier() else f"status {answer.status}"
    pause = _DAY if known is _SPENT else seconds_in(answer.headers.get("retry-after"))
    return failure(code, operation, words or name, retry_after=pause)
