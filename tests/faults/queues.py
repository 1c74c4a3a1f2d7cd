"""What came of a journal: everything sent, and read back from the queue's file."""

import sqlite3
import time

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


def send_everything(folder, seconds=10.0):
    """Bring the queue back and send what dead processes left; return whether nothing is left.

    A client that was closed a moment ago may still be the host's sender, so it is tried for a while.
    """
    (folder / "queue").mkdir(exist_ok=True)
    config, deadline = load(folder), Deadline.after(seconds)
    with Runtime(config) as runtime:
        while True:
            empty = send_orphans(config, lambda: runtime.queue, SystemClock(), deadline=deadline).complete
            if empty or deadline.expired:
                return empty
            time.sleep(0.1)


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
