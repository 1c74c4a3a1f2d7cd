"""What came of a journal: everything sent, and read back from the queue's file."""

import sqlite3
from datetime import timedelta

from tuppence import config as configuration
from tuppence.batch import to_events, unpack
from tuppence.capture.sender import send_orphans
from tuppence.clock import Deadline, SystemClock
from tuppence.runtime import Runtime

CONFIGURATION = (
    'provider = "local"\nproject = "bot"\n[capture]\ndirectory = "j"\nflush_interval = "200ms"\n'
    '[queue]\npath = "queue/tuppence.db"\n'
)
"""The queue cannot be reached until its folder is made."""


def load(folder, **settings):
    return configuration.load(folder / "tuppence.toml", environ={}, **settings)


def send_everything(folder):
    """Bring the queue back and send what dead processes left."""
    (folder / "queue").mkdir(exist_ok=True)
    config = load(folder)
    with Runtime(config) as runtime:
        deadline = Deadline.after(timedelta(seconds=60))
        _, empty = send_orphans(config, lambda: runtime.queue, SystemClock(), deadline=deadline)
    return empty


def received(folder):
    """Return the headers, and the events with their instances, that reached the queue."""
    connection = sqlite3.connect(folder / "queue" / "tuppence.db")
    try:
        bodies = [row[0] for row in connection.execute("SELECT body FROM messages")]
    finally:
        connection.close()
    unpacked = [unpack(body) for body in bodies]
    return [header for header, _ in unpacked], [
        (header.instance, event) for header, columns in unpacked for event in to_events(columns)
    ]
