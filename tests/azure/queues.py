"""Queues and what is in them, by Microsoft's own client."""

import json
from base64 import b64encode
from contextlib import contextmanager

from azure.storage.queue import QueueClient

from tuppence.testing import SECRET


@contextmanager
def queue_at(connection_string, name):
    """Make a queue of this name; yield a client on it, and take it away again."""
    with QueueClient.from_connection_string(connection_string, name) as client:
        client.create_queue()
        try:
            yield client
        finally:
            client.delete_queue()


def troubled_account(service, host, port):
    """Return the connection string of an account whose service is in trouble at this address."""
    key = b64encode(SECRET.encode()).decode()
    endpoint = f"{service}Endpoint=http://{host}:{port}/troubled"
    return f"DefaultEndpointsProtocol=http;AccountName=troubled;AccountKey={key};{endpoint}"


@contextmanager
def broker_queue(folder, name, **properties):
    """Make a queue of the broker's, with an `Entity`'s attributes, and take it away again."""
    file = folder / f"{name}.json"
    file.write_text(json.dumps(properties), encoding="utf-8")
    try:
        yield
    finally:
        file.unlink()
