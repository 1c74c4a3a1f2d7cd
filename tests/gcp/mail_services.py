"""Servers on 127.0.0.1 that take mails as SendGrid and Resend are documented to, and keep them.

SendGrid's is checked by its official client, in `tests/gcp/mail`. Resend's takes and gives what is in the
description of its API (https://github.com/resend/resend-openapi, read November 2026), and nothing else.
"""

from __future__ import annotations

import json
import secrets
from base64 import b64decode
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from aws.faulty import Answer, Faulty
from gcp.answers import told

NOWHERE = "http://127.0.0.1:1"
RESERVED = {
    "x-sg-id",
    "x-sg-eid",
    "received",
    "dkim-signature",
    "content-type",
    "to",
    "from",
    "subject",
    "bcc",
}


class MailService(Faulty):
    """What both have in common: who may ask, and a letterbox."""

    def __init__(self, **plan):
        super().__init__(NOWHERE, **plan)
        self._server.socket.listen(64)
        self.key = "key.of-the-tests"
        self.restricted = False  # whether the key may do nothing but send
        self.instead = None  # an answer to all that is asked
        self.requests = []
        self.mails = []

    def _forward(self, request):
        self.requests.append(request)
        headers = {name.lower(): value for name, value in request.headers.items()}
        if self.instead is not None:
            return self.instead
        if headers.get("authorization") != f"Bearer {self.key}":
            return self.stranger()
        path = request.path.partition("?")[0]
        return self.served(request.method, path, headers, json.loads(request.body or b"null"))

    @property
    def bodies(self):
        """Return what was asked, as JSON."""
        return [json.loads(request.body or b"null") for request in self.requests]

    def keep(self, sender, to, subject, texts, headers, attachments):
        """Put a mail into the letterbox as it would arrive."""
        mail = EmailMessage(policy=policy.SMTP)
        mail["From"], mail["To"], mail["Subject"] = sender, to, subject
        mail["Date"] = format_datetime(datetime.now(UTC))  # as the service does
        for name, value in headers.items():
            mail[name] = value
        mail.set_content(texts.get("plain", ""))
        if "html" in texts:
            mail.add_alternative(texts["html"], subtype="html")
        for name, kind, content in attachments:
            main, _, sub = kind.partition("/")
            mail.add_attachment(content, maintype=main, subtype=sub, filename=name)
        self.mails.append(message_from_bytes(mail.as_bytes(), policy=policy.default))


class SendGrid(MailService):
    """SendGrid's Web API, version 3."""

    verified = frozenset({"bot@example.com"})
    domains = ("example.com",)

    def stranger(self):
        return complaint(401, "The provided authorization grant is invalid, expired, or revoked")

    def served(self, method, path, _headers, body):
        if (method, path) == ("GET", "/v3/scopes"):
            return told({"scopes": ["mail.send"] + (["user.account.read"] if not self.restricted else [])})
        if (method, path) == ("POST", "/v3/mail/send"):
            return self._sent(body)
        if self.restricted:
            return complaint(403, "access forbidden")
        if (method, path) == ("GET", "/v3/verified_senders"):
            senders = [{"id": 1, "from_email": one, "verified": True} for one in sorted(self.verified)]
            return told({"results": senders})
        if (method, path) == ("GET", "/v3/whitelabel/domains"):
            return told([{"id": 1, "domain": one, "valid": True} for one in self.domains])
        return complaint(404, "Not Found")

    def _sent(self, body):
        ((to,),) = [one["to"] for one in body["personalizations"]]
        sender = body["from"]
        kinds = [one["type"] for one in body["content"]]
        texts = {one["type"].partition("/")[2]: one["value"] for one in body["content"]}
        attachments = body.get("attachments", [])
        headers = body.get("headers", {})
        for wrong, field in (
            (sender["email"] not in self.verified, "from"),
            (set(",;") & set(to.get("name", "")), "personalizations.0.to.0.name"),
            (not body["subject"], "subject"),
            (kinds not in (["text/plain", "text/html"], ["text/plain"], ["text/html"]), "content"),
            (not all(texts.values()), "content.0.value"),
            (not all(one["content"] for one in attachments), "attachments.0.content"),
            ({name.lower() for name in headers} & RESERVED, "headers"),
        ):
            if wrong:
                words = (
                    "The from address does not match a verified Sender Identity." if field == "from" else "no"
                )
                return complaint(403 if field == "from" else 400, words, field)
        self.keep(
            Address(sender.get("name", ""), addr_spec=sender["email"]),
            Address(to.get("name", ""), addr_spec=to["email"]),
            body["subject"],
            texts,
            headers,
            [(one["filename"], one["type"], b64decode(one["content"], validate=True)) for one in attachments],
        )
        return Answer(202, {"X-Message-Id": secrets.token_urlsafe(16)}, b"")


