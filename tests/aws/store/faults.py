"""What DynamoDB alone does: it leaves a part of a batch undone."""

from __future__ import annotations

import json
from dataclasses import replace

from aws.faulty import EVERYWHERE, error_of

READ_UNITS = 100.0
"""What each record that is read uses, in an answer that lacks others: it is of the largest."""


def exhausted(request, forward):
    """Answer as a table without capacity."""
    return error_of(400, "ProvisionedThroughputExceededException")


def halved(request, forward):
    """Do the first half of a batch, and hand the rest back."""
    asked = json.loads(request.body)
    if request.operation == "BatchWriteItem":
        ((table, items),) = asked["RequestItems"].items()
        done, left = _halves(items)
        asked["RequestItems"][table] = done
        given_back = {"UnprocessedItems": {table: left}}
    elif request.operation == "BatchGetItem":
        ((table, wanted),) = asked["RequestItems"].items()
        done, left = _halves(wanted["Keys"])
        asked["RequestItems"][table] = {**wanted, "Keys": done}
        given_back = {
            "UnprocessedKeys": {table: {**wanted, "Keys": left}},
            "ConsumedCapacity": [{"TableName": table, "CapacityUnits": READ_UNITS * len(done)}],
        }
    else:
        done, given_back = [], {}
    if not done:
        return exhausted(request, forward)
    answer = forward(replace(request, body=json.dumps(asked).encode(), headers=_unsized(request.headers)))
    if answer.status != 200:
        return answer
    body = {**json.loads(answer.body), **given_back}
    return replace(answer, body=json.dumps(body).encode(), headers=_unsized(answer.headers))


def _halves(items):
    return items[: len(items) // 2], items[len(items) // 2 :]


def _unsized(headers):
    """Return headers without the checksum of what was changed."""
    return {name: value for name, value in headers.items() if name.lower() != "x-amz-crc32"}


ALL = (*EVERYWHERE, exhausted, halved)
