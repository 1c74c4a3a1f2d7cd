"""Queues and what is in them, by Microsoft's own client."""

import json
from contextlib import contextmanager

from azure.storage.queue import QueueClient


@contextmanager
def queue_at(connection_string, name):
    """Make a queue of this name; yield a client on it, and take it away again."""
    with QueueClient.from_connection_string(connection_string, name) as client:
        client.create_queue()
        try:
            yield client
        finally:
            client.delete_queue()


@contextmanager
def broker_queue(folder, name, **properties):
    """Make a queue of the broker's, with an `Entity`'s attributes, and take it away again."""
    file = folder / f"{name}.json"
    file.write_text(json.dumps(properties), encoding="utf-8")
    try:
        yield
    finally:
        file.unlink()
