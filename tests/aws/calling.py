"""What Lambda does with a function: an event as JSON, an answer as JSON, and what it concludes from it.

The event is that of SQS (https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html).
"""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass

QUEUE = "arn:aws:sqs:eu-west-2:000000000000:tuppence-mybot"


@dataclass(frozen=True)
class Call:
    """The part of Lambda's context object that functions use."""

    aws_request_id: str = "8a9c1a6e-3e4c-4f6e-9f0a-52a4a6d7f0b1"
    left: int = 60_000

    def get_remaining_time_in_millis(self):
        return self.left


def record(message, number=0, *, queue=QUEUE + ".fifo"):
    """Return a message as one of the event's records."""
    attributes = {
        "ApproximateReceiveCount": "1",
        "SentTimestamp": "1763285400000",
        "SenderId": "AIDAEXAMPLE",
        "ApproximateFirstReceiveTimestamp": "1763285400001",
    }
    if queue.endswith(".fifo"):
        fifo = {"SequenceNumber": f"{number:020}", "MessageGroupId": message.lane}
        attributes |= fifo | {"MessageDeduplicationId": message.id}
    return {
        "messageId": f"00000000-0000-0000-0000-{number:012}",
        "receiptHandle": f"handle-{number}",
        "body": message.id,
        "attributes": attributes,
        "messageAttributes": {
            "b": {
                "binaryValue": b64encode(message.body).decode(),
                "stringListValues": [],
                "binaryListValues": [],
                "dataType": "Binary",
            }
        },
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": queue,
        "awsRegion": "eu-west-2",
    }


def call(function, event, context=None):
    """Return what the function answers. What cannot be said in JSON does not pass."""
    return json.loads(json.dumps(function(json.loads(json.dumps(event)), context or Call())))


def deliver(function, records):
    """Call with messages; return the positions that come again, which are all of them if it raised."""
    try:
        answer = call(function, {"Records": records})
    except Exception:  # noqa: BLE001 - whatever is raised, Lambda reports it and SQS delivers again
        return set(range(len(records)))
    places = {one["messageId"]: position for position, one in enumerate(records)}
    return {places[item["itemIdentifier"]] for item in answer["batchItemFailures"]}
