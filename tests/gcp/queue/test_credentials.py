"""Whose requests they are: the machine's account without a library, all else by google-auth."""

import json
import ssl
import subprocess
import sys
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs

import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from aws.faulty import Answer
from gcp.answers import told
from tuppence.clock import Deadline
from tuppence.drivers import Message
from tuppence.errors import ErrorCode
from tuppence.testing import ManualClock
from tuppence.testing.contract import refused
from tuppence_gcp.credentials import Tokens
from tuppence_gcp.queue import PubSubQueue

HOUR = timedelta(hours=1)


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def tokens(clock):
    return Tokens(clock)


@pytest.fixture
def machine(stand_in, monkeypatch):
    """Return what starts a metadata server that hands out one token after the other."""

    def machine(answer=None, *, lasts=3600):
        asked = []

        def metadata(request):
            asked.append(request.path)
            assert request.headers["metadata-flavor"] == "Google"
            if answer is not None:
                return answer
            if request.path.endswith("/project-id"):
                return Answer(200, {}, b"acme")
            return told({"access_token": f"t{len(asked)}", "expires_in": lasts, "token_type": "Bearer"})

        monkeypatch.setenv("GCE_METADATA_HOST", stand_in(metadata).removeprefix("http://"))
        return asked

    return machine


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Return what writes a file of credentials and names it."""

    def file(content):
        path = tmp_path / "credentials.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))

    return file


def test_a_machine_at_google_has_an_account_of_its_own(tokens, machine, soon):
    asked = machine()

    first, second = tokens.headers("queue.send", soon()), tokens.headers("queue.send", soon())

    assert first == second == {"authorization": "Bearer t1"}
    assert asked == ["/computeMetadata/v1/instance/service-accounts/default/token"]


def test_a_token_is_fetched_anew_before_it_expires_and_when_it_is_refused(tokens, machine, clock, soon):
    machine()
    tokens.headers("queue.send", soon())
    clock.advance(HOUR - timedelta(minutes=4))
    expiring = tokens.headers("queue.send", soon())
    tokens.forget()

    assert expiring == {"authorization": "Bearer t2"}
    assert tokens.headers("queue.send", soon()) == {"authorization": "Bearer t3"}


@pytest.mark.usefixtures("homeless")
def test_a_user_without_a_home_has_the_account_of_the_machine(tokens, machine, soon):
    machine()

    assert tokens.headers("queue.send", soon()) == {"authorization": "Bearer t1"}


def test_the_machine_knows_its_project(tokens, machine, soon):
    asked = machine()

    assert [tokens.project("queue.send", soon()) for _ in range(2)] == ["acme", "acme"]
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(404, {}, b""), ErrorCode.UNAUTHENTICATED),
        (Answer(503, {}, b""), ErrorCode.UNAVAILABLE),
        (Answer(200, {}, b"<html>"), ErrorCode.UNAVAILABLE),
    ],
)
def test_a_machine_without_an_account_is_told_from_one_in_trouble(tokens, machine, soon, answer, code):
    machine(answer)

    with refused(code):
        tokens.headers("queue.send", soon())


def test_nothing_found_says_how_to_sign_in(tokens, monkeypatch, soon):
    monkeypatch.setenv("GCE_METADATA_HOST", "nobody.invalid")

    with refused(ErrorCode.UNAUTHENTICATED) as caught:
        tokens.headers("queue.send", soon())

    assert "gcloud auth application-default login" in str(caught.value)


def test_a_silent_machine_is_given_up_at_the_deadline(tokens, clock):
    with refused(ErrorCode.UNAVAILABLE, ErrorCode.TIMEOUT):
        tokens.headers("queue.send", Deadline.after(0.2))


def test_a_service_accounts_file_is_left_to_google_auth(tokens, file, stand_in, soon, monkeypatch):
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    asked = []

    def issue(request):
        asked.append(parse_qs(request.body.decode())["grant_type"])
        return told({"access_token": "issued", "expires_in": 3600})

    file(
        {
            "type": "service_account",
            "project_id": "acme",
            "private_key": key.decode(),
            "private_key_id": "1",
            "client_email": "bot@acme.iam.gserviceaccount.com",
            "token_uri": f"{stand_in(issue)}/token",
        }
    )

    assert tokens.headers("queue.send", soon())["authorization"] == "Bearer issued"
    assert tokens.project("queue.send", soon()) == "acme"
    assert asked == [["urn:ietf:params:oauth:grant-type:jwt-bearer"]]


def test_what_the_issuer_refuses_is_unauthenticated(tokens, file, stand_in, soon):
    issuer = stand_in(lambda _: told({"error": "invalid_grant", "error_description": "gone"}, 400))
    subject = {"url": f"{issuer}/subject", "format": {"type": "text"}}
    outside = {
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/p",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": f"{issuer}/token",
        "credential_source": subject,
    }
    file(outside)

    with refused(ErrorCode.UNAUTHENTICATED):
        tokens.headers("queue.send", soon())


def test_a_file_that_is_none_is_unauthenticated(tokens, file, soon):
    file("no json")

    with refused(ErrorCode.UNAUTHENTICATED):
        tokens.headers("queue.send", soon())


def test_no_token_goes_out_unencrypted(stand_in, machine, context, soon, monkeypatch):

    seen = []

    def answer(request):
        seen.append(request.headers["authorization"])
        return told({"topic": "t"})

    asked = machine()
    queue = PubSubQueue(PubSubQueue.Options(endpoint=stand_in(answer)), context)
    with refused(ErrorCode.INVALID):
        queue.check()
    queue.close()

    assert seen == ["Bearer owner"]
    assert not asked


def test_a_token_goes_out_by_tls_and_not_again_once_it_was_refused(
    machine, context, soon, tmp_path, monkeypatch
):
    """Over real TLS, with a certificate that SSL_CERT_FILE vouches for."""

    seen = []

    class Service(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            seen.append(self.headers["Authorization"])
            self.send_response(200 if len(seen) > 1 else 401)
            self.send_header("Content-Length", "21")
            self.end_headers()
            self.wfile.write(b'{"messageIds": ["1"]}')

        def log_message(self, *told):
            pass

    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    settings = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(settings)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    server.socket = settings.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    machine()
    queue = PubSubQueue(PubSubQueue.Options(endpoint=f"https://localhost:{server.server_port}"), context)

    with refused(ErrorCode.UNAUTHENTICATED):
        queue.send([Message(id="a", body=b"x")], deadline=soon())
    assert not queue.send([Message(id="a", body=b"x")], deadline=soon())

    queue.close()
    server.shutdown()
    thread.join()
    server.server_close()
    assert seen == ["Bearer t1", "Bearer t2"]


SENDING = """
import sys
before = set(sys.modules)  # a library may have put its namespace here when Python started
from tuppence.clock import Deadline, SystemClock
from tuppence.drivers import Context, Message
from tuppence.meter import UnitMeter
from tuppence_gcp.credentials import Tokens
from tuppence_gcp.queue import PubSubQueue
context = Context(project="bot", meter=UnitMeter(), clock=SystemClock())
queue = PubSubQueue(PubSubQueue.Options(endpoint=sys.argv[1]), context)
assert not queue.send([Message(id="a", body=b"x")], deadline=Deadline.after(10))
assert Tokens(SystemClock()).headers("queue.send", Deadline.after(10))
loaded = set(sys.modules) - before
print(*{name.partition(".")[0] for name in loaded} & {"google", "grpc", "requests", "cryptography"})
"""


def test_an_application_on_googles_machines_sends_without_any_library_of_googles(machine, stand_in):
    machine()
    service = stand_in(lambda _: told({"messageIds": ["1"]}))

    done = subprocess.run(
        [sys.executable, "-c", SENDING, service], check=True, capture_output=True, text=True
    )

    assert done.stdout.strip() == ""
