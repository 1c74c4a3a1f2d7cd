"""Tables and what is in them, by Microsoft's own client."""

from contextlib import contextmanager

from azure.data.tables import TableClient


@contextmanager
def table_at(connection_string, name):
    """Make a table of this name; yield a client on it, and take it away again."""
    with TableClient.from_connection_string(connection_string, name) as client:
        client.create_table()
        try:
            yield client
        finally:
            client.delete_table()
