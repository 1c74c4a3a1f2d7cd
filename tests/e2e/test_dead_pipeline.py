"""A pipeline that is dead is named with its cause by `status`, `doctor` and the report, on every provider."""

from __future__ import annotations

import uuid
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest

from aws.queues import queues_at as sqs_at
from aws.tables import table_at as dynamo_at
from azure.fixtures import _azurite, broker, queue_files
from azure.queues import broker_queue
from azure.tables import table_at as tables_at
from cli.result import Result
from contract.aws.conftest import _credentials
from gcp.fixtures import firestore_url, monitored_url, pubsub_url
from gcp.queues import queues_at as pubsub_at
from tuppence.cli import status as status_command
from tuppence.cli.app import COULD_NOT, run
from tuppence.clock import Deadline, SystemClock
from tuppence.config import load
from tuppence.drivers import Message
from tuppence.errors import DriverError, ErrorCode
from tuppence.pipeline.heartbeat import Heartbeats
from tuppence.runtime import Runtime
from tuppence.schedules import register

__all__ = [
    "_azurite",
    "_credentials",
    "broker",
    "firestore_url",
    "monitored_url",
    "pubsub_url",
    "queue_files",
]

CONFIGURATION = """\
provider = "local"
project = "{project}"

[queue]
provider = "{provider}"

[store]
provider = "{provider}"

[report]
to = ["me@example.com"]
"""
LATE = timedelta(hours=5)
SHORT = timedelta(seconds=5)


class Earlier(SystemClock):
    """The time as it was when all was well."""

    def now(self):
        return datetime.now(UTC) - LATE


@pytest.fixture
def project():
    return f"dead{uuid.uuid4().hex[:8]}"


@pytest.fixture
def on_local():
    """Return what makes a queue and a store, and the environment that leads to them; so do the next three."""
    return (), {}


@pytest.fixture
def on_aws(project, ministack_url):
    made = (lambda: sqs_at(ministack_url, project), lambda: dynamo_at(ministack_url, f"tuppence-{project}"))
    return made, {f"TUPPENCE_{kind}__ENDPOINT": ministack_url for kind in ("QUEUE", "STORE")}


@pytest.fixture
def on_gcp(project, monitored_url, firestore_url):
    pubsub = monitored_url.removeprefix("http://")
    environment = {
        "GOOGLE_CLOUD_PROJECT": "proj",
        "PUBSUB_EMULATOR_HOST": pubsub,
        "MONITORING_EMULATOR_HOST": pubsub,
        "FIRESTORE_EMULATOR_HOST": firestore_url.removeprefix("http://"),
    }
    return (lambda: pubsub_at(monitored_url, project),), environment


@pytest.fixture
def on_azure(project, _azurite, broker, queue_files):
    made = (
        lambda: broker_queue(queue_files, f"tuppence-{project}", lock=300, deliveries=10),
        lambda: tables_at(_azurite, f"tuppence{project}"),
    )
    environment = {"AZURE_STORAGE_CONNECTION_STRING": _azurite, "AZURE_SERVICEBUS_CONNECTION_STRING": broker}
    return made, environment


@pytest.fixture(params=["local", "aws", "gcp", "azure"])
def provider(request):
    return request.param


@pytest.fixture
def place(project, provider, request, tmp_path, monkeypatch):
    """Make a project whose jobs ran five hours ago, with three messages waiting; yield its folder."""
    make, environment = request.getfixturevalue(f"on_{provider}")  # the other emulators are not started
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TUPPENCE_CAPTURE__DIRECTORY", str(tmp_path / "journals"))
    (tmp_path / "tuppence.toml").write_text(
        CONFIGURATION.format(project=project, provider=provider), encoding="utf-8"
    )
    with ExitStack() as there:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        for one in make:
            there.enter_context(one())
        with Runtime(load(tmp_path / "tuppence.toml")) as runtime:
            register(runtime.scheduler, runtime.config)
            heartbeats = Heartbeats(runtime.store, project, Earlier())
            for job in ("drain", "seal", "purge", "report"):
                heartbeats.record(job, started=Earlier().now(), deadline=Deadline.after(30))
            messages = [Message(id=f"m{n}", body=b"not drained") for n in range(3)]
            assert runtime.queue.send(messages, deadline=Deadline.after(30)) == []
        yield tmp_path


