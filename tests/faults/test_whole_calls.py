"""No error of a whole call removes an event, whatever its code and whatever the queue.

Each row captures events while the queue fails in one way, ends the client, mends the cause, and looks for
every event in the report. The rows are printed when the tests of this file are over. `make test` meets one
code of each kind; `FAULTS=each` meets all.
"""

import os
import sys
import time
from contextlib import contextmanager, nullcontext
from zoneinfo import ZoneInfo

import pytest

from aws.faulty import Faulty, error_of
from aws.queues import queues_at
from contract.aws.conftest import _credentials, project
from tuppence import config as configuration
from tuppence import jobs, report
from tuppence.capture import places
from tuppence.capture.client import Client
from tuppence.capture.set_aside import SetAsideFolder
from tuppence.clock import Deadline, SystemClock
from tuppence.errors import DriverError, ErrorCode
from tuppence.local.queue import LocalQueue
from tuppence.report.period import Week
from tuppence.runtime import Runtime

__all__ = ["_credentials", "project"]

pytestmark = pytest.mark.slow

EVENTS = 20
CODES = {
    "InvalidAddress": 400,
    "InvalidParameterValue": 400,
    "InvalidAttributeValue": 400,
    "InvalidAttributeName": 400,
    "ValidationException": 400,
    "MissingParameter": 400,
    "UnsupportedOperation": 400,
    "InvalidSecurity": 403,
    "InvalidClientTokenId": 403,
    "UnrecognizedClientException": 403,
    "SignatureDoesNotMatch": 403,
    "ExpiredToken": 403,
    "AccessDenied": 403,
    "KmsAccessDenied": 400,
    "KmsThrottled": 400,
    "RequestThrottled": 400,
    "ThrottlingException": 400,
    "QueueDoesNotExist": 400,
    "AWS.SimpleQueueService.NonExistentQueue": 400,
    "EmptyBatchRequest": 400,
    "TooManyEntriesInBatchRequest": 400,
    "BatchEntryIdsNotDistinct": 400,
    "InvalidBatchEntryId": 400,
    "BatchRequestTooLong": 400,
    "InternalError": 500,
    "ServiceUnavailable": 503,
    "SomethingNobodyHasHeardOf": 400,
}
"""What SendMessageBatch may answer a whole call with, and the HTTP status.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
"""
EVERY_CODE = os.environ.get("FAULTS") == "each"
SOME_CODES = (
    "InvalidAddress",
    "ValidationException",
    "MissingParameter",
    "InvalidClientTokenId",
    "AccessDenied",
    "RequestThrottled",
    "QueueDoesNotExist",
    "BatchEntryIdsNotDistinct",
    "InternalError",
)
SOME_OF_CORE = (ErrorCode.INVALID, ErrorCode.TOO_LARGE, ErrorCode.UNAUTHENTICATED, ErrorCode.CONFLICT)
ROWS = []


@pytest.fixture(autouse=True, scope="module")
def _table(request):
    """Print what became of the events of each row."""
    yield
    with request.config.pluginmanager.get_plugin("capturemanager").global_and_fixture_disabled():
        for provider, name, captured, flushed, lost, counted in ROWS:
            row = f"{provider:<6} {name:<40} captured {captured}, flush {flushed}, lost {lost}, in the report"
            sys.stdout.write(f"\n{row} {counted}")


@pytest.fixture
def survive(tmp_path):
    """Return what takes events through a failure and its mending, and checks what became of them."""

    def survive(provider, name, queue, *, failing, mended=nullcontext, project="bot"):
        config = configuration.load(
            folder=tmp_path,
            environ={},
            provider="local",
            project=project,
            capture={"directory": str(tmp_path / "j")},
            queue=queue,
        )
        with failing(), Client(config) as client:
            for number in range(EVENTS):
                client.capture("tick", n=number)
            flushed = client.flush(1)
            closed = client.close(1)
            aside = client.stats.set_aside
        left = SetAsideFolder(places.directory(config)).rejections()
        with mended():
            health = send_and_report(config)
        ROWS.append((provider, name, EVENTS, flushed, health.lost, health.accepted))
        assert (flushed, closed) == (False, False)
        assert (aside, left) == (0, [])
        assert (health.accepted, health.lost, health.set_aside) == (EVENTS, 0, 0)

    return survive


