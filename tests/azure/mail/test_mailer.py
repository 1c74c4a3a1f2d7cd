"""What Communication Services refuses, in words: over the wire, from a server that answers as it does."""

import ssl
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import replace

import msgspec
import pytest
import trustme

from azure.drivers import driver_of
from azure.mail.fakes import KEY, Communication, broken, lost, refusal
from emulators import free_port
from tuppence.clock import Deadline, SystemClock
from tuppence.drivers import Attachment, Email, Role
from tuppence.errors import DriverError, ErrorCode
from tuppence.findings import State
from tuppence.settings import Secret
from tuppence.testing import ManualClock
from tuppence_azure.mailer import LOOKS, AcsMailer

MAIL = Email(sender="Bot <bot@example.com>", to="Me <me@example.org>", subject="Hello", text="Hi\n", html="")
REFUSALS = {
    "DomainNotLinked": (404, ErrorCode.NOT_FOUND, "not linked"),
    "InvalidSenderUserName": (400, ErrorCode.INVALID, "sender-username create"),
    "SubscriptionBlocked": (403, ErrorCode.FORBIDDEN, "Azure Support"),
    "TooManyRequests": (429, ErrorCode.THROTTLED, "quota of mails"),
    "Denied": (401, ErrorCode.UNAUTHENTICATED, "Denied"),
    "BadRequest": (400, ErrorCode.INVALID, "BadRequest"),
}


@pytest.fixture
def resource():
    with Communication().running() as resource:
        yield resource


@pytest.fixture
def clock():
    return ManualClock()


@contextmanager
def mailer(resource, clock, monkeypatch, **options):
    monkeypatch.setenv("COMMUNICATION", resource.connection_string)
    options = {"connection_string": Secret(env="COMMUNICATION"), **options}
    with driver_of(AcsMailer, "mybot", clock, **options) as driver:
        yield driver


@pytest.fixture
def driver(resource, clock, monkeypatch):
    with mailer(resource, clock, monkeypatch) as driver:
        yield driver


def send(driver, mail=MAIL, seconds=30.0):
    return driver.send(
        mail, idempotency_key="2026-W47", deadline=Deadline.after(seconds, driver.context.clock)
    )


def methods(resource):
    return [method for method, _, _ in resource.asked]


@pytest.mark.parametrize("name", REFUSALS)
def test_what_the_service_refuses_says_what_to_do_and_names_nobody(resource, driver, name):
    status, code, words = REFUSALS[name]
    resource.planned.append(refusal(status, name, **{"Retry-After": "7"}))

    with pytest.raises(DriverError, match=words) as caught:
        send(driver)

    assert caught.value.code is code
    assert "me@example.org" not in str(caught.value)
    assert methods(resource) == ["POST"], "neither the driver nor the SDK tries again"
    assert driver.context.meter.take() == {}


def test_a_quota_says_when_to_come_again(resource, driver):
    resource.planned.append(refusal(429, "TooManyRequests", **{"Retry-After": "7"}))

    with pytest.raises(DriverError) as caught:
        send(driver)

    assert caught.value.retry_after == 7


@pytest.mark.parametrize("fault", [lost, refusal(500, "InternalServerError")], ids=["reset", "5xx"])
def test_where_an_answer_was_lost_the_service_is_asked_and_knows_the_mail(resource, driver, fault):
    def carried_out(handler, proceed):
        proceed()
        fault(handler, lambda: None)

    resource.planned.append(carried_out)

    mail_id = send(driver)

    assert len(resource.sent) == 1
    assert [path for _, path, _ in resource.asked][1].startswith(f"/emails/operations/{mail_id}?")


def test_a_mail_that_the_service_does_not_know_may_still_come(resource, driver):
    resource.planned.append(broken)

    with pytest.raises(DriverError, match="may have been sent") as caught:
        send(driver)

    assert caught.value.code is ErrorCode.UNKNOWN
    assert methods(resource) == ["POST"] + ["GET"] * LOOKS


def test_a_mail_that_reached_nobody_was_not_sent(driver, monkeypatch):
    monkeypatch.setenv("COMMUNICATION", f"endpoint=http://127.0.0.1:{free_port()}/;accesskey={KEY}")

    with pytest.raises(DriverError, match="cannot be reached") as caught:
        send(driver)

    assert caught.value.code is ErrorCode.UNAVAILABLE


def test_a_mail_that_has_not_left_when_time_is_up_may_be_sent(resource, driver, clock):
    resource.looks = 1_000

    with pytest.raises(DriverError, match="may be sent") as caught:
        send(driver, seconds=60)

    assert caught.value.code is ErrorCode.TIMEOUT
    assert clock.monotonic() <= 60
    assert len(resource.asked) < 12  # a domain of Azure's own may be asked ten times a minute


def test_a_mail_that_was_accepted_is_asked_after_until_the_service_answers_again(resource, driver):
    resource.looks = 2
    resource.planned += [None, broken, refusal(429, "TooManyRequests"), None]

    assert send(driver)
    assert driver.context.meter.take()["communication.mails"] == 1


@pytest.mark.parametrize(
    ("name", "words"),
    [("EmailDroppedAllRecipientsSuppressed", "came back"), ("SomethingElse", "not sent: SomethingElse")],
)
def test_a_mail_that_was_accepted_and_not_sent_is_told(resource, driver, name, words):
    resource.ends = name

    with pytest.raises(DriverError, match=words) as caught:
        send(driver)

    assert caught.value.code is ErrorCode.FORBIDDEN
    assert "me@example.org" not in str(caught.value)


