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


def in_trouble(open_driver, path):
    """Return the fixture `open_in_trouble` of drivers on a file. No such trouble refuses or trickles."""

    @contextmanager
    def open_in_trouble(context, _):
        with closing(open_driver(context)) as driver:
            driver.check()
            driver.close()
            with locked(path):
                yield driver

    return open_in_trouble
