"""Queues and what is in them, by Microsoft's own client."""

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