@pytest.fixture
def tuppence(place, capsys):
    """Run a command; its text is one line, and printed for whoever runs the test with `-s`."""

    def call(*arguments):
        capsys.readouterr()
        status = run([*map(str, arguments)])
        printed = capsys.readouterr()
        with capsys.disabled():
            print(f"\n$ tuppence {' '.join(arguments)}   -> {status}\n{printed.out}{printed.err}")  # noqa: T201
        return Result(status, printed.out, printed.err)

    return call


@pytest.fixture
def deny(place, provider, monkeypatch):
    """Refuse to write into the store, or only into partitions that are named so."""

    def deny(part=""):
        with Runtime(load(place / "tuppence.toml")) as runtime:
            driver = type(runtime.store.driver)
        put = driver.put

        def denied(self, records, /, **options):
            if any(part in record.key.partition for record in records):
                words = "needs store:Put"
                raise DriverError(
                    ErrorCode.FORBIDDEN, operation="store.put", provider=provider, message=words
                )
            return put(self, records, **options)

        monkeypatch.setattr(driver, "put", denied)

    return deny


def test_a_drain_that_may_not_write_events_is_named_with_what_it_lacks(tuppence, deny):
    deny(".dead")  # where these messages go
    assert tuppence("drain").status == COULD_NOT

    screens = [tuppence("status"), tuppence("doctor")]
    report = tuppence("report", "--week", "this")

    assert [screen.status for screen in screens] == [COULD_NOT, COULD_NOT]
    for screen in (*screens, report):
        text = " ".join(screen.stdout.replace("\u00a0", " ").split())
        assert "Nothing has been drained since" in text
        assert "forbidden, needs store:Put" in text
        assert "3 messages are waiting" in text
    assert "No events have arrived yet" not in report.stdout


def test_a_drain_that_may_not_even_write_its_heartbeat_is_overdue(tuppence, deny):
    deny()
    assert tuppence("drain").status == COULD_NOT

    screens = [tuppence("status"), tuppence("doctor")]
    report = tuppence("report", "--week", "this")

    assert [screen.status for screen in screens] == [COULD_NOT, COULD_NOT]
    for screen in (*screens, report):
        text = " ".join(screen.stdout.replace("\u00a0", " ").split())
        assert "Nothing has been drained since" in text
        assert "3 messages are waiting" in text


def test_a_store_that_cannot_be_reached_is_named_and_hides_no_queue(tuppence, provider, place, monkeypatch):
    unreachable = {
        "local": ("TUPPENCE_STORE__PATH", str(place / "missing" / "events.db")),
        "aws": ("TUPPENCE_STORE__ENDPOINT", "http://127.0.0.1:9"),
        "gcp": ("FIRESTORE_EMULATOR_HOST", "127.0.0.1:9"),
        "azure": ("TUPPENCE_STORE__ACCOUNT", "nowhere"),
    }[provider]
    monkeypatch.setenv(*unreachable)
    if provider == "azure":
        monkeypatch.setenv(
            "AZURE_STORAGE_CONNECTION_STRING",
            "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=a2V5;"
            "TableEndpoint=http://127.0.0.1:9/devstoreaccount1;",
        )
        monkeypatch.delenv("TUPPENCE_STORE__ACCOUNT")

    monkeypatch.setattr(status_command, "PATIENCE", SHORT)  # a store that refuses is asked until it is over

    status, doctor = tuppence("status"), tuppence("doctor")

    assert [status.status, doctor.status] == [COULD_NOT, COULD_NOT]
    assert "queue\t3 messages" in status.stdout
    assert "problem\tstore: " in status.stdout
    assert [line for line in doctor.stdout.splitlines() if line.startswith("wrong\tstore")]


def test_a_schedule_that_was_deleted_is_named(tuppence, place):
    with Runtime(load(place / "tuppence.toml")) as runtime:
        runtime.scheduler.remove("drain")

    for command in ("status", "doctor"):
        result = tuppence(command)

        assert result.status == COULD_NOT
        assert "1 schedule is missing: drain" in result.stdout
