"""Tables for tests. Deployment makes the real ones."""

from __future__ import annotations

from contextlib import contextmanager

import boto3

KEYS = (("p", "HASH"), ("s", "RANGE"))
FREE = {
    "BillingMode": "PROVISIONED",
    "ProvisionedThroughput": {"ReadCapacityUnits": 25, "WriteCapacityUnits": 25},
}
ON_DEMAND = {"BillingMode": "PAY_PER_REQUEST"}


@contextmanager
def client_at(url):
    """Lend a client of DynamoDB that is not the driver's own."""
    client = boto3.client("dynamodb", endpoint_url=url or None)
    yield client
    client.close()


def create_table(client, name, *, keys=KEYS, ttl="e", on_demand=False):
    """Create a table as deployment does, or one that is wrong in its keys or its time to live."""
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key, _ in keys],
        **(ON_DEMAND if on_demand else FREE),
    )
    if ttl:
        client.get_waiter("table_exists").wait(TableName=name)
        specification = {"Enabled": True, "AttributeName": ttl}
        client.update_time_to_live(TableName=name, TimeToLiveSpecification=specification)


def empty(client, name):
    """Delete all records of a table."""
    pages = client.get_paginator("scan").paginate(
        TableName=name, ProjectionExpression="p, s", ConsistentRead=True
    )
    for key in [key for page in pages for key in page["Items"]]:
        client.delete_item(TableName=name, Key=key)


@contextmanager
def table_at(url, name, **options):
    """Lend a table of this name."""
    with client_at(url) as client:
        create_table(client, name, **options)
        yield name
        client.delete_table(TableName=name)