def send_and_report(config):
    """Do what a host does once its queue works again; return the report's data health."""
    clock = SystemClock()
    with Runtime(config) as runtime:
        patience = Deadline.after(60)  # a client that was closed may be at its last try
        while not jobs.orphans(runtime, deadline=patience).complete:
            assert not patience.expired
            time.sleep(0.1)
        jobs.drain(runtime, deadline=Deadline.after(60))
        jobs.seal(runtime, deadline=Deadline.after(60))
        week = Week.of(clock.now(), ZoneInfo(config.timezone))
        return report.build(runtime.store, config, week, clock, deadline=Deadline.after(60)).health


@pytest.mark.parametrize("name", CODES if EVERY_CODE else SOME_CODES)
def test_on_sqs_no_code_of_a_whole_call_removes_an_event(survive, ministack_url, project, name):
    def answer(request, forward):
        return error_of(CODES[name], name)

    proxy = Faulty(ministack_url, (answer,))

    @contextmanager
    def failing():
        proxy.rate = 1.0
        yield
        proxy.rate = 0.0

    with queues_at(ministack_url, project), proxy.running():
        survive("aws", name, {"provider": "aws", "endpoint": proxy.url}, failing=failing, project=project)

    assert proxy.met


def test_without_a_region_no_event_is_removed(survive, ministack_url, project, monkeypatch):
    @contextmanager
    def failing():
        with monkeypatch.context() as patch:
            for variable in ("AWS_REGION", "AWS_DEFAULT_REGION"):
                patch.delenv(variable)
            yield

    with queues_at(ministack_url, project):
        survive(
            "aws",
            "no region",
            {"provider": "aws", "endpoint": ministack_url},
            failing=failing,
            project=project,
        )


def test_with_a_malformed_role_no_event_is_removed(survive, ministack_url, project, monkeypatch, tmp_path):
    (tmp_path / "token").write_text("token")

    @contextmanager
    def failing():
        with monkeypatch.context() as patch:
            for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
                patch.delenv(variable)
            patch.setenv("AWS_ROLE_ARN", "my-role")
            patch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
            yield

    with queues_at(ministack_url, project):
        survive(
            "aws",
            "malformed role",
            {"provider": "aws", "endpoint": ministack_url},
            failing=failing,
            project=project,
        )


def test_with_a_wrong_queue_no_event_is_removed(survive, ministack_url, project):
    survive(
        "aws",
        "wrong queue",
        {"provider": "aws", "endpoint": ministack_url},
        failing=nullcontext,
        mended=lambda: queues_at(ministack_url, project),
        project=project,
    )


@pytest.mark.parametrize("code", ErrorCode if EVERY_CODE else SOME_OF_CORE)
def test_on_the_embedded_queue_no_code_of_a_whole_call_removes_an_event(survive, monkeypatch, code):
    def send(self, messages, /, *, deadline):
        raise DriverError(code, operation="queue.send", provider="local")

    @contextmanager
    def failing():
        with monkeypatch.context() as patch:
            patch.setattr(LocalQueue, "send", send)
            yield

    survive("local", code.value, {"path": "queue.db"}, failing=failing)


def test_in_a_folder_that_is_missing_no_event_is_removed(survive, tmp_path):
    survive(
        "local",
        "no such folder",
        {"path": "missing/queue.db"},
        failing=nullcontext,
        mended=lambda: nullcontext((tmp_path / "missing").mkdir()),
    )


def test_beside_a_file_that_is_no_database_no_event_is_removed(survive, tmp_path):
    (tmp_path / "queue.db").write_bytes(b"a file of somebody else's" * 100)
    survive(
        "local",
        "no database",
        {"path": "queue.db"},
        failing=nullcontext,
        mended=lambda: nullcontext((tmp_path / "queue.db").unlink()),
    )
