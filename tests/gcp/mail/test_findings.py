"""What the doctor is told of both mailers."""

import pytest

from aws.faulty import Answer
from tuppence.clock import Deadline
from tuppence.findings import State


@pytest.fixture
def told():
    """Return what a driver finds, as states and words."""

    def told(driver, **addresses):
        found = list(driver.findings(deadline=Deadline.after(10), **addresses))
        assert all(one.mend for one in found if one.state is State.WRONG)
        assert not any("@" in one.detail for one in found), "it names an address"
        return [(one.state, f"{one.detail} {one.mend}") for one in found]

    return told


def test_of_sendgrid_it_is_said_that_nothing_is_free_and_what_is(by_sendgrid, told):
    (plan, sender) = told(by_sendgrid(), sender="bot@example.com")

    assert plan[0] is State.NOTE
    for words in ("ended its free plan", 'provider = "local"', 'service = "resend"'):
        assert words in plan[1]
    assert sender == (State.OK, "the sender is verified with SendGrid ")


def test_senders_for_whom_sendgrid_sends_nothing_are_numbered(by_sendgrid, told):
    (_, sender) = told(by_sendgrid(), sender="nobody@example.net")
    (_, recipient) = told(by_sendgrid(), to=["me@example.com", "me@example.net"])

    assert sender[0] is recipient[0] is State.WRONG
    assert "number 2" in recipient[1]


def test_a_key_that_may_only_send_hides_the_rest(by_sendgrid, sendgrid, by_resend, resend, told):
    sendgrid.restricted = resend.restricted = True

    for driver in (by_sendgrid(), by_resend()):
        state, words = told(driver, sender="bot@example.com")[-1]
        assert (state, "may only send" in words) == (State.NOTE, True)


@pytest.mark.parametrize("status", ["not_started", "pending", "failed", None])
def test_a_domain_for_which_resend_sends_nothing_is_wrong(by_resend, resend, told, status):
    resend.domains = () if status is None else (("example.com", status),)

    (found,) = told(by_resend(), sender="bot@example.com")

    assert found[0] is State.WRONG
    assert (status or "not known").replace("_", " ") in found[1]


def test_of_resend_it_is_said_when_mails_are_tracked(by_resend, resend, told):
    assert told(by_resend(), to=["me@example.com"]) == [
        (State.OK, "the sender's domain is verified with Resend ")
    ]

    resend.tracking = True

    ((state, words),) = told(by_resend(), to=["me@example.com"])
    assert (state, "Switch tracking off" in words) == (State.NOTE, True)


def test_a_service_that_fails_is_a_note(by_sendgrid, sendgrid, by_resend, resend, told):
    sendgrid.instead = resend.instead = Answer(503, {}, b"")

    for driver in (by_sendgrid(), by_resend()):
        assert told(driver, sender="bot@example.com")[-1] == (
            State.NOTE,
            "status 503 Run `tuppence doctor` again.",
        )
