"""SendGrid's mailer and its server, which SendGrid's own client and helpers check over the wire."""

import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from python_http_client.exceptions import UnauthorizedError
from sendgrid import SendGridAPIClient
from sendgrid.helpers import mail as helpers

from aws.faulty import Answer
from aws.listening import listening, silent, trickling
from emulators import free_port
from gcp.mail.mails import DOUBTS, LARGE, MAIL, SERVERS
from gcp.mail_services import complaint
from tuppence.clock import Deadline
from tuppence.drivers import Attachment, Role
from tuppence.errors import DriverError, ErrorCode
from tuppence.mime import address_in, compose
from tuppence.settings import Secret
from tuppence_gcp.mailer import SendGridMailer, told_of
from tuppence_gcp.mailing import Addresses

CSV = Attachment(name="week.csv", content_type="text/csv", body=b"a,b\r\n")
REFUSALS = {
    "unknown key": (complaint(401, "expired, or revoked"), ErrorCode.UNAUTHENTICATED, "API Keys"),
    "trial over": (complaint(401, "Maximum credits exceeded"), ErrorCode.FORBIDDEN, "ended its free plan"),
    "no Mail Send": (complaint(403, "access forbidden"), ErrorCode.FORBIDDEN, "has Mail Send"),
    "too large": (complaint(413, "me@example.org"), ErrorCode.TOO_LARGE, "larger than SendGrid takes"),
    "not valid": (complaint(400, "me@example.org", "headers"), ErrorCode.INVALID, "complains about headers"),
    "no JSON": (Answer(400, {}, b"me@example.org"), ErrorCode.INVALID, "status 400"),
}


def send(driver, mail=MAIL, seconds=10):
    return driver.send(mail, idempotency_key="2026-W47", deadline=Deadline.after(seconds))


def test_the_official_client_is_answered_as_by_sendgrid(sendgrid):
    mail = helpers.Mail("bot@example.com", "me@example.org", "Hello", "Hi", "<p>Hi</p>")

    answer = SendGridAPIClient(sendgrid.key, host=sendgrid.url).send(mail)

    assert (answer.status_code, bool(answer.headers["X-Message-Id"]), answer.body) == (202, True, b"")
    assert sendgrid.mails[0]["Subject"] == "Hello"
    with pytest.raises(UnauthorizedError):
        SendGridAPIClient("another", host=sendgrid.url).send(mail)


def test_a_mail_is_told_as_the_official_helpers_tell_it():
    mail = replace(MAIL, html="<p>Hi</p>", headers={"Auto-Submitted": "auto-generated"}, attachments=(CSV,))
    theirs = helpers.Mail(("bot@example.com", "Bot"), ("me@example.org", "Me"), "Hello", "Hi\n", "<p>Hi</p>")
    theirs.add_header(helpers.Header("Auto-Submitted", "auto-generated"))
    theirs.add_attachment(helpers.Attachment("YSxiDQo=", "week.csv", "text/csv", "attachment"))
    theirs.tracking_settings = helpers.TrackingSettings(
        helpers.ClickTracking(enable=False, enable_text=False), helpers.OpenTracking(enable=False)
    )

    message = compose(mail, default_sender="", key="one", date=datetime.now(UTC))
    ours = told_of(mail, Addresses(address_in(message, "From"), address_in(message, "To")))

    assert ours == theirs.get()


def test_the_id_is_sendgrids_and_a_mail_is_counted(by_sendgrid, sendgrid):
    sendgrid.instead = Answer(202, {"X-Message-Id": "14c5d75ce93"}, b"")
    driver = by_sendgrid()

    assert send(driver) == "14c5d75ce93"
    assert driver.context.meter.take() == {"sendgrid.mails": 1}
    assert sendgrid.bodies[0]["tracking_settings"]["open_tracking"] == {"enable": False}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_sendgrid_refuses_says_what_to_do_and_names_nobody(by_sendgrid, sendgrid, case):
    sendgrid.instead, code, words = REFUSALS[case]
    driver = by_sendgrid()

    with pytest.raises(DriverError, match=words) as caught:
        send(driver)

    assert caught.value.code is code
    assert "me@example.org" not in str(caught.value)
    assert sendgrid.asked == 1, "the driver does not try again"
    assert driver.context.meter.take() == {}


def test_a_sender_that_is_not_verified_is_refused_with_what_to_do(by_sendgrid):
    with pytest.raises(DriverError, match="Sender Authentication") as caught:
        send(by_sendgrid(), replace(MAIL, sender="nobody@example.net"))

    assert caught.value.code is ErrorCode.FORBIDDEN


@pytest.mark.parametrize("header", ["Retry-After", "X-RateLimit-Reset"])
def test_sendgrid_is_left_alone_for_as_long_as_it_asks(by_sendgrid, sendgrid, header):
    seconds = 90 if header == "Retry-After" else int(time.time()) + 90
    sendgrid.instead = Answer(429, {header: f"{seconds}"}, b"")

    with pytest.raises(DriverError) as caught:
        send(by_sendgrid())

    assert caught.value.code is ErrorCode.THROTTLED
    assert caught.value.retry_after == pytest.approx(90, abs=5)


