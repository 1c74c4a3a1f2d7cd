"""Which storage account is meant, and who calls."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from azure.storage.queue import AccountSasPermissions, ResourceTypes, generate_account_sas

from azure.drivers import driver_of
from azure.queues import queue_at
from emulators.azure import KEY
from tuppence.clock import Deadline
from tuppence.drivers import Message
from tuppence.errors import DriverError, ErrorCode
from tuppence.settings import Secret
from tuppence_azure.storage import StorageOptions
from tuppence_azure.storage_queue import StorageQueue
from tuppence_azure.store import TableStore

MADE_UP = Secret(env="MADE_UP")
ENDPOINT = "QueueEndpoint=http://127.0.0.1:1/devstoreaccount1"


def send(queue):
    return queue.send([Message(id="one", body=b"x")], deadline=Deadline.after(9))


def test_an_account_has_to_be_named(project):
    with (
        driver_of(TableStore, project) as store,
        pytest.raises(DriverError, match="no storage account is known; set `account`") as caught,
    ):
        store.check()

    assert caught.value.code is ErrorCode.INVALID


@pytest.mark.parametrize("name", ["AZURE_STORAGE_CONNECTION_STRING", "MADE_UP"])
def test_a_connection_string_comes_from_the_environment(connection_string, project, monkeypatch, name):
    monkeypatch.setenv(name, connection_string)
    options = {"connection_string": MADE_UP} if name == "MADE_UP" else {}

    with (
        queue_at(connection_string, f"tuppence-{project}"),
        driver_of(StorageQueue, project, **options) as queue,
    ):
        assert not send(queue)


def test_a_shared_access_signature_will_do(connection_string, project, monkeypatch):
    until = datetime.now(UTC) + timedelta(hours=1)
    signature = generate_account_sas(
        "devstoreaccount1", KEY, ResourceTypes(object=True), AccountSasPermissions(add=True), until
    )
    told = dict(part.split("=", 1) for part in connection_string.split(";"))
    text = f"SharedAccessSignature={signature};QueueEndpoint={told['QueueEndpoint']}"
    monkeypatch.setenv("MADE_UP", text)

    with (
        queue_at(connection_string, f"tuppence-{project}"),
        driver_of(StorageQueue, project, connection_string=MADE_UP) as queue,
    ):
        assert not send(queue)
        with pytest.raises(DriverError) as caught:
            queue.depth(deadline=Deadline.after(9))

    assert caught.value.code is ErrorCode.FORBIDDEN


def test_a_wrong_key_is_refused_by_the_service(connection_string, project, monkeypatch):
    monkeypatch.setenv("MADE_UP", connection_string.replace(KEY, "c2VjcmV0"))

    with (
        driver_of(StorageQueue, project, connection_string=MADE_UP) as queue,
        pytest.raises(DriverError) as caught,
    ):
        queue.check()

    assert caught.value.code in {ErrorCode.FORBIDDEN, ErrorCode.UNAUTHENTICATED}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "the environment variable MADE_UP is not set"),
        (f"AccountName=a;AccountKey=not base64;{ENDPOINT}", "cut short or mistyped"),
        (f"AccountName=a;{ENDPOINT}", "a token is sent nowhere unencrypted"),
    ],
)
def test_a_secret_that_is_none_is_said_without_repeating_it(project, monkeypatch, text, words):
    if text:
        monkeypatch.setenv("MADE_UP", text)

    with (
        driver_of(StorageQueue, project, connection_string=MADE_UP) as queue,
        pytest.raises(DriverError, match=words) as caught,
    ):
        queue.check()

    assert caught.value.code is ErrorCode.UNAUTHENTICATED
    assert "not base64" not in str(caught.value)


@pytest.mark.parametrize("account", ["My-Account", "ab", "x" * 25])
def test_an_account_that_cannot_be_is_refused_by_the_configuration(account):
    with pytest.raises(msgspec.ValidationError, match="cannot be an account's name"):
        msgspec.convert({"account": account}, StorageOptions)
