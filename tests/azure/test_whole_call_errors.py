"""No error of a whole call to Azure removes an event: it is kept while that lasts, then sent and counted."""

import os

import pytest
from azure.servicebus import ServiceBusSender, exceptions

from aws.faulty import Faulty
from azure.faults import error_of
from azure.queues import broker_queue, queue_at
from pipeline.whole_calls import PROJECT, Project, check
from tuppence.capture import packer

pytestmark = pytest.mark.slow  # each of the errors is met by a client of its own

STORAGE = {
    "InvalidQueryParameterValue": 400,
    "InvalidHeaderValue": 400,
    "InvalidUri": 400,
    "InvalidXmlDocument": 400,
    "MissingRequiredHeader": 400,
    "OutOfRangeInput": 400,
    "UnsupportedHeader": 400,
    "AuthenticationFailed": 403,
    "AuthorizationFailure": 403,
    "AuthorizationPermissionMismatch": 403,
    "AccountIsDisabled": 403,
    "QueueNotFound": 404,
    "QueueDisabled": 409,
    "ResourceTypeMismatch": 409,
    "InternalError": 500,
    "OperationTimedOut": 500,
    "ServerBusy": 503,
    "a code of its own": 400,
}
"""https://learn.microsoft.com/rest/api/storageservices/queue-service-error-codes, read November 2026."""
SERVICE_BUS = [
    exceptions.MessageSizeExceededError,
    exceptions.MessagingEntityDisabledError,
    exceptions.MessagingEntityNotFoundError,
    exceptions.OperationTimeoutError,
    exceptions.ServiceBusAuthenticationError,
    exceptions.ServiceBusAuthorizationError,
    exceptions.ServiceBusCommunicationError,
    exceptions.ServiceBusConnectionError,
    exceptions.ServiceBusError,
    exceptions.ServiceBusQuotaExceededError,
    exceptions.ServiceBusServerBusyError,
    ValueError,
]


@pytest.fixture
def proxy(connection_string, monkeypatch):
    """Run a proxy before Azurite's queues, whose connection string is that of THROUGH."""
    told = dict(part.split("=", 1) for part in connection_string.split(";"))
    with Faulty(told["QueueEndpoint"]).running() as proxy:
        told["QueueEndpoint"] = f"{proxy.url}/devstoreaccount1"
        monkeypatch.setenv("THROUGH", ";".join(f"{name}={value}" for name, value in told.items()))
        yield proxy


def failing_with(proxy, answer):
    """Let the proxy answer so from now on."""

    def failing(request, forward):
        return answer

    proxy.faults, proxy.rate = (failing,), 1.0


def test_no_error_of_a_whole_call_to_a_storage_queue_removes_an_event(
    connection_string, proxy, tmp_path, monkeypatch, record_property
):
    through = {"provider": "azure", "service": "storage", "connection_string": {"env": "THROUGH"}}
    project = Project(tmp_path, through)

    def mend():
        proxy.rate = 0.0

    def mistyped(text):
        return lambda: monkeypatch.setenv("THROUGH", text)

    with queue_at(connection_string, f"tuppence-{PROJECT}"):
        for name, status in STORAGE.items():
            answer = error_of(status, name)
            project.capture_through(name, lambda answer=answer: failing_with(proxy, answer), mend)
        text = os.environ["THROUGH"]
        for name, wrong in (
            ("key mistyped", text.replace("AccountKey=", "AccountKey=!")),
            ("no account", "x"),
        ):
            project.capture_through(name, mistyped(wrong), mistyped(text))
        counted = project.counted()

    check(project, counted)
    record_property("summary", project.table("Storage Queue"))


def test_what_follows_an_accepted_message_is_kept_too(connection_string, proxy, tmp_path, monkeypatch):
    """The service answers message by message: the first is accepted, and then the address is refused."""
    monkeypatch.setattr(packer, "MAX_EVENTS", 5)
    through = {"provider": "azure", "service": "storage", "connection_string": {"env": "THROUGH"}}
    project = Project(tmp_path, through)

    def fail():
        proxy.planned.append(None)
        failing_with(proxy, error_of(400, "InvalidHeaderValue"))

    def mend():
        proxy.rate = 0.0

    with queue_at(connection_string, f"tuppence-{PROJECT}"):
        project.capture_through("after the first", fail, mend)
        counted = project.counted()

    check(project, counted)


def test_no_error_of_a_whole_call_to_service_bus_removes_an_event(
    broker, namespace, queue_files, tmp_path, monkeypatch, record_property
):
    monkeypatch.setenv("THROUGH", broker)
    project = Project(tmp_path, {"provider": "azure", "connection_string": {"env": "THROUGH"}})
    send = ServiceBusSender.send_messages

    def raising(error):
        def raises(*_, **__):
            raise (
                error(message="made up")
                if issubclass(error, exceptions.ServiceBusError)
                else error("made up")
            )

        return lambda: monkeypatch.setattr(ServiceBusSender, "send_messages", raises)

    def mend():
        monkeypatch.setattr(ServiceBusSender, "send_messages", send)

    with broker_queue(queue_files, f"tuppence-{PROJECT}", lock=30):
        for error in SERVICE_BUS:
            project.capture_through(error.__name__, raising(error), mend)
        for name, wrong in (("connection string malformed", "nonsense"), ("no connection string", "")):
            project.capture_through(
                name,
                lambda wrong=wrong: monkeypatch.setenv("THROUGH", wrong),
                lambda: monkeypatch.setenv("THROUGH", broker),
            )
        counted = project.counted()

    check(project, counted)
    record_property("summary", project.table("Service Bus"))