class Resend(MailService):
    """Resend's API."""

    domains = (("example.com", "verified"),)
    tracking = False
    fields = frozenset({"from", "to", "subject", "text", "html", "headers", "attachments"})

    def __init__(self, **plan):
        super().__init__(**plan)
        self._known = {}

    def stranger(self):
        return refusal(401, "validation_error", "API key is invalid")

    def served(self, method, path, headers, body):
        if "user-agent" not in headers:
            return Answer(403, {"Content-Type": "text/plain"}, b"error code: 1010")
        if (method, path) == ("POST", "/emails"):
            return self._once(headers.get("idempotency-key"), body)
        if self.restricted:
            return refusal(401, "restricted_api_key", "This API key is restricted to only send emails")
        if (method, path) == ("GET", "/domains"):
            listed = [
                {
                    "id": f"{number}",
                    "name": name,
                    "status": status,
                    "region": "eu-west-1",
                    "open_tracking": self.tracking,
                    "click_tracking": False,
                }
                for number, (name, status) in enumerate(self.domains)
            ]
            return told({"object": "list", "has_more": False, "data": listed})
        return refusal(404, "not_found", "The requested endpoint does not exist")

    def _once(self, key, body):
        if key is not None and not 1 <= len(key) <= 256:
            return refusal(400, "invalid_idempotency_key", "The key must be between 1-256 chars")
        if key in self._known:
            earlier, answer = self._known[key]
            if earlier != body:
                return refusal(409, "invalid_idempotent_request", "Same key used with a different payload")
            return answer
        answer = self._sent(body)
        if answer.status == 200 and key is not None:
            self._known[key] = body, answer
        return answer

    def _sent(self, body):
        if missing := {"from", "to", "subject"} - set(body):
            return refusal(422, "missing_required_field", f"Missing {sorted(missing)}")
        if unknown := set(body) - self.fields:
            return refusal(422, "validation_error", f"Unknown {sorted(unknown)}")
        sender, (to,) = body["from"], body["to"]
        verified = {name for name, status in self.domains if status == "verified"}
        if address_in(sender).domain not in verified:
            return refusal(403, "validation_error", "The example.net domain is not verified")
        texts = {kind: body[name] for kind, name in (("plain", "text"), ("html", "html")) if name in body}
        attachments = [
            (one["filename"], one["content_type"], b64decode(one["content"], validate=True))
            for one in body.get("attachments", [])
        ]
        self.keep(
            address_in(sender), address_in(to), body["subject"], texts, body.get("headers", {}), attachments
        )
        return told({"id": secrets.token_hex(16)})


def address_in(text):
    """Return the one address that is written as people do, with or without a name."""
    mail = EmailMessage()
    mail["To"] = text
    (address,) = mail["To"].addresses
    return address


def complaint(status, words, field=None):
    """Return a refusal of SendGrid's."""
    return told({"errors": [{"message": words, "field": field, "help": None}]}, status)


def refusal(status, name, words, **headers):
    """Return a refusal of Resend's."""
    return told({"statusCode": status, "name": name, "message": words}, status, **headers)
