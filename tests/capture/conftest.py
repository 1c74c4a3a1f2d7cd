import sqlite3
from pathlib import Path

import pytest

from tuppence import config as configuration
from tuppence.batch import to_events, unpack
from tuppence.capture.client import Client


@pytest.fixture
def config(tmp_path):
    """A configuration on the embedded provider, all of it below `tmp_path`."""
    return configuration.load(
        folder=tmp_path,
        environ={},
        provider="local",
        project="bot",
        capture={"directory": str(tmp_path / "j")},
    )


@pytest.fixture
def client(config):
    with Client(config) as made:
        yield made


@pytest.fixture
def sent(config):
    """Return the headers and events that reached the queue so far."""

    def read():
        database = Path(config.folder) / "tuppence.db"
        if not database.exists():
            return [], []
        connection = sqlite3.connect(database)
        try:
            bodies = [row[0] for row in connection.execute("SELECT body FROM messages ORDER BY rowid")]
        finally:
            connection.close()
        unpacked = [unpack(body) for body in bodies]
        headers = [header for header, _ in unpacked]
        return headers, [event for _, columns in unpacked for event in to_events(columns)]

    return read
