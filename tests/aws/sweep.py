"""Removes from an account all that bears a run's name: what a test that failed has left."""

from __future__ import annotations

from contextlib import suppress

import boto3


def sweep(prefix):
    """Remove everything whose name begins so; return the names."""
    assert prefix.startswith("tuppence-t"), "only what tests have made"
    removed = []
    for service, (call, key), name, remove, argument in KINDS:
        client = boto3.client(service)
        pages = client.get_paginator(call).paginate(**OURS.get(call, {}))
        for one in [one for page in pages for one in page.get(key, ())]:
            found = one[name] if name else one
            if found.rpartition("/")[2].startswith(prefix):
                if service == "iam":
                    _bare(client, found)
                value = one["Arn"] if argument == "PolicyArn" else found
                getattr(client, remove)(**{argument: [value] if argument == "AlarmNames" else value})
                removed.append(found)
        client.close()
    return removed


def _bare(client, name):
    """Take a role's policies from it, without which it cannot be removed."""
    with suppress(client.exceptions.NoSuchEntityException):  # it is a policy's name
        for policy in client.list_role_policies(RoleName=name)["PolicyNames"]:
            client.delete_role_policy(RoleName=name, PolicyName=policy)


OURS = {"list_policies": {"Scope": "Local"}}
KINDS = (
    ("cloudwatch", ("describe_alarms", "MetricAlarms"), "AlarmName", "delete_alarms", "AlarmNames"),
    ("scheduler", ("list_schedule_groups", "ScheduleGroups"), "Name", "delete_schedule_group", "Name"),
    ("lambda", ("list_functions", "Functions"), "FunctionName", "delete_function", "FunctionName"),
    ("sqs", ("list_queues", "QueueUrls"), "", "delete_queue", "QueueUrl"),
    ("dynamodb", ("list_tables", "TableNames"), "", "delete_table", "TableName"),
    ("logs", ("describe_log_groups", "logGroups"), "logGroupName", "delete_log_group", "logGroupName"),
    ("iam", ("list_policies", "Policies"), "PolicyName", "delete_policy", "PolicyArn"),
    ("iam", ("list_roles", "Roles"), "RoleName", "delete_role", "RoleName"),
)
"""Service; what lists, and where in the answer; the key of a name; what removes, and by which argument."""
