"""Tables for tests. Deployment makes the real ones."""

from __future__ import annotations

from contextlib import contextmanager

import boto3

KEYS = (("p", "HASH"), ("s", "RANGE"))


@contextmanager
def client_at(url):
    """Lend a client of DynamoDB that is not the driver's own."""
    client = boto3.client("dynamodb", endpoint_url=url)
    yield client
    client.close()


def create_table(client, name, *, keys=KEYS, ttl="e"):
    """Create a table as deployment does, or one that is wrong in its keys or its time to live."""
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key, _ in keys],
        BillingMode="PROVISIONED",
        ProvisionedThroughput={"ReadCapacityUnits": 25, "WriteCapacityUnits": 25},
    )
    if ttl:
        specification = {"Enabled": True, "AttributeName": ttl}
        client.update_time_to_live(TableName=name, TimeToLiveSpecification=specification)


@contextmanager
def table_at(url, name, **options):
    """Lend a table of this name."""
    with client_at(url) as client:
        create_table(client, name, **options)
        yield name
        client.delete_table(TableName=name)
