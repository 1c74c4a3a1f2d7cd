"""Everything on an emulator of AWS, from nothing to the first mail and back to nothing."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from tuppence import Client
from tuppence.cli.app import DONE
from tuppence.clock import SystemClock
from tuppence_aws.mailer import SesMailer
from tuppence_aws.queue import SqsQueue

REGION = "eu-west-2"
LISTS = {
    "cloudwatch": ("describe_alarms", "MetricAlarms"),
    "dynamodb": ("list_tables", "TableNames"),
    "lambda": ("list_functions", "Functions"),
    "logs": ("describe_log_groups", "logGroups"),
    "scheduler": ("list_schedules", "Schedules"),
    "sqs": ("list_queues", "QueueUrls"),
}
FORGOTTEN = {"aws_cloudwatch_metric_alarm.dead_letters", "aws_cloudwatch_metric_alarm.errors"}
"""The emulator does not keep all it is told of an alarm, so a second plan tells it again."""
IDENTITY = 'identity = "me@example.com"\n'
LOOKS = 60
PAUSE = 3.0
"""Seconds between looks for what a schedule does every minute; the emulator's run on real time."""


@pytest.fixture
def account(ministack_url, monkeypatch):
    """Return what makes clients of the emulator."""
    return lambda service: boto3.client(service, endpoint_url=ministack_url, region_name=REGION)


@pytest.fixture
def _gaps(monkeypatch):
    """Declare what the emulator alone asks for: a queue's batches by name, and mail from any resource.

    AWS knows no names of batches, and mail is sent from an identity:
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html and
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsimpleemailservicev2.html.
    """

    def and_also(driver, **more):
        declared = driver.permissions

        def permissions(self, role):
            allowed = declared(self, role)
            also = [
                replace(one, **{key: value(getattr(one, key)) for key, value in more.items()})
                for one in allowed
            ]
            return [*allowed, *also]

        monkeypatch.setattr(driver, "permissions", permissions)

    and_also(SqsQueue, action="{}Batch".format)
    and_also(SesMailer, resource=lambda _: "*")


def everything(account, project):
    """Return what there is of a project, by service."""
    found = {name: getattr(account(name), call)().get(key, []) for name, (call, key) in LISTS.items()}
    iam = account("iam")
    found["roles"] = iam.list_roles()["Roles"]
    found["policies"] = iam.list_policies(Scope="Local")["Policies"]
    found["groups"] = account("scheduler").list_schedule_groups()["ScheduleGroups"]
    found["mappings"] = account("lambda").list_event_source_mappings()["EventSourceMappings"]
    return {
        name: ours
        for name, many in found.items()
        if (ours := [one for one in many if project in json.dumps(one, default=str)])
    }


def as_producer(account, monkeypatch, policy):
    """Go on as a user who has this policy and no other."""
    iam = account("iam")
    iam.create_user(UserName="application")
    iam.attach_user_policy(UserName="application", PolicyArn=policy)
    key = iam.create_access_key(UserName="application")["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])


def last_week(number):
    """Return import lines of last week's questions."""
    at = datetime.now(UTC) - timedelta(days=datetime.now(UTC).weekday() + 4)
    return "".join(
        json.dumps(
            {"id": f"q{n}", "type": "question", "time": at.isoformat(), "data": {"text": f"Open on {n}?"}}
        )
        + "\n"
        for n in range(number)
    )


def hurry(account, project, name):
    """Have a schedule that is due every hour be due every minute."""
    scheduler = account("scheduler")
    known = scheduler.get_schedule(Name=name, GroupName=f"tuppence-{project}")
    kept = ("Name", "GroupName", "FlexibleTimeWindow", "State", "Target")
    scheduler.update_schedule(**{key: known[key] for key in kept}, ScheduleExpression="rate(1 minute)")


def drained(tuppence):
    """Return whether nothing is left in the queue."""
    return not tuppence("status", "--json").json["queue"]["messages"]


def awaited(look):
    """Return the first thing that is found."""
    for _ in range(LOOKS):
        if found := look():
            return found
        SystemClock().sleep(PAUSE)
    raise AssertionError(f"nothing in {LOOKS * PAUSE} s")


def mails(ministack_url, project):
    with urllib.request.urlopen(f"{ministack_url}/_ministack/ses/messages") as answer:
        accounts = json.load(answer)["messages"].values()
    return [mail for sent in accounts for mail in sent if project in mail["Subject"]]


@pytest.mark.slow
@pytest.mark.timeout(1800)  # five minutes, of which most is spent waiting; four times that on a busy machine
@pytest.mark.usefixtures("package", "_gaps")
def test_from_an_empty_account_to_the_first_mail_and_back(
    tuppence, write, tmp_path, account, ministack_url, project, monkeypatch
):
    place = write(ministack_url, mailer=IDENTITY)
    (tmp_path / "week.ndjson").write_text(last_week(30), encoding="utf-8")

    deployed = tuppence("deploy", "--yes", "--json")

    assert deployed.status == DONE, deployed
    assert deployed.json["schedules"] == ["drain", "seal", "report"]
    examined = tuppence("doctor", "--json", "--debug")
    assert examined.json.get("healthy"), examined
    policy = deployed.json["outputs"]["producer_policy_arn"]

    with monkeypatch.context() as producer:
        as_producer(account, producer, policy)
        client = Client(config=place)
        client.capture("signup", user="u1")
        assert client.flush(30)
        client.close()
        assert tuppence("import", "week.ndjson").status == DONE
        assert tuppence("status").status != DONE

    again = tuppence("deploy", "--plan", "--json")

    assert again.status == DONE, again
    assert {change["resource"] for change in again.json["changes"]} <= FORGOTTEN

    hurry(account, project, "seal")
    assert awaited(lambda: drained(tuppence))
    (mail,) = awaited(lambda: mails(ministack_url, project))
    assert mail["To"] == ["me@example.com"]
    assert "30 questions" in mail["BodyText"], mail

    write(ministack_url, mailer=IDENTITY, trigger="event")
    changed = tuppence("deploy", "--yes", "--json")

    assert changed.status == DONE, changed
    assert awaited(lambda: not tuppence("status", "--json").json["waiting_hours"])  # sealed, but for the next
    with Client(config=place) as client:
        client.capture("signup", user="u2")
        assert client.flush(30)
    assert awaited(lambda: tuppence("status", "--json").json["waiting_hours"])

    account("iam").detach_user_policy(UserName="application", PolicyArn=policy)
    destroyed = tuppence("destroy", "--yes", "--json")

    assert destroyed.status == DONE, destroyed
    assert everything(account, project) == {}
    assert not account("sesv2").list_email_identities()["EmailIdentities"]
