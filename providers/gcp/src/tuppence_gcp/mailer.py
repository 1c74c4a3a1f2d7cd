"""The mailer: SendGrid, by its own client, which is loaded when something is asked of it.

Google has no mailer of its own. SMTP (`provider = "local"`) and Resend (`service = "resend"`) do as well, and
have a free tier, which SendGrid's trial of 60 days is not.

Options: `tuppence_gcp.mailing.MailerOptions`.
Delivery: SendGrid has no idempotency. `TIMEOUT` and `UNKNOWN` mean that the mail may have been sent; every
other error means that it was not. The id returned is SendGrid's `X-Message-Id`.
Limits: 30 MB a mail, no attachment without a byte, and in a recipient's name no `,` or `;`: such a name is
left out. That letters beyond ASCII in the sender's name arrive, SendGrid does not promise.
https://docs.sendgrid.com/api-reference/mail-send/limitations and
https://www.twilio.com/docs/sendgrid/api-reference/mail-send/errors, read November 2026. That attachments, as
texts, must have a letter at least is not verified.
Errors: by HTTP status. SendGrid's own words name addresses, and are left out.
Permissions: none of Google's; the key of the API needs Mail Send.
Emulator: a server of the tests that answers as the API is documented to, checked by the official client.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from email.headerregistry import Address
from functools import partial
from typing import Any, Final

from tuppence.clock import Deadline
from tuppence.connection import code_of
from tuppence.drivers import Context, Email, MailerDriver
from tuppence.errors import DriverError, ErrorCode
from tuppence.findings import Finding
from tuppence.mime import digest
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

SERVICE: Final = "https://api.sendgrid.com"
KEY: Final = "SENDGRID_API_KEY"
LARGEST: Final = 30_000_000
"""Bytes of a mail."""
ENDED: Final = (
    "SendGrid has ended its free plan: an account that nobody pays for sends 100 mails a day for 60 days, "
    "and then none"
)
"""https://support.sendgrid.com/hc/en-us/articles/35270136965403, read November 2026."""
OTHERS: Final = (
    'SMTP (`[mailer] provider = "local"`) and Resend (`service = "resend"`) do the same, with free tiers.'
)
SENDER: Final = (
    "SendGrid sends nothing for the sender: verify the address, or authenticate its domain, under Settings, "
    "Sender Authentication"
)
_WORDS: Final[Mapping[int, str]] = {
    401: "SendGrid does not know the API key; make one under Settings, API Keys",
    403: "the API key may not do this, or the account may not send: see whether the key has Mail Send. "
    + ENDED,
    404: "SendGrid is not there; mend `endpoint`, or leave it out",
    413: "the mail is larger than SendGrid takes",
}
_CREDITS: Final = "Maximum credits exceeded"
"""How SendGrid answers, with 401, an account that has sent its plan's mails, or whose trial is over.

https://www.twilio.com/docs/api/errors/60603, read November 2026.
"""
_THROTTLED: Final = 429
_RESET: Final = "X-RateLimit-Reset"
"""When calls are taken again, in seconds since 1970.

https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/rate-limits, November 2026.
"""
_UNTRACKED: Final = {
    "click_tracking": {"enable": False, "enable_text": False},
    "open_tracking": {"enable": False},
}
"""A report holds nothing remote, and its links lead where they say."""


