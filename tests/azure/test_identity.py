"""Tokens by azure-identity: within the call's deadline, and each failure under its own name."""

import json
import logging
import ssl
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import trustme
from azure.servicebus.exceptions import ServiceBusError

from azure.drivers import driver_of
from tuppence.clock import Deadline
from tuppence.drivers import Key, Message
from tuppence.errors import DriverError, ErrorCode
from tuppence_azure.credentials import Identity
from tuppence_azure.service_bus import translated
from tuppence_azure.storage import SCOPE
from tuppence_azure.storage_queue import StorageQueue
from tuppence_azure.store import TableStore

EXPIRED = (
    "AADSTS7000222: The provided client secret keys for app 'made up' are expired.\r\n"
    "Trace ID: 0000\r\nCorrelation ID: 0000"
)


@contextmanager
def service(answer, authority=None):
    """Run a service that answers with a status and a document, or not at all where there is none."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def reply(self):
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            found = answer(self)
            if found is None:
                over.wait()
                self.close_connection = True
                return
            status, document = found
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = reply  # noqa: N815 - the names http.server looks for

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if authority is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        over.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(autouse=True)
def _nobody(monkeypatch):
    for name in ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET", "AUTHORITY_HOST", "FEDERATED_TOKEN_FILE"):
        monkeypatch.delenv(f"AZURE_{name}", raising=False)
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def managed(monkeypatch):
    """Return what names the endpoint of a function app's own identity."""

    def managed(place):
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://{place}/token")
        monkeypatch.setenv("IDENTITY_HEADER", "made-up")

    return managed


@pytest.fixture
def entra(monkeypatch):
    """Return what names an authority of its own and an application with a secret."""

    def entra(place):
        told = {"TENANT_ID": "adfs", "CLIENT_ID": "c", "CLIENT_SECRET": "s"}
        for name, value in {**told, "AUTHORITY_HOST": f"https://{place}"}.items():
            monkeypatch.setenv(f"AZURE_{name}", value)

    return entra


def token(seconds=20.0):
    identity = Identity(SCOPE)
    try:
        return identity.token("store.get", Deadline.after(seconds))
    finally:
        identity.close()


def silent(_):
    return None


def expired(handler):
    """Answer as Microsoft Entra does to a secret that has expired."""
    if handler.path.endswith("/openid-configuration"):
        base = f"https://{handler.headers['Host']}/adfs"
        names = ("authorization_endpoint", "token_endpoint", "device_authorization_endpoint")
        return 200, {"issuer": base, **{name: f"{base}/{name}" for name in names}}
    return 401, {"error": "invalid_client", "error_description": EXPIRED, "error_codes": [7000222]}


@pytest.mark.parametrize(
    ("kind", "call"),
    [
        (TableStore, lambda store, deadline: store.get([Key(partition="a", sort="b")], deadline=deadline)),
        (
            StorageQueue,
            lambda queue, deadline: queue.send([Message(id="a", body=b"x", lane="")], deadline=deadline),
        ),
    ],
)
def test_a_call_ends_by_its_deadline_when_the_identity_service_is_silent(project, managed, kind, call):
    with service(silent) as place, driver_of(kind, project, account="mybotevents") as driver:
        managed(place)

        with pytest.raises(DriverError) as caught:
            call(driver, Deadline.after(0.3))

    assert caught.value.code is ErrorCode.TIMEOUT
    assert "identity service" in str(caught.value)


def test_a_token_of_a_function_apps_own_identity_is_returned(managed):
    document = {
        "access_token": "made up",
        "expires_on": "4102444800",
        "resource": "r",
        "token_type": "Bearer",
    }
    with service(lambda _: (200, document)) as place:
        managed(place)

        assert token() == "made up"


def test_an_identity_service_that_cannot_be_reached_is_unavailable(managed):
    managed("127.0.0.1:1")

    with pytest.raises(DriverError) as caught:
        token()

    assert caught.value.code is ErrorCode.UNAVAILABLE
    assert "127.0.0.1" in str(caught.value)


def test_an_identity_service_that_is_ill_is_unavailable(managed):
    with service(lambda _: (503, {})) as place:
        managed(place)

        with pytest.raises(DriverError) as caught:
            token()

    assert caught.value.code is ErrorCode.UNAVAILABLE
    assert "503" in str(caught.value)


def test_a_certificate_that_is_not_trusted_is_named_as_that(entra):
    with service(expired, trustme.CA()) as place:
        entra(place)

        with pytest.raises(DriverError, match="REQUESTS_CA_BUNDLE") as caught:
            token()

    assert caught.value.code is ErrorCode.UNAVAILABLE


def test_what_microsoft_entra_says_of_an_expired_secret_is_shown(entra, monkeypatch, tmp_path):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    with service(expired, authority) as place:
        entra(place)

        with pytest.raises(DriverError, match="AADSTS7000222: The provided client secret keys") as caught:
            token()

    assert caught.value.code is ErrorCode.UNAUTHENTICATED
    assert "Trace ID" not in str(caught.value)


def test_nobody_to_be_is_told_from_all_that(monkeypatch):
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")

    with pytest.raises(DriverError, match="no credentials were found") as caught:
        token()

    assert caught.value.code is ErrorCode.UNAUTHENTICATED


def test_the_librarys_own_warnings_are_not_repeated(managed, caplog):
    caplog.set_level(logging.WARNING)
    managed("127.0.0.1:1")

    with pytest.raises(DriverError):
        token()

    assert not [record for record in caplog.records if record.name.startswith("azure.identity")]


def test_an_sdk_that_asks_for_a_token_is_answered_by_the_calls_deadline(managed):
    identity = Identity(SCOPE)
    credential = identity.credential("queue.send")
    with service(silent) as place:
        managed(place)
        identity.end_by(Deadline.after(0.3))

        with pytest.raises(DriverError) as caught:
            credential.get_token(SCOPE)
        identity.close()

    assert caught.value.code is ErrorCode.TIMEOUT


def test_an_error_of_the_credential_is_found_again_in_that_of_the_sdk():
    known = DriverError(ErrorCode.TIMEOUT, operation="queue.send", provider="azure", message="made up")

    with pytest.raises(DriverError) as caught, translated("queue.send"):
        raise ServiceBusError("Handler failed", error=known)

    assert caught.value is known
