"""Functions and the role they run under, on an emulator."""

from __future__ import annotations

import io
import json
import zipfile
from contextlib import contextmanager

import boto3

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": ["lambda.amazonaws.com", "scheduler.amazonaws.com"]},
            "Action": "sts:AssumeRole",
        }
    ],
}

ROOT = {"region_name": "eu-west-2", "aws_access_key_id": "test", "aws_secret_access_key": "test"}
"""An emulator's user who may do everything."""


@contextmanager
def client_at(url, service):
    """Lend a client that may do everything, and is not the driver's own."""
    client = boto3.client(service, endpoint_url=url, **ROOT) if url else boto3.client(service)
    try:
        yield client
    finally:
        client.close()


@contextmanager
def role_at(url, name, permissions):
    """Make a role with the policy that drivers' permissions make; yield its ARN.

    What on AWS allows a call allows the batch of it too; ministack knows batches as actions of their own.
    """
    with client_at(url, "iam") as iam:
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
        statements = [
            {"Effect": "Allow", "Action": [one.action, f"{one.action}Batch"], "Resource": one.resource}
            for one in permissions
        ]
        if statements:
            policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
            iam.put_role_policy(RoleName=name, PolicyName="work", PolicyDocument=policy)
        yield arn
        if statements:
            iam.delete_role_policy(RoleName=name, PolicyName="work")
        iam.delete_role(RoleName=name)


@contextmanager
def functions_at(url, *names, role, code=None, handler="app.handler", variables=None, timeout=60):
    """Make functions of one package; without `code` they do nothing."""
    with client_at(url, "lambda") as functions:
        for name in names:
            functions.create_function(
                FunctionName=name,
                Runtime="python3.12",
                Role=role,
                Handler=handler,
                Code={"ZipFile": code or package({"app.py": "def handler(event, context): pass\n"})},
                Timeout=timeout,
                Environment={"Variables": variables or {}},
            )
        for name in names:
            functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        yield functions
        for name in names:
            functions.delete_function(FunctionName=name)


def package(files):
    """Return a zip of these texts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()