class SendGridMailer(MailerDriver):
    """Mails by SendGrid."""

    Options = MailerOptions

    def __init__(self, options: MailerOptions, context: Context) -> None:
        super().__init__(options, context)
        self.origin = (options.endpoint or SERVICE).rstrip("/")

    def check(self) -> None:
        """Prove that the key may send, and that the sender is known where the key may see that."""
        deadline = Deadline.after(CHECK_WAIT, self.context.clock)
        if "mail.send" not in self.told(CHECK, "/v3/scopes", deadline).get("scopes", ()):
            raise failure(ErrorCode.FORBIDDEN, CHECK, "the API key may not send; give it Mail Send")
        if self.options.sender and self.knows(self.options.sender, CHECK, deadline) is False:
            raise failure(ErrorCode.NOT_FOUND, CHECK, SENDER)

    def findings(self, *, deadline: Deadline, sender: str = "", to: Sequence[str] = ()) -> Iterable[Finding]:
        """Look at the plan, and at the addresses that mails are to come from."""
        from tuppence_gcp.findings.mail import of_sendgrid

        return of_sendgrid(self, deadline, sender or self.options.sender, to)

    def send(self, email: Email, /, *, idempotency_key: str, deadline: Deadline) -> str:
        """Send, and return SendGrid's id for the mail."""
        addresses = checked(email, self.options, self.context, key=idempotency_key, largest=LARGEST)
        if not all(attachment.body for attachment in email.attachments):
            raise failure(ErrorCode.INVALID, SEND, "SendGrid takes no attachment that is empty")
        answer = self._asked(SEND, "POST", "/v3/mail/send", told_of(email, addresses), deadline)
        self.context.meter.count("sendgrid.mails")
        return str(answer.headers.get("X-Message-Id") or digest(idempotency_key))

    def told(self, operation: str, path: str, deadline: Deadline) -> Any:
        """Return what SendGrid tells under a path. Raises `DriverError`."""
        answer = self._asked(operation, "GET", path, None, deadline)
        try:
            return json.loads(answer.body)
        except ValueError as error:
            raise failure(ErrorCode.UNAVAILABLE, operation, "the answer cannot be read") from error

    def knows(self, address: str, operation: str, deadline: Deadline) -> bool | None:
        """Return whether an address, or its domain, is verified; `None` where the key may not see that.

        https://www.twilio.com/docs/sendgrid/api-reference/sender-verification, read November 2026.
        """
        plain = _plain(address)
        try:
            senders = self.told(operation, "/v3/verified_senders", deadline).get("results", ())
            if any(one.get("verified") and one.get("from_email", "").lower() == plain for one in senders):
                return True
            domains = self.told(operation, "/v3/whitelabel/domains", deadline)
        except DriverError as error:
            if error.code in {ErrorCode.FORBIDDEN, ErrorCode.UNAUTHENTICATED}:
                return None
            raise
        valid = {str(one.get("domain", "")).lower() for one in domains if one.get("valid")}
        return plain.rpartition("@")[2] in valid

    def _asked(self, operation: str, method: str, path: str, body: Any, deadline: Deadline) -> Any:
        """Make one request by SendGrid's client; return its answer."""
        from python_http_client.exceptions import HTTPError

        from tuppence_gcp.sendgrid_client import client_of

        key = revealed(self.options, KEY, operation)
        bounded = partial(ask, self.origin, operation=operation, deadline=deadline)
        client = client_of(key, self.origin, bounded)
        for part in path.removeprefix("/v3/").split("/"):
            client = client._(part)
        try:
            return getattr(client, method.lower())(request_body=body)
        except HTTPError as error:
            raise self._explained(operation, error) from error

    def _explained(self, operation: str, error: Any) -> DriverError:
        """Return what a refusal means, and what to do about it."""
        status = int(error.status_code)
        if status >= SERVER:
            return in_doubt(operation, status)
        if status == _THROTTLED:
            words = "SendGrid wants fewer calls"
            return failure(ErrorCode.THROTTLED, operation, words, retry_after=self._pause(error.headers))
        fields, said = _complaints(error.body)
        if any(_CREDITS in words for words in said):
            words = f"the account may send no more for now, or not at all. {ENDED}"
            return failure(ErrorCode.FORBIDDEN, operation, words)
        if any("verified Sender Identity" in words for words in said):
            return failure(ErrorCode.FORBIDDEN, operation, SENDER)
        which = f"; it complains about {', '.join(fields)}" if fields else ""
        return failure(code_of(status), operation, _WORDS.get(status, f"status {status}{which}"))

    def _pause(self, headers: Any) -> float | None:
        """Return the seconds until SendGrid takes calls again."""
        pause = seconds_in(headers.get("Retry-After"))
        reset = seconds_in(headers.get(_RESET))
        if pause is not None or reset is None:
            return pause
        return max(0.0, reset - self.context.clock.now().timestamp())


def told_of(email: Email, addresses: Addresses) -> dict[str, Any]:
    """Return a mail as SendGrid is told of it."""
    texts = {"text/plain": email.text, "text/html": email.html}
    told: dict[str, Any] = {
        "personalizations": [{"to": [_named(addresses.to, without=",;")]}],
        "from": _named(addresses.sender),
        "subject": email.subject,
        "content": [{"type": kind, "value": text} for kind, text in texts.items() if text],
        "tracking_settings": _UNTRACKED,
    }
    if email.headers:
        told["headers"] = dict(email.headers)
    if email.attachments:
        told["attachments"] = [
            {
                "content": b64encode(one.body).decode(),
                "type": one.content_type,
                "filename": one.name,
                "disposition": "attachment",
            }
            for one in email.attachments
        ]
    return told


def _named(address: Address, *, without: str = "") -> dict[str, str]:
    """Return an address, and the name beside it, unless that holds one of these letters."""
    told = {"email": address.addr_spec}
    if address.display_name and not set(without) & set(address.display_name):
        told["name"] = address.display_name
    return told


def _plain(address: str) -> str:
    from email.utils import parseaddr

    return parseaddr(address)[1].lower()


def _complaints(body: bytes) -> tuple[list[str], list[str]]:
    """Return the fields that SendGrid names in a refusal, and its words."""
    try:
        told = json.loads(body)["errors"]
        return [str(one["field"]) for one in told if one.get("field")], [
            str(one.get("message")) for one in told
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        return [], []
