"""An encrypted connection, through a front that takes TLS for a server that does not speak it."""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
from contextlib import closing, suppress

import pytest
import trustme
from tuppence.clock import SystemClock
from tuppence.drivers import Context
from tuppence.errors import DriverError, ErrorCode
from tuppence.meter import UnitMeter

from tuppence_redis.server import ServerOptions
from tuppence_redis.store import RedisStore


@pytest.fixture
def authority():
    return trustme.CA()


@pytest.fixture
def front(server, authority):
    """Yield the port of a front with a certificate for 127.0.0.1."""
    trust = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(trust)

    class Session(socketserver.BaseRequestHandler):
        def handle(self):
            with (
                suppress(OSError),
                trust.wrap_socket(self.request, server_side=True) as client,
                socket.socket(socket.AF_UNIX) as behind,
            ):
                behind.connect(str(server.socket))
                back = threading.Thread(target=pump, args=(behind, client))
                back.start()
                pump(client, behind)
                back.join()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as listener:
        threading.Thread(target=listener.serve_forever).start()
        yield listener.server_address[1]
        listener.shutdown()


def pump(source, target):
    with suppress(OSError):
        while chunk := source.recv(65536):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_WR)


def open_store(**options):
    context = Context(project="mybot", meter=UnitMeter(), clock=SystemClock())
    return closing(RedisStore(ServerOptions(tls=True, **options), context))


def test_a_trusted_server_is_spoken_to_encrypted(front, authority, tmp_path):
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))

    with open_store(port=front, ca_file=str(tmp_path / "ca.pem")) as store:
        store.check()


def test_a_stranger_is_not_spoken_to(front):
    with open_store(port=front) as store, pytest.raises(DriverError, match="see `ca_file`") as caught:
        store.check()

    assert caught.value.code is ErrorCode.INVALID