def test_an_answer_that_trickles_does_not_outlast_the_deadline(resource, monkeypatch):
    done = threading.Event()

    def trickling(handler, _):
        handler.wfile.write(b"HTTP/1.1 202 Accepted\r\nx-more: ")
        while not done.wait(0.02):
            handler.wfile.write(b"1")
        handler.close_connection = True

    resource.planned.append(trickling)

    with mailer(resource, SystemClock(), monkeypatch) as driver, pytest.raises(DriverError) as caught:
        send(driver, seconds=0.5)
    done.set()

    assert caught.value.code is ErrorCode.TIMEOUT


def test_the_same_mail_is_told_under_the_same_id(resource, driver):
    ids = []

    def noted(handler, proceed):
        ids.append(handler.headers["Operation-Id"])
        handler.tell(*proceed())

    resource.planned += [noted, None, noted]

    assert [send(driver), send(driver)] == ids
    assert ids[0] == ids[1]


def test_a_mail_that_names_no_sender_is_from_the_configured_one(resource, clock, monkeypatch):
    with mailer(resource, clock, monkeypatch, sender="bot@example.com") as driver:
        send(driver, replace(MAIL, sender=""))

    assert resource.asked[0][2]["senderAddress"] == "bot@example.com"


def test_without_a_sender_nothing_is_sent_and_doctor_says_so(resource, driver):
    with pytest.raises(DriverError, match="names no sender") as caught:
        send(driver, replace(MAIL, sender=""))
    found = list(driver.findings(deadline=Deadline.after(9), to=["me@example.org"]))

    assert caught.value.code is ErrorCode.INVALID
    assert [one.state for one in found] == [State.WRONG]
    assert resource.asked == []


def test_doctor_says_that_many_mails_from_a_domain_of_azures_take_a_while(driver):
    sender, soon = "donotreply@0123.azurecomm.net", Deadline.after(9)

    assert not list(driver.findings(deadline=soon, sender=sender, to=["a@example.org"] * 5))
    assert [one.state for one in driver.findings(deadline=soon, sender=sender, to=["a@example.org"] * 6)] == [
        State.NOTE
    ]


def test_a_mail_over_the_limit_is_not_sent(resource, driver):
    large = Attachment(name="a.bin", content_type="application/octet-stream", body=bytes(7_500_000))

    with pytest.raises(DriverError) as caught:
        send(driver, replace(MAIL, attachments=(large,)))

    assert caught.value.code is ErrorCode.TOO_LARGE
    assert resource.asked == []


def test_a_wrong_key_is_refused_by_the_service(driver, resource, monkeypatch):
    monkeypatch.setenv("COMMUNICATION", resource.connection_string.replace(KEY, "c2VjcmV0"))

    with pytest.raises(DriverError, match="Denied") as caught:
        driver.check()

    assert caught.value.code is ErrorCode.UNAUTHENTICATED


def test_a_connection_string_reaches_the_service_by_tls(tmp_path, clock, monkeypatch):
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))

    with (
        Communication(tls=context).running() as resource,
        mailer(resource, clock, monkeypatch) as driver,
    ):
        assert send(driver)


@pytest.mark.parametrize(
    ("options", "text", "code", "words"),
    [
        ({}, None, ErrorCode.INVALID, "no resource is known; set `endpoint`"),
        ({"connection_string": Secret(env="NOT_SET")}, None, ErrorCode.UNAUTHENTICATED, "NOT_SET is not set"),
        (
            {"connection_string": Secret(env="AZURE_COMMUNICATION_CONNECTION_STRING")},
            "endpoint=https://mine.communication.azure.com/",
            ErrorCode.UNAUTHENTICATED,
            "cannot be read",
        ),
        ({"endpoint": "http://127.0.0.1:1"}, None, ErrorCode.UNAUTHENTICATED, "nowhere unencrypted"),
    ],
)
def test_a_resource_that_cannot_be_called_is_said(options, text, code, words, monkeypatch):
    monkeypatch.delenv("AZURE_COMMUNICATION_CONNECTION_STRING", raising=False)
    if text:
        monkeypatch.setenv("AZURE_COMMUNICATION_CONNECTION_STRING", text)

    with (
        driver_of(AcsMailer, "mybot", **options) as driver,
        pytest.raises(DriverError, match=words) as caught,
    ):
        driver.check()

    assert caught.value.code is code


def test_the_environment_names_the_resource_where_nothing_else_does(resource, clock, monkeypatch):
    monkeypatch.setenv("AZURE_COMMUNICATION_CONNECTION_STRING", resource.connection_string)

    with driver_of(AcsMailer, "mybot", clock) as driver:
        assert send(driver)


def test_the_sdk_is_loaded_when_a_mail_is_sent_and_not_before():
    script = "import sys, tuppence_azure.mailer; print(*{'azure', 'requests'} & set(sys.modules))"

    finished = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)

    assert finished.stdout.strip() == ""


def test_only_the_reporter_may_send():
    with driver_of(AcsMailer, "mybot", endpoint="https://mine.communication.azure.com") as driver:
        permissions = {role: driver.permissions(role) for role in Role}

    assert not permissions[Role.PRODUCER]
    assert not permissions[Role.PROCESSOR]
    assert {one.action for one in permissions[Role.REPORTER]} == {
        "Microsoft.Communication/communicationServices/read",
        "Microsoft.Communication/communicationServices/write",
        "Microsoft.Communication/emailServices/write",
    }
    assert all(one.resource.endswith("/communicationServices/mine") for one in permissions[Role.REPORTER])


@pytest.mark.parametrize("endpoint", ["mine.communication.azure.com", "https://a b", "ftp://mine"])
def test_an_endpoint_that_cannot_be_is_refused_by_the_configuration(endpoint):
    with pytest.raises(msgspec.ValidationError, match="cannot be an endpoint"):
        msgspec.convert({"endpoint": endpoint}, AcsMailer.Options)
