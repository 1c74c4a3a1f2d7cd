"""What SES refuses, in words: over the wire, from a server that answers as SES does."""

import json
from base64 import b64decode
from contextlib import contextmanager
from dataclasses import replace
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from emulators import free_port
from tuppence.clock import Deadline, SystemClock
from tuppence.drivers import Attachment, Context, Email, Permission, Role
from tuppence.errors import DriverError, ErrorCode
from tuppence.meter import UnitMeter
from tuppence_aws.mailer import SesMailer

MAIL = Email(sender="Bot <bot@example.com>", to="Me <me@example.org>", subject="Hello", text="Hi\n", html="")
REFUSALS = {
    "MessageRejected": (400, ErrorCode.FORBIDDEN, "create-email-identity"),
    "MailFromDomainNotVerifiedException": (400, ErrorCode.FORBIDDEN, "MAIL FROM"),
    "SendingPausedException": (400, ErrorCode.FORBIDDEN, "put-account-sending-attributes"),
    "AccountSuspendedException": (400, ErrorCode.FORBIDDEN, "AWS Support"),
    "NotFoundException": (404, ErrorCode.NOT_FOUND, "no configuration set watched"),
    "TooManyRequestsException": (429, ErrorCode.THROTTLED, "TooManyRequests"),
    "LimitExceededException": (400, ErrorCode.THROTTLED, "LimitExceeded"),
    "BadRequestException": (400, ErrorCode.INVALID, "BadRequest"),
    "InternalFailure": (500, ErrorCode.UNKNOWN, "may have been sent"),
}


class Ses:
    """Answers every call with what it was told to, and keeps what it was asked."""

    def __init__(self):
        self.status, self.kind, self.answer = 200, "", {"MessageId": "0100"}
        self.silent = False
        self.asked = []


@pytest.fixture
def ses():
    """Yield a server of SES's wire protocol."""
    ses = Ses()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            size = int(self.headers.get("Content-Length") or 0)
            ses.asked.append(json.loads(self.rfile.read(size) or b"null"))
            if ses.silent:
                self.close_connection = True
                return
            self.send_response(ses.status)
            body = json.dumps(ses.answer).encode()
            if ses.kind:
                self.send_header("x-amzn-ErrorType", ses.kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST  # noqa: N815 - the name that http.server looks for

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    ses.url = f"http://127.0.0.1:{server.server_port}"
    yield ses
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def mailer(ses, **options):
    context = Context(project="mybot", meter=UnitMeter(), clock=SystemClock())
    driver = SesMailer(SesMailer.Options(endpoint=ses.url, **options), context)
    try:
        yield driver
    finally:
        driver.close()


def send(driver, mail=MAIL):
    return driver.send(mail, idempotency_key="2026-W47", deadline=Deadline.after(10))


@pytest.mark.parametrize("kind", REFUSALS)
def test_what_ses_refuses_says_what_to_do_and_names_nobody(ses, kind):
    status, code, words = REFUSALS[kind]
    ses.status, ses.kind = status, kind
    ses.answer = {"message": "Email address is not verified. Failed the check: me@example.org"}

    with (
        mailer(ses, configuration_set="watched") as driver,
        pytest.raises(DriverError, match=words) as caught,
    ):
        send(driver)

    assert caught.value.code is code
    assert "me@example.org" not in str(caught.value)
    assert len(ses.asked) == 1, "the driver does not try again"
    assert driver.context.meter.take() == {}


def test_a_mail_whose_answer_was_lost_may_have_been_sent(ses):
    ses.silent = True

    with mailer(ses) as driver, pytest.raises(DriverError, match="may have been sent") as caught:
        send(driver)

    assert caught.value.code is ErrorCode.UNKNOWN
    assert len(ses.asked) == 1


def test_a_mail_that_reached_nobody_was_not_sent(ses):
    ses.url = f"http://127.0.0.1:{free_port()}"

    with mailer(ses) as driver, pytest.raises(DriverError, match="cannot be reached") as caught:
        send(driver)

    assert caught.value.code is ErrorCode.UNAVAILABLE


def test_the_whole_message_is_sent_with_its_envelope(ses):
    with mailer(ses, configuration_set="watched") as driver:
        assert send(driver) == "0100"

    (asked,) = ses.asked
    assert asked["FromEmailAddress"] == "bot@example.com"
    assert asked["Destination"] == {"ToAddresses": ["me@example.org"]}
    assert asked["ConfigurationSetName"] == "watched"
    message = message_from_bytes(b64decode(asked["Content"]["Raw"]["Data"]), policy=policy.default)
    assert message["From"] == "Bot <bot@example.com>"
    assert driver.context.meter.take() == {"ses.messages": 1}


@pytest.mark.parametrize(
    ("options", "sender"), [({}, "me@example.org"), ({"sender": "it@example.com"}, "it@example.com")]
)
def test_a_mail_that_names_no_sender_is_from_the_configured_one_or_its_recipient(ses, options, sender):
    with mailer(ses, **options) as driver:
        send(driver, replace(MAIL, sender=""))

    assert ses.asked[0]["FromEmailAddress"] == sender


def test_a_mail_over_the_limit_is_not_sent(ses):
    large = Attachment(name="a.bin", content_type="application/octet-stream", body=bytes(30_000_000))

    with mailer(ses) as driver, pytest.raises(DriverError) as caught:
        send(driver, replace(MAIL, attachments=(large,)))

    assert caught.value.code is ErrorCode.TOO_LARGE
    assert ses.asked == []


def test_check_says_when_sending_is_paused(ses):
    ses.answer = {"SendingEnabled": False, "ProductionAccessEnabled": True}

    with mailer(ses) as driver, pytest.raises(DriverError, match="sending is paused") as caught:
        driver.check()

    assert caught.value.code is ErrorCode.FORBIDDEN


def test_only_the_reporter_may_send():
    context = Context(project="mybot", meter=UnitMeter(), clock=SystemClock())
    driver = SesMailer(SesMailer.Options(region="eu-west-2", configuration_set="watched"), context)

    assert [driver.permissions(role) for role in (Role.PRODUCER, Role.PROCESSOR)] == [(), ()]
    assert driver.permissions(Role.REPORTER) == [
        Permission(action=action, resource=f"arn:aws:ses:eu-west-2:*:{resource}")
        for resource in ("identity/*", "configuration-set/watched")
        for action in ("ses:SendEmail", "ses:SendRawEmail")
    ]
