"""A token is waited for no longer than the call that needs it may take."""

import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from aws.faulty import SILENCE, Answer
from tuppence.clock import Deadline, SystemClock
from tuppence.errors import ErrorCode
from tuppence.testing.contract import refused
from tuppence_gcp.credentials import Tokens


@pytest.fixture
def tokens():
    return Tokens(SystemClock())


@pytest.fixture
def account(tmp_path, monkeypatch):
    """Return what names a service account's file whose tokens come from this address."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )

    def account(url, **more):
        path = tmp_path / "credentials.json"
        told = {
            "type": "service_account",
            "project_id": "acme",
            "private_key_id": "1",
            "private_key": pem.decode(),
            "client_email": "a@acme.iam.gserviceaccount.com",
            "token_uri": url,
            **more,
        }
        path.write_text(json.dumps(told))
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))

    return account


def brief():
    return Deadline.after(0.3, SystemClock())


def test_a_silent_metadata_server_is_a_timeout(tokens, stand_in, monkeypatch):
    url = stand_in(lambda _: SILENCE)
    monkeypatch.setenv("GCE_METADATA_HOST", url.removeprefix("http://"))

    with refused(ErrorCode.TIMEOUT):
        tokens.headers("queue.send", brief())


def test_a_silent_issuer_is_a_timeout(tokens, account, stand_in):
    account(stand_in(lambda _: SILENCE))

    with refused(ErrorCode.TIMEOUT):
        tokens.headers("queue.send", brief())


def test_an_issuer_in_trouble_is_asked_once_and_is_unavailable(tokens, account, stand_in, soon):
    asked = []

    def answer(request):
        asked.append(request)
        return Answer(503, {}, b"")

    account(stand_in(answer))

    with refused(ErrorCode.UNAVAILABLE):
        tokens.headers("queue.send", soon())

    assert len(asked) == 1


def test_an_issuer_that_cannot_be_reached_is_unavailable(tokens, account, soon):
    account("http://127.0.0.1:1")

    with refused(ErrorCode.UNAVAILABLE):
        tokens.headers("queue.send", soon())


@pytest.mark.parametrize(
    "key", ["", "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_file_whose_key_is_none_is_named(tokens, account, soon, key):
    account("http://127.0.0.1:1", private_key=key)

    with refused(ErrorCode.UNAUTHENTICATED) as caught:
        tokens.headers("queue.send", soon())

    assert "credentials.json" in str(caught.value)
    assert "AAAA" not in str(caught.value)
