"""A policy is made of what the driver declares for a role: it is enough for the role, and no more."""

import json

import boto3
import pytest

from aws.tables import table_at
from tuppence.drivers import Absent, Key, Record, Role, Version
from tuppence.errors import DriverError, ErrorCode

KEY = Key(partition="p", sort="s")
RECORD = Record(key=KEY, body=b"x")


@pytest.fixture
def as_role(ministack_url, project, opened, monkeypatch):
    """Return what builds a driver for a user with the role's permissions, which the service enforces."""
    iam = boto3.client("iam", endpoint_url=ministack_url)

    def as_role(role, **options):
        driver = opened(ministack_url, region="eu-west-2", **options)
        statements = [
            {"Effect": "Allow", "Action": one.action, "Resource": one.resource}
            for one in opened(ministack_url, region="eu-west-2").permissions(role)
        ]
        user = f"{project}-{role}"
        iam.create_user(UserName=user)
        if statements:
            policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
            iam.put_user_policy(UserName=user, PolicyName="declared", PolicyDocument=policy)
        key = iam.create_access_key(UserName=user)["AccessKey"]
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
        return driver

    yield as_role
    iam.close()


def calls(driver, soon):
    return {
        "put": lambda: driver.put([RECORD], deadline=soon()),
        "put under Absent": lambda: driver.put([RECORD], condition=Absent(), deadline=soon()),
        "get": lambda: driver.get([KEY], deadline=soon()),
        "query": lambda: driver.query("p", limit=1, deadline=soon()),
        "delete": lambda: driver.delete([KEY], deadline=soon()),
        "delete by version": lambda: driver.delete([KEY], condition=Version("v"), deadline=soon()),
    }


def forbidden(driver, soon):
    """Return the calls that are refused for want of permission."""
    refused = set()
    for name, call in calls(driver, soon).items():
        try:
            call()
        except DriverError as error:
            if error.code is not ErrorCode.FORBIDDEN:
                raise
            refused.add(name)
    return refused


@pytest.mark.parametrize(
    ("role", "refused"),
    [
        (Role.PROCESSOR, set()),
        (Role.REPORTER, {"delete by version"}),
        (
            Role.PRODUCER,
            {"put", "put under Absent", "get", "query", "delete", "delete by version"},
        ),
    ],
)
def test_a_role_may_do_its_own_work_and_nothing_else(as_role, table, soon, role, refused):
    driver = as_role(role)

    assert forbidden(driver, soon) == refused


def test_another_table_is_out_of_reach(as_role, ministack_url, project, soon):
    with table_at(ministack_url, f"tuppence-{project}-else") as name:
        driver = as_role(Role.PROCESSOR, table=name)

        assert forbidden(driver, soon) == set(calls(driver, soon))