@pytest.mark.parametrize("status", SERVERS)
def test_a_mail_during_which_sendgrid_fails_may_have_been_sent(by_sendgrid, sendgrid, status):
    sendgrid.instead = SERVERS[status]

    with pytest.raises(DriverError, match=f"status {status}; the mail may have been sent") as caught:
        send(by_sendgrid())

    assert caught.value.code is ErrorCode.UNKNOWN


@pytest.mark.parametrize("case", DOUBTS)
def test_a_mail_whose_answer_does_not_come_may_have_been_sent(by_sendgrid, sendgrid, case):
    fault, code, words = DOUBTS[case]
    sendgrid.planned.append(fault)

    with pytest.raises(DriverError, match=words) as caught:
        send(by_sendgrid(), seconds=0.5)

    assert caught.value.code is code
    assert sendgrid.asked == 1


@pytest.mark.parametrize("serve", [silent, trickling])
def test_a_mail_ends_at_its_deadline_however_the_answer_comes(opened, sendgrid, serve):
    with listening(serve) as port:
        driver = opened(SendGridMailer, f"http://127.0.0.1:{port}")

        with pytest.raises(DriverError, match="may have been sent") as caught:
            send(driver, seconds=0.5)

    assert caught.value.code is ErrorCode.TIMEOUT


def test_a_mail_that_reached_nobody_was_not_sent(opened, sendgrid):
    driver = opened(SendGridMailer, f"http://127.0.0.1:{free_port()}")

    with pytest.raises(DriverError, match="cannot be reached") as caught:
        send(driver)

    assert caught.value.code is ErrorCode.UNAVAILABLE


def test_what_sendgrid_would_not_take_is_not_sent(by_sendgrid, sendgrid):
    empty = replace(CSV, body=b"")
    large = replace(CSV, body=bytes(LARGE))

    for attachment, code in ((empty, ErrorCode.INVALID), (large, ErrorCode.TOO_LARGE)):
        with pytest.raises(DriverError) as caught:
            send(by_sendgrid(), replace(MAIL, attachments=(attachment,)))
        assert caught.value.code is code

    assert sendgrid.requests == []


def test_a_recipients_name_that_sendgrid_does_not_take_is_left_out(by_sendgrid, sendgrid):
    send(by_sendgrid(), replace(MAIL, to='"Doe, Jane" <me@example.org>'))

    assert sendgrid.mails[0]["To"] == "me@example.org"


def test_check_says_what_key_and_sender_may_not(by_sendgrid, sendgrid):
    by_sendgrid(sender="bot@example.com").check()
    by_sendgrid(sender="another@example.com").check()  # of a domain that is authenticated

    with pytest.raises(DriverError, match="Sender Authentication") as caught:
        by_sendgrid(sender="nobody@example.net").check()
    assert caught.value.code is ErrorCode.NOT_FOUND

    sendgrid.restricted = True
    by_sendgrid(sender="nobody@example.net").check()  # the key may send, and see no more

    sendgrid.instead = Answer(200, {}, b'{"scopes": ["alerts.read"]}')
    with pytest.raises(DriverError, match="give it Mail Send") as caught:
        by_sendgrid().check()
    assert caught.value.code is ErrorCode.FORBIDDEN


@pytest.mark.parametrize("value", [None, "", "a b", "schlüssel"])
def test_a_key_that_is_none_is_said_and_not_shown(by_sendgrid, sendgrid, monkeypatch, value):
    monkeypatch.delenv("SENDGRID_API_KEY")
    if value is not None:
        monkeypatch.setenv("MY_KEY", value)

    with pytest.raises(DriverError) as caught:
        send(by_sendgrid(api_key=Secret(env="MY_KEY")))

    assert caught.value.code is ErrorCode.UNAUTHENTICATED
    assert not value or value not in str(caught.value)
    assert sendgrid.requests == []


@pytest.mark.parametrize(
    "endpoint", ["http://example.com", "api.sendgrid.com", "http://127.0.0.1.example.com"]
)
def test_the_key_goes_nowhere_unencrypted(endpoint):
    with pytest.raises(ValueError, match="must begin with https"):
        SendGridMailer.Options(endpoint=endpoint)


def test_the_client_is_loaded_when_something_is_asked(by_sendgrid):
    told = "import sys, tuppence_gcp.mailer; print([name for name in sys.modules if 'sendgrid' in name])"

    loaded = subprocess.run([sys.executable, "-c", told], check=True, capture_output=True, text=True).stdout

    assert loaded.strip() == "[]"
    assert [by_sendgrid().permissions(role) for role in Role] == [(), (), ()]
