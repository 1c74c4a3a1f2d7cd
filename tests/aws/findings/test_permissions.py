"""Someone who may do some things is told what each of the others takes, and sees what they may."""

from __future__ import annotations

import json

import pytest

from aws.functions import client_at
from tuppence.cli.app import COULD_NOT

ALLOWED = (
    "dynamodb:DescribeTable",
    "lambda:GetFunctionConfiguration",
    "scheduler:GetScheduleGroup",
    "ses:GetAccount",
    "sqs:GetQueueAttributes",
)
NEEDED = (
    "dynamodb:DescribeTimeToLive on arn:aws:dynamodb:eu-west-2:*:table/tuppence-{project}",
    "iam:GetPolicy on arn:aws:iam::000000000000:policy/tuppence-{project}-producer",
    "lambda:GetFunctionConcurrency on arn:aws:lambda:eu-west-2:*:function:tuppence-{project}-drain",
    "lambda:GetFunctionConcurrency on arn:aws:lambda:eu-west-2:*:function:tuppence-{project}-report",
    "scheduler:ListSchedules on arn:aws:scheduler:eu-west-2:*:schedule/tuppence-{project}/*",
    "ses:GetEmailIdentity on arn:aws:ses:eu-west-2:*:identity/*",
)
"""What the doctor does beside; the emulator lets everyone ask for Lambda's quota."""


@pytest.fixture
def _limited(made, project, monkeypatch):
    """Go on as a user with a few permissions, which the emulator enforces."""
    policy = {"Effect": "Allow", "Action": ALLOWED, "Resource": "*"}
    with client_at(made, "iam") as iam:
        iam.create_user(UserName=project)
        document = json.dumps({"Version": "2012-10-17", "Statement": [policy]})
        iam.put_user_policy(UserName=project, PolicyName="some", PolicyDocument=document)
        key = iam.create_access_key(UserName=project)["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])


@pytest.mark.usefixtures("_limited")
def test_a_missing_permission_is_named_by_action_and_resource_and_hides_nothing(doctor, project):
    told = doctor()

    assert told.status == COULD_NOT
    assert [one for one in NEEDED if f"needs {one.format(project=project)}" not in told.text] == []
    assert any(f"as user {project}" in one for one in told.of("store"))
    assert any("25 reads and 25 writes" in one for one in told.of("store", "ok"))
    assert any("sets aside into" in one for one in told.of("queue"))


@pytest.mark.usefixtures("_limited")
def test_a_missing_permission_is_told_once_with_who_should_have_it(doctor):
    told = doctor()

    (wrong,) = told.of("store", "wrong")
    assert "forbidden: needs dynamodb:DescribeTimeToLive" in wrong
    assert not [one for one in told.of("store", "note") if "DescribeTimeToLive" in one]
    assert all("Allow it" in one for one in told.of("compute", "note"))
