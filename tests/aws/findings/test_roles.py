"""A function whose role lost a permission is named with it, though whoever runs the doctor has them all."""

from __future__ import annotations

import json
from datetime import timedelta

from aws.functions import client_at
from tuppence.cli.app import COULD_NOT
from tuppence.clock import Deadline, SystemClock
from tuppence_aws.oldest import METRIC, age_of_oldest
from tuppence_aws.session import AwsOptions


def forbid(url, role, *actions):
    """Take actions away from a role, as an organisation's policy or a hand in the console does."""
    with client_at(url, "iam") as iam:
        statement = {"Effect": "Deny", "Action": actions, "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_role_policy(RoleName=role, PolicyName="denied", PolicyDocument=document)
    return lambda: _allow(url, role)


def _allow(url, role):
    with client_at(url, "iam") as iam:
        iam.delete_role_policy(RoleName=role, PolicyName="denied")


def test_a_permission_that_the_drain_lost_is_named_with_what_gives_it_back(made, doctor, project):
    allow = forbid(made, f"tuppence-{project}-invoke", "dynamodb:PutItem", "dynamodb:BatchWriteItem")
    try:
        told = doctor()
    finally:
        allow()

    assert told.status == COULD_NOT
    table = f"arn:aws:dynamodb:eu-west-2:000000000000:table/tuppence-{project}"
    (drain,) = [one for one in told.of("compute", "wrong") if f"-{project}-drain " in one]
    assert f"dynamodb:BatchWriteItem on {table}, dynamodb:PutItem on {table}" in drain
    assert "`tuppence deploy` gives its role" in drain


def test_a_role_with_all_its_permissions_is_no_finding(made, doctor):
    assert not [one for one in doctor().of("compute") if "is not allowed" in one]


def test_a_report_that_may_no_longer_send_mail_is_named(made, doctor, project):
    allow = forbid(made, f"tuppence-{project}-invoke", "ses:SendEmail")
    try:
        told = doctor()
    finally:
        allow()

    (report,) = [one for one in told.of("compute", "wrong") if f"-{project}-report " in one]
    assert "ses:SendEmail" in report


def test_the_age_of_the_oldest_message_is_what_cloudwatch_says(moto_url):
    now = SystemClock().now()
    with client_at(moto_url, "cloudwatch") as cloudwatch:
        at = now - timedelta(minutes=1)
        point = {"MetricName": METRIC, "Value": 7200.0, "Timestamp": at, "Unit": "Seconds"}
        dimensions = [{"Name": "QueueName", "Value": "old.fifo"}]
        cloudwatch.put_metric_data(Namespace="AWS/SQS", MetricData=[{**point, "Dimensions": dimensions}])

    options = AwsOptions(region="eu-west-2", endpoint=moto_url)
    age = age_of_oldest(options, "old.fifo", now, Deadline.after(30))
    unknown = age_of_oldest(options, "other.fifo", now, Deadline.after(30))

    assert age is not None
    assert age.total_seconds() == 7200
    assert unknown is None


def test_where_cloudwatch_cannot_be_asked_the_age_is_unknown():
    options = AwsOptions(region="eu-west-2", endpoint="http://127.0.0.1:9")

    assert age_of_oldest(options, "old.fifo", SystemClock().now(), Deadline.after(5)) is None
