"""Queues of SQS for tests: made as deployment makes them, but for the test's own times."""

import json
from contextlib import contextmanager

import boto3

RECEIVED = 6
"""How often a message is received before it is set aside; the contract counts up to four attempts."""


@contextmanager
def queues_at(url, project, *, fifo=True):
    """Make a queue and the one for what comes too often, of these names, and take them away again.

    An empty `url` is AWS itself, here and in the other helpers.
    """
    client = boto3.client("sqs", endpoint_url=url or None)
    kind = {"FifoQueue": "true"} if fifo else {}
    busy = {"DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"} if fifo else {}
    ending = ".fifo" if fifo else ""
    dead = client.create_queue(QueueName=f"tuppence-{project}-dead{ending}", Attributes=kind)["QueueUrl"]
    arn = client.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redrive = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": RECEIVED})}
    queue = client.create_queue(
        QueueName=f"tuppence-{project}{ending}", Attributes={**kind, **busy, **redrive}
    )["QueueUrl"]
    try:
        yield client
    finally:
        for one in (queue, dead):
            client.delete_queue(QueueUrl=one)
        client.close()
