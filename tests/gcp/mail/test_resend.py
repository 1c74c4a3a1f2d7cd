"""Resend's mailer, against a server that takes and answers what the API's description says."""

from dataclasses import replace

import pytest

from aws.faulty import Answer, lost
from gcp.mail.mails import DOUBTS, MAIL, SERVERS
from gcp.mail_services import refusal
from tuppence.clock import Deadline
from tuppence.errors import DriverError, ErrorCode
from tuppence.mime import digest

DAY = 86_400
REFUSALS = {
    "no key": (refusal(401, "missing_api_key", "no"), ErrorCode.UNAUTHENTICATED, "api-keys", None),
    "old name": (refusal(403, "invalid_api_key", "no"), ErrorCode.UNAUTHENTICATED, "api-keys", None),
    "the day's": (refusal(429, "daily_quota_exceeded", "no"), ErrorCode.THROTTLED, "100 a day", DAY),
    "the month's": (refusal(429, "monthly_quota_exceeded", "no"), ErrorCode.THROTTLED, "100 a day", DAY),
    "too often": (
        refusal(429, "rate_limit_exceeded", "no", **{"Retry-After": "2"}),
        ErrorCode.THROTTLED,
        "fewer calls",
        2,
    ),
    "at once": (
        refusal(409, "concurrent_idempotent_requests", "no"),
        ErrorCode.UNKNOWN,
        "being sent at this moment",
        None,
    ),
    "field": (
        refusal(422, "invalid_parameter", "me@example.org"),
        ErrorCode.INVALID,
        "invalid_parameter",
        None,
    ),
    "no JSON": (Answer(400, {}, b"me@example.org"), ErrorCode.INVALID, "status 400", None),
    "large": (Answer(413, {}, b""), ErrorCode.TOO_LARGE, "status 413", None),
}


def send(driver, mail=MAIL, key="2026-W47", seconds=10):
    return driver.send(mail, idempotency_key=key, deadline=Deadline.after(seconds))


def test_a_mail_is_told_as_the_description_says(by_resend, resend):
    send(by_resend(), replace(MAIL, html="<p>Hi</p>", headers={"Auto-Submitted": "auto-generated"}))

    (request,) = resend.requests
    headers = {name.lower(): value for name, value in request.headers.items()}
    assert headers["idempotency-key"] == digest("2026-W47")
    assert headers["user-agent"].startswith("tuppence/")
    assert resend.bodies == [
        {
            "from": "Bot <bot@example.com>",
            "to": ["Me <me@example.org>"],
            "subject": "Hello",
            "text": "Hi\n",
            "html": "<p>Hi</p>",
            "headers": {"Auto-Submitted": "auto-generated"},
        }
    ]


def test_a_mail_whose_answer_was_lost_is_asked_for_again_and_sent_once(by_resend, resend):
    resend.planned.append(lost)
    driver = by_resend()
    with pytest.raises(DriverError):
        send(driver)

    again = send(driver)

    assert again == send(driver)
    assert len(resend.mails) == 1


def test_another_mail_under_the_same_key_is_a_conflict(by_resend, resend):
    driver = by_resend()
    send(driver)

    with pytest.raises(DriverError, match="another mail was sent") as caught:
        send(driver, replace(MAIL, subject="Another"))

    assert caught.value.code is ErrorCode.CONFLICT
    assert len(resend.mails) == 1


@pytest.mark.parametrize("case", REFUSALS)
def test_what_resend_refuses_says_what_to_do_and_names_nobody(by_resend, resend, case):
    resend.instead, code, words, pause = REFUSALS[case]
    driver = by_resend()

    with pytest.raises(DriverError, match=words) as caught:
        send(driver)

    assert (caught.value.code, caught.value.retry_after) == (code, pause)
    assert "me@example.org" not in str(caught.value)
    assert resend.asked == 1, "the driver does not try again"
    assert driver.context.meter.take() == {}


def test_a_key_or_a_sender_that_resend_does_not_know_is_said(by_resend, resend):
    with pytest.raises(DriverError, match=r"resend\.com/domains") as sender:
        send(by_resend(), replace(MAIL, sender="nobody@example.net"))
    resend.key = "another"
    with pytest.raises(DriverError, match="api-keys") as key:
        send(by_resend())

    assert (sender.value.code, key.value.code) == (ErrorCode.FORBIDDEN, ErrorCode.UNAUTHENTICATED)


@pytest.mark.parametrize("status", SERVERS)
def test_a_mail_during_which_resend_fails_may_have_been_sent(by_resend, resend, status):
    resend.instead = SERVERS[status]

    with pytest.raises(DriverError, match="may have been sent") as caught:
        send(by_resend())

    assert caught.value.code is ErrorCode.UNKNOWN


@pytest.mark.parametrize("case", DOUBTS)
def test_a_mail_whose_answer_does_not_come_may_have_been_sent(by_resend, resend, case):
    fault, code, words = DOUBTS[case]
    resend.planned.append(fault)

    with pytest.raises(DriverError, match=words) as caught:
        send(by_resend(), seconds=0.5)

    assert caught.value.code is code


def test_an_id_that_cannot_be_read_is_no_reason_to_send_again(by_resend, resend):
    resend.instead = Answer(200, {}, b"<html>")

    assert send(by_resend()) == digest("2026-W47")


def test_check_says_when_the_senders_domain_is_not_there(by_resend, resend):
    by_resend(sender="bot@example.com").check()
    by_resend(sender="onboarding@resend.dev").check()

    with pytest.raises(DriverError, match="does not know the sender's domain") as caught:
        by_resend(sender="nobody@example.net").check()
    assert caught.value.code is ErrorCode.NOT_FOUND

    resend.restricted = True
    by_resend(sender="nobody@example.net").check()  # the key may send, and see no more
