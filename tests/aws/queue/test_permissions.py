"""A producer may send, and nothing else at all."""

import json
from datetime import timedelta

import boto3
import pytest
from botocore.exceptions import ClientError

from tuppence.drivers import ZERO, Message, Role
from tuppence.errors import DriverError, ErrorCode

BATCHES = ("sqs:SendMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility")
"""What on AWS allows a batch of the same too; ministack knows the batches as actions of their own.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-batch-api-actions.html
"""
ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/any"
TABLE = {"TableName": "tuppence-any"}
KEY = {"p": {"S": "p"}, "s": {"S": "s"}}


@pytest.fixture
def as_role(queue, ministack_url, project, monkeypatch):
    """Return what makes a user with a role's permissions, which the service enforces, and becomes it."""
    iam = boto3.client("iam", endpoint_url=ministack_url)

    def as_role(role):
        statements = [
            {"Effect": "Allow", "Action": _actions(one.action), "Resource": one.resource}
            for one in queue.permissions(role)
        ]
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.create_user(UserName=project)
        iam.put_user_policy(UserName=project, PolicyName="declared", PolicyDocument=policy)
        key = iam.create_access_key(UserName=project)["AccessKey"]
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])

    yield as_role
    iam.close()


def _actions(action):
    return [action, f"{action}Batch"] if action in BATCHES else [action]


def others(address, dead):
    """Return calls that a producer has no business with."""
    queue = {"QueueUrl": address}
    item = {"TableName": "tuppence-any", "Key": KEY}
    mail = {"FromEmailAddress": "a@example.com", "Destination": {"ToAddresses": ["b@example.com"]}}
    text = {"Simple": {"Subject": {"Data": "s"}, "Body": {"Text": {"Data": "t"}}}}
    expression = {"FlexibleTimeWindow": {"Mode": "OFF"}, "ScheduleExpression": "rate(1 hour)"}
    return {
        "sqs": [
            ("receive_message", queue),
            ("delete_message", {**queue, "ReceiptHandle": "r"}),
            ("change_message_visibility", {**queue, "ReceiptHandle": "r", "VisibilityTimeout": 1}),
            ("purge_queue", queue),
            ("delete_queue", queue),
            ("get_queue_attributes", {**queue, "AttributeNames": ["All"]}),
            ("set_queue_attributes", {**queue, "Attributes": {"VisibilityTimeout": "1"}}),
            ("get_queue_url", {"QueueName": address.rpartition("/")[2]}),
            ("list_queues", {}),
            ("create_queue", {"QueueName": "another"}),
            ("list_queue_tags", queue),
            ("tag_queue", {**queue, "Tags": {"a": "b"}}),
            ("send_message", {"QueueUrl": dead, "MessageBody": "x", **sent("x")}),
            ("receive_message", {"QueueUrl": dead}),
        ],
        "dynamodb": [
            ("get_item", item),
            ("put_item", {**TABLE, "Item": KEY}),
            ("delete_item", item),
            ("update_item", item),
            ("scan", TABLE),
            ("describe_table", TABLE),
            ("list_tables", {}),
            ("delete_table", TABLE),
        ],
        "lambda": [
            ("list_functions", {}),
            ("get_function", {"FunctionName": "tuppence-any-drain"}),
            ("invoke", {"FunctionName": "tuppence-any-drain"}),
            ("delete_function", {"FunctionName": "tuppence-any-drain"}),
            ("list_event_source_mappings", {}),
        ],
        "iam": [
            ("list_users", {}),
            ("create_user", {"UserName": "another"}),
            ("list_roles", {}),
            ("create_access_key", {"UserName": "another"}),
            ("delete_role", {"RoleName": "any"}),
        ],
        "sts": [("assume_role", {"RoleArn": ROLE, "RoleSessionName": "any"})],
        "sesv2": [
            ("send_email", {**mail, "Content": text}),
            ("list_email_identities", {}),
            ("create_email_identity", {"EmailIdentity": "c@example.com"}),
        ],
        "scheduler": [
            ("list_schedules", {}),
            ("delete_schedule", {"Name": "any"}),
            ("create_schedule", {"Name": "any", **expression, "Target": {"Arn": ROLE, "RoleArn": ROLE}}),
        ],
        "s3": [("list_buckets", {})],
        "secretsmanager": [("list_secrets", {})],
    }


def sent(name):
    return {"MessageGroupId": name, "MessageDeduplicationId": name}


def answers(url, calls):
    """Return what each call was answered with, by service and call: an error's code, or nothing."""
    found = {}
    session = boto3.Session()  # of its own: the default one remembers who it was
    for service, asked in calls.items():
        client = session.client(service, endpoint_url=url)
        for number, (call, parameters) in enumerate(asked):
            try:
                getattr(client, call)(**parameters)
            except ClientError as error:
                code = error.response["Error"]["Code"]
            else:
                code = "allowed"
            found[f"{service} {number} {call}"] = code
        client.close()
    return found


def test_a_producer_declares_one_action_on_one_queue(queue):
    [only] = queue.permissions(Role.PRODUCER)

    assert only.action == "sqs:SendMessage"
    assert only.resource == f"arn:aws:sqs:eu-west-2:*:{queue.name}"


def test_a_producer_can_send_and_is_refused_everything_else(queue, service, as_role, ministack_url, soon):
    calls = others(
        *(service.get_queue_url(QueueName=name)["QueueUrl"] for name in (queue.name, queue._aside))
    )
    as_role(Role.PRODUCER)

    errors = queue.send([Message(id=f"{n}", body=b"x") for n in range(3)], deadline=soon())
    found = answers(ministack_url, calls)

    assert not errors
    assert len(found) >= 40
    assert {call: code for call, code in found.items() if "AccessDenied" not in code} == {}


def test_a_processor_can_do_all_the_drain_does_and_not_send(queue, as_role, soon):
    queue.send([Message(id="a", body=b"x")], deadline=soon())
    as_role(Role.PROCESSOR)

    for one in (queue, queue.dead_letters()):
        one.check()
        held = one.receive(max_messages=1, wait=ZERO, lease=timedelta(minutes=1), deadline=soon())
        assert not one.nack(held, deadline=soon())
        assert one.depth(deadline=soon())[1] is None
        one.close()
    with pytest.raises(DriverError) as refused:
        queue.send([Message(id="b", body=b"x")], deadline=soon())

    assert refused.value.code is ErrorCode.FORBIDDEN
