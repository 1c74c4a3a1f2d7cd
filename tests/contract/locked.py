"""The trouble of a driver on SQLite: another process has its file, and lets nobody read or write."""

import sqlite3
from contextlib import closing, contextmanager


@contextmanager
def locked(path):
    """Keep the file for ourselves."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        yield
