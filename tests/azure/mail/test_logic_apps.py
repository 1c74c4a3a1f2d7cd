"""What a workflow is handed, and what is made of its answers."""

import json
import re
from dataclasses import replace

import pytest

from azure.drivers import driver_of
from azure.mail.fakes import Workflow, broken, lost, refusal
from emulators import free_port
from emulators.processes import ROOT
from tuppence.clock import Deadline
from tuppence.drivers import Attachment, Email, Role
from tuppence.errors import DriverError, ErrorCode
from tuppence.findings import State
from tuppence.settings import Secret
from tuppence_azure.logic_apps import LogicAppsMailer

MAIL = Email(sender="Bot <bot@example.com>", to="Me <me@example.org>", subject="Hello", text="Hi\n", html="")
DEFINITION = ROOT / "docs" / "how-to" / "logic-apps-mail.json"
REFUSALS = {
    "WorkflowTriggerIsNotEnabled": (400, ErrorCode.NOT_FOUND, "enable it"),
    "WorkflowNotFound": (404, ErrorCode.NOT_FOUND, "no such workflow"),
    "DirectApiAuthorizationRequired": (401, ErrorCode.UNAUTHENTICATED, "lacks its signature"),
    "AuthorizationFailed": (403, ErrorCode.UNAUTHENTICATED, "copy it anew"),
    "TriggerInputSchemaMismatch": (400, ErrorCode.INVALID, "TriggerInputSchemaMismatch"),
    "WorkflowRunsThrottled": (429, ErrorCode.THROTTLED, "WorkflowRunsThrottled"),
    "BadGateway": (502, ErrorCode.UNKNOWN, "may have been sent"),
}


@pytest.fixture
def workflow():
    with Workflow().running() as workflow:
        yield workflow


@pytest.fixture
def driver(workflow, monkeypatch):
    monkeypatch.setenv("TRIGGER", workflow.trigger)
    with driver_of(LogicAppsMailer, "mybot", trigger=Secret(env="TRIGGER")) as driver:
        yield driver


def send(driver, mail=MAIL):
    return driver.send(mail, idempotency_key="2026-W47", deadline=Deadline.after(9))


@pytest.mark.parametrize("name", REFUSALS)
def test_what_a_workflow_refuses_says_what_to_do_and_names_nobody(workflow, driver, name):
    status, code, words = REFUSALS[name]
    workflow.planned.append(refusal(status, name))

    with pytest.raises(DriverError, match=words) as caught:
        send(driver)

    assert caught.value.code is code
    assert "me@example.org" not in str(caught.value)
    assert "c2VjcmV0" not in str(caught.value)
    assert len(workflow.asked) == 1, "the driver does not try again"
    assert driver.context.meter.take() == {}


@pytest.mark.parametrize("fault", [lost, broken])
def test_a_mail_whose_answer_was_lost_may_have_been_sent(workflow, driver, fault):
    workflow.planned.append(fault)

    with pytest.raises(DriverError, match="the mail may have been sent") as caught:
        send(driver)

    assert caught.value.code is ErrorCode.UNKNOWN


def test_a_mail_that_reached_nobody_was_not_sent(driver, monkeypatch):
    monkeypatch.setenv("TRIGGER", f"http://127.0.0.1:{free_port()}/workflows/w1?sig=c2VjcmV0")

    with pytest.raises(DriverError, match="cannot be reached") as caught:
        send(driver)

    assert caught.value.code is ErrorCode.UNAVAILABLE
    assert "c2VjcmV0" not in str(caught.value)


def test_the_run_that_sent_it_is_the_mails_id(workflow, driver):
    assert [send(driver), send(driver)] == ["run1", "run2"]
    assert driver.context.meter.take() == {"logic_apps.requests": 2}


def test_check_runs_no_workflow(workflow, driver):
    driver.check()

    assert [method for method, _, _ in workflow.asked] == ["GET"]
    assert workflow.sent == []


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        (None, ErrorCode.UNAUTHENTICATED, "TRIGGER is not set"),
        ("prod-01.logic.azure.com?sig=c2VjcmV0", ErrorCode.INVALID, "is no URL"),
        ("http://prod-01.logic.azure.com/w?sig=c2VjcmV0", ErrorCode.INVALID, "nowhere unencrypted"),
    ],
)
def test_a_trigger_that_cannot_be_is_said_without_repeating_it(driver, monkeypatch, text, code, words):
    monkeypatch.delenv("TRIGGER")
    if text:
        monkeypatch.setenv("TRIGGER", text)

    with pytest.raises(DriverError, match=words) as caught:
        send(driver)

    assert caught.value.code is code
    assert "c2VjcmV0" not in str(caught.value)


def test_a_workflow_has_to_be_named():
    with driver_of(LogicAppsMailer, "mybot") as driver, pytest.raises(DriverError, match="set `trigger`"):
        driver.check()


def test_a_mail_over_the_limit_is_not_sent(workflow, driver):
    large = Attachment(name="a.bin", content_type="application/octet-stream", body=bytes(7_500_000))

    with pytest.raises(DriverError) as caught:
        send(driver, replace(MAIL, attachments=(large,)))

    assert caught.value.code is ErrorCode.TOO_LARGE
    assert workflow.asked == []


def test_doctor_says_that_the_workflow_writes_the_sender(driver):
    found = list(driver.findings(deadline=Deadline.after(9), sender="bot@example.com", to=["me@example.org"]))

    assert [one.state for one in found] == [State.NOTE]


def test_whoever_has_the_trigger_may_send(driver):
    assert [driver.permissions(role) for role in Role] == [()] * len(Role)


def test_the_workflow_of_the_guide_reads_what_is_sent_and_nothing_else(workflow, driver):
    attachment = Attachment(name="a.csv", content_type="text/csv", body=b"a")
    send(driver, replace(MAIL, html="<p>Hi</p>", attachments=(attachment,)))
    (_, _, told) = workflow.asked[0]

    definition = json.loads(DEFINITION.read_text("utf-8"))
    trigger = definition["definition"]["triggers"]["manual"]

    assert set(trigger["inputs"]["schema"]["properties"]) == set(told)
    read = re.findall(r"triggerBody\(\)\?\['(\w+)'\]", DEFINITION.read_text("utf-8"))
    assert set(read) <= set(told)
    assert trigger["inputs"]["method"] == "POST"
    answers = [
        action for action in definition["definition"]["actions"].values() if action["type"] == "Response"
    ]
    assert sorted(action["inputs"]["statusCode"] for action in answers) == [200, 502]
