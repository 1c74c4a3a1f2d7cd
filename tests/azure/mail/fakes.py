"""Servers on 127.0.0.1 that take mail as Communication Services and a workflow of Logic Apps do.

Their semantics are ours, from what Microsoft's pages and the official client say; nothing of it has been seen
on Azure.
https://learn.microsoft.com/rest/api/communication/email/email/send, read November 2026.
"""

import hashlib
import hmac
import json
import threading
from base64 import b64decode, b64encode
from contextlib import contextmanager
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

KEY = b64encode(b"a key of sixty-four bytes, of which a resource has two: this is one").decode()
LINKED = {"example.com": {"bot": "Jörg's bot"}}
"""The domains that the resource is linked to, and their MailFrom addresses with the name of each."""


class Served:
    """A server that answers with `answer`, and can be told to misbehave.

    Attributes:
        asked: method and path of each request, and what was sent as JSON.
        planned: what the next requests meet instead of an answer, one each, `None` being nothing: a function
            of the request's handler, which may carry it out by `proceed`.

    """

    def __init__(self, *, tls=None):
        self.asked = []
        self.planned = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port
        self.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{self.port}"

    @contextmanager
    def running(self):
        thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()

    def answer(self, handler, body):
        """Return status, headers and what is sent as JSON."""
        raise NotImplementedError


def _handler_of(served):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def relay(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            served.asked.append((self.command, self.path, json.loads(body or b"null")))
            misbehave = served.planned.pop(0) if served.planned else None
            if misbehave is not None:
                misbehave(self, lambda: served.answer(self, body))
            else:
                self.tell(*served.answer(self, body))

        def tell(self, status, headers, content):
            encoded = b"" if content is None else json.dumps(content).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(encoded)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(encoded)

        do_GET = do_POST = relay  # noqa: N815 - the names that http.server looks for

        def log_message(self, *_):
            pass

    return Handler


def refusal(status, code, **headers):
    """Answer with an error of Azure's."""

    def refuse(handler, _):
        handler.tell(status, headers, {"error": {"code": code, "message": "about me@example.org"}})

    return refuse


def lost(handler, proceed):
    """Carry the request out, and break the connection off."""
    proceed()
    handler.close_connection = True


def broken(handler, _):
    """Break the connection off before anything was done."""
    handler.close_connection = True


class Communication(Served):
    """A resource of Communication Services.

    Attributes:
        sent: the mails that were handed over.
        looks: how often a mail is asked after until it has left.
        ends: how operations end: with no error, or with this one.

    """

    def __init__(self, *, linked=None, tls=None):
        super().__init__(tls=tls)
        self.linked = LINKED if linked is None else linked
        self.sent = []
        self.looks, self.ends = 1, ""
        self._operations = {}

    @property
    def connection_string(self):
        return f"endpoint={self.url}/;accesskey={KEY}"

    def answer(self, handler, body):
        if handler.headers["Host"] != f"127.0.0.1:{self.port}":
            return 404, {}, None  # no resource has this name
        if not _signed(handler, body):
            return _error(401, "Denied")
        found = urlsplit(handler.path)
        assert parse_qs(found.query)["api-version"]
        if handler.command == "POST":
            return self._take(handler.headers, json.loads(body))
        return self._tell(found.path.rpartition("/")[2])

    def _take(self, headers, told):
        name, domain = told["senderAddress"].split("@")
        if domain not in self.linked:
            return _error(404, "DomainNotLinked")
        if name not in self.linked[domain]:
            return _error(400, "InvalidSenderUserName")
        operation = str(UUID(headers["Operation-Id"])) if "Operation-Id" in headers else str(uuid4())
        self._operations[operation] = self.looks
        self.sent.append(_composed(told, self.linked[domain][name]))
        return (
            202,
            {"Operation-Location": f"{self.url}/emails/operations/{operation}"},
            self._state(operation),
        )

    def _tell(self, operation):
        if operation not in self._operations:
            return _error(404, "NotFound")
        self._operations[operation] -= 1
        return 200, {"Retry-After": "1"}, self._state(operation)

    def _state(self, operation):
        if self._operations[operation] > 0:
            return {"id": operation, "status": "Running"}
        error = {"error": {"code": self.ends, "message": "about me@example.org"}} if self.ends else {}
        return {"id": operation, "status": "Failed" if self.ends else "Succeeded", **error}


class Workflow(Served):
    """A workflow with an HTTP trigger.

    Attributes:
        sent: the mails that it was handed.

    """

    def __init__(self, *, tls=None):
        super().__init__(tls=tls)
        self.sent = []
        self.trigger = (
            f"{self.url}/workflows/w1/triggers/manual/paths/invoke"
            "?api-version=2016-10-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=c2VjcmV0"
        )

    def answer(self, handler, body):
        found = urlsplit(handler.path)
        if found.path != urlsplit(self.trigger).path:
            return _error(404, "WorkflowNotFound")
        if parse_qs(found.query).get("sig") != ["c2VjcmV0"]:
            return _error(401, "DirectApiAuthorizationRequired")
        if handler.command != "POST":
            return _error(400, "TriggerRequestMethodNotValid")
        told = json.loads(body)
        named = {"senderAddress": told["from"], "headers": told["headers"]}
        content = {"subject": told["subject"], "plainText": told["text"], "html": told["html"]}
        files = [
            {"name": one["Name"], "contentType": one["ContentType"], "contentInBase64": one["ContentBytes"]}
            for one in told["attachments"]
        ]
        to = {"to": [{"address": told["to"], "displayName": ""}]}
        self.sent.append(_composed({**named, "recipients": to, "content": content, "attachments": files}, ""))
        return 200, {"x-ms-workflow-run-id": f"run{len(self.sent)}"}, {"id": told["id"]}


def _error(status, code):
    return status, {}, {"error": {"code": code, "message": "about me@example.org"}}


def _signed(handler, body):
    """Whether a request bears the signature that the official client makes.

    https://learn.microsoft.com/azure/communication-services/tutorials/hmac-header-tutorial
    """
    content = b64encode(hashlib.sha256(body).digest()).decode()
    date, host = handler.headers["x-ms-date"], handler.headers["Host"]
    to_sign = f"{handler.command}\n{handler.path}\n{date};{host};{content}"
    digest = hmac.new(b64decode(KEY), to_sign.encode(), hashlib.sha256).digest()
    signed = (
        f"HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={b64encode(digest).decode()}"
    )
    return handler.headers["Authorization"] == signed and handler.headers["x-ms-content-sha256"] == content


def _composed(told, sender_name):
    """Return the mail that a server makes of what it was told."""
    mail = EmailMessage(policy=policy.SMTP)
    address = told["senderAddress"]
    mail["From"] = Address(sender_name, addr_spec=address) if sender_name else address
    (to,) = told["recipients"]["to"]
    mail["To"] = Address(to["displayName"], addr_spec=to["address"])
    mail["Subject"] = told["content"]["subject"]
    mail["Date"] = format_datetime(datetime.now(UTC))  # as the service does
    for name, value in told["headers"].items():
        mail[name] = value
    mail.set_content(told["content"]["plainText"])
    if told["content"].get("html"):
        mail.add_alternative(told["content"]["html"], subtype="html")
    for one in told["attachments"]:
        maintype, _, subtype = one["contentType"].partition("/")
        mail.add_attachment(
            b64decode(one["contentInBase64"]), maintype=maintype, subtype=subtype, filename=one["name"]
        )
    return message_from_bytes(mail.as_bytes(), policy=policy.default)
