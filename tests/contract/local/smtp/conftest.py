"""A real SMTP server on the loopback interface, and one that breaks off where it is told to."""

import socket
import threading
from contextlib import contextmanager
from email import message_from_bytes, policy

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult


class Letterbox:
    """What the server was handed. A reply in `replies` is given instead of the usual one."""

    def __init__(self):
        self.mails = []
        self.replies = {}

    def __call__(self):
        return [message_from_bytes(content, policy=policy.default) for content in self.mails]

    async def handle_MAIL(self, _server, _session, envelope, address, _options):  # noqa: N802 - the server's name for it
        envelope.mail_from = address
        return self.replies.get("MAIL", "250 OK")

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802 - the server's name for it
        envelope.rcpt_tos.append(address)
        return self.replies.get("RCPT", "250 OK")

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 - the server's name for it
        if "DATA" not in self.replies:
            self.mails.append(envelope.content)
        return self.replies.get("DATA", "250 OK")


class _Server(Controller):
    def __init__(self, letterbox, *, implicit_tls, **options):
        super().__init__(letterbox, hostname="127.0.0.1", port=0, ssl_context=implicit_tls)
        self.options = options

    def factory(self):
        return SMTP(self.handler, hostname="test.example", **self.options)

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def _serve(letterbox, *, implicit_tls=None, starttls=None, login=None):
    """Serve on a free port; `login` is the one name and password that are let in."""

    def authenticate(_server, _session, _envelope, _mechanism, given):
        return AuthResult(success=(given.login.decode(), given.password.decode()) == login, handled=False)

    server = _Server(
        letterbox,
        implicit_tls=implicit_tls,
        tls_context=starttls,
        require_starttls=starttls is not None,
        authenticator=authenticate,
        auth_required=login is not None,
        auth_require_tls=implicit_tls is None and starttls is not None,
    )
    server.start()
    try:
        yield server.port
    finally:
        server.stop()


@contextmanager
def _serve_lines(replies, *, then_hang=False):
    """Serve one client: give a reply for each line it sends, then close, or say nothing more.

    `None` in `replies` reads a line and gives no reply.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(30)
    done = threading.Event()

    def converse():
        connection, _ = listener.accept()
        with connection, connection.makefile("rwb") as lines:
            for reply in replies:
                if reply is not None:
                    lines.write(reply + b"\r\n")
                    lines.flush()
                lines.readline()
            if then_hang:
                done.wait(30)

    thread = threading.Thread(target=converse)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        done.set()
        thread.join()
        listener.close()


@pytest.fixture
def letterbox():
    return Letterbox()


@pytest.fixture
def serve():
    return _serve


@pytest.fixture
def serve_lines():
    return _serve_lines
