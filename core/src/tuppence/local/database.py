"""The SQLite file behind the embedded queue, store and scheduler, shared by threads and processes.

Every driver has a connection of its own. No connection lives across a fork: SQLite's locks belong to a
process, and a child that inherits a connection believes that it holds locks it does not hold
(https://sqlite.org/howtocorrupt.html, section 2.6). SQLite remembers them for each file and not for each
connection, so a new connection in such a child would be no better: it is refused.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import UnionType
from typing import Final
from weakref import WeakValueDictionary

import msgspec

from tuppence import process
from tuppence.clock import Deadline
from tuppence.errors import ErrorCode
from tuppence.findings import Finding, note
from tuppence.local.errors import failure, translate

APPLICATION: Final = int.from_bytes(b"tupp", "big")
"""SQLite's `application_id`: tells our file from another program's."""
VERSION: Final = 1
"""SQLite's `user_version`: the version of `SCHEMA`."""

SCHEMA: Final = (
    """
    CREATE TABLE messages (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        project TEXT NOT NULL,
        id TEXT NOT NULL,
        lane TEXT NOT NULL,
        sent INTEGER NOT NULL,
        due INTEGER NOT NULL,              -- when it may be delivered again
        leased INTEGER NOT NULL DEFAULT 0, -- since when it is leased, or, below 0, was given back
        attempt INTEGER NOT NULL DEFAULT 0,
        body BLOB NOT NULL,                -- last, so that a scan does not read it
        UNIQUE (project, id)
    ) STRICT
    """,
    "CREATE INDEX messages_in_order ON messages (project, number)",
    "CREATE INDEX messages_by_due ON messages (project, due, lane)",
    """
    CREATE TABLE records (
        version INTEGER PRIMARY KEY AUTOINCREMENT, -- every put replaces the row and so takes a new number
        partition TEXT NOT NULL,
        sort TEXT NOT NULL,
        expires INTEGER,
        attributes TEXT NOT NULL,
        body BLOB NOT NULL,
        UNIQUE (partition, sort)
    ) STRICT
    """,
    "CREATE INDEX records_by_expiry ON records (expires) WHERE expires IS NOT NULL",
    """
    CREATE TABLE schedules (
        project TEXT NOT NULL,
        name TEXT NOT NULL,
        definition TEXT NOT NULL,
        due INTEGER NOT NULL,
        PRIMARY KEY (project, name)
    ) STRICT
    """,
)

LITTLE: Final = 256 * 1024 * 1024
"""Bytes of free disk below which the doctor says so."""
_LONGEST_WAIT: Final = 3_600.0
"""Seconds; SQLite takes its timeout as a 32-bit number of milliseconds."""
_LONGEST_FORK: Final = 1.0
"""Seconds a fork waits for another thread's call to end."""
_LARGEST_LOG: Final = 16 * 1024 * 1024
"""Bytes that SQLite's write-ahead log keeps on disk between uses."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class FileOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The options of the drivers that keep their things in SQLite.

    Attributes:
        path: the file, made when first used; its folder must exist.

    """

    path: str = "tuppence.db"


class _Session:
    """What a database has in one process: the lock around its connection, and the connection."""

    __slots__ = ("connection", "lock", "mark", "successors")

    def __init__(self) -> None:
        self.mark = process.mark()
        self.lock = threading.Lock()
        self.connection: sqlite3.Connection | None = None
        self.successors: dict[str, _Session] = {}


class Database:
    """One connection to the file, opened when first needed."""

    def __init__(self, path: str) -> None:
        self.path = Path(path).absolute()
        self._latest = _Session()

    @contextmanager
    def read(self, operation: str, deadline: Deadline) -> Iterator[sqlite3.Connection]:
        """Lend the connection for statements that read."""
        session = self.notice_fork()
        with session.lock, translate(operation, self.path, deadline):
            yield self._ready(session, operation, deadline)

    @contextmanager
    def write(self, operation: str, deadline: Deadline) -> Iterator[sqlite3.Connection]:
        """Lend the connection within a transaction that no other writer shares; an error undoes it."""
        session = self.notice_fork()
        with session.lock, translate(operation, self.path, deadline):
            connection = self._ready(session, operation, deadline)
            with _transaction(connection, "IMMEDIATE"):
                yield connection

    def findings(self) -> Iterator[Finding]:
        """Say when the disk is nearly full, before it is."""
        with suppress(OSError):  # no such folder, which a check says
            free = shutil.disk_usage(self.path.parent).free
            if free < LITTLE:
                detail = f"{free // 1024**2} MiB are free where {self.path} lies"
                yield note(detail, "Make room, shorten `events` below [retention], or name another `path`.")

    def close(self) -> None:
        """Let the file go. The next call opens it again."""
        session = self.notice_fork()
        with session.lock:
            _disconnect(session)

    def before_fork(self) -> None:
        """Let the file go for the time of a fork, unless a call takes too long to end."""
        session = self.notice_fork()
        if session.lock.acquire(timeout=_LONGEST_FORK):
            try:
                _disconnect(session)
            finally:
                session.lock.release()

    def notice_fork(self) -> _Session:
        """Return this process's session; a forked child begins one, its parent's lock may be held for ever.

        Of several threads that notice a fork, the first to leave its session in the dict wins.
        """
        session = self._latest
        if not session.mark[0]:
            if session.connection is not None:
                _inherited[self.path] = session.connection
            session = self._latest = session.successors.setdefault("", _Session())
        return session

    def _ready(self, session: _Session, operation: str, deadline: Deadline) -> sqlite3.Connection:
        left = deadline.remaining()
        if left <= 0:
            raise failure(ErrorCode.TIMEOUT, operation, "no time is left")
        if session.connection is None:
            session.connection = self._connect(operation, left)
            _open[id(self)] = self
        session.connection.execute(f"PRAGMA busy_timeout = {_milliseconds(left)}")
        return session.connection

    def _connect(self, operation: str, left: float) -> sqlite3.Connection:
        if _is_inherited(self.path):
            words = "was in use when this process was forked, so only other processes can use it safely"
            raise failure(ErrorCode.UNAVAILABLE, operation, f"{self.path} {words}; start this one again")
        _create_private(self.path)
        connection = sqlite3.connect(
            self.path, timeout=min(left, _LONGEST_WAIT), isolation_level=None, check_same_thread=False
        )
        try:
            if _is_empty(connection):
                _create_tables(connection)
            problem = _problem(connection)
            if problem:
                raise failure(ErrorCode.INVALID, operation, f"{self.path} {problem}")
            _configure(connection)
        except BaseException:
            connection.close()
            raise
        return connection


def _disconnect(session: _Session) -> None:
    if session.connection is not None:
        session.connection.close()
        session.connection = None


def microseconds(at: datetime) -> int:
    """Return an aware datetime as microseconds since 1970 UTC: the form in which the file holds times."""
    return (at - _EPOCH) // _MICROSECOND


def moment(time_us: int) -> datetime:
    """Return microseconds since 1970 UTC as a datetime."""
    return _EPOCH + timedelta(microseconds=time_us)


def check_types(row: Sequence[object], *types: type | UnionType) -> None:
    """Raise `TypeError` where a row of a damaged file has a value of another type than its column."""
    if any(not isinstance(value, kind) for value, kind in zip(row, types, strict=True)):
        raise TypeError("a value of another type than its column")


def _create_private(path: Path) -> None:
    """Make the file, for its owner alone, where it is not there.

    One that is there is not opened: closing it again would release every lock this process holds on it.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))


def _is_empty(connection: sqlite3.Connection) -> bool:
    return _number(connection, "SELECT count(*) FROM sqlite_schema") == 0


def _create_tables(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    with _transaction(connection, "EXCLUSIVE"):
        if _is_empty(connection):
            for statement in SCHEMA:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute(f"PRAGMA user_version = {VERSION}")


def _problem(connection: sqlite3.Connection) -> str:
    """Return why this file is not for us, or nothing. It is left untouched."""
    if _number(connection, "PRAGMA application_id") != APPLICATION:
        return "is another program's database; choose another `path`"
    version = _number(connection, "PRAGMA user_version")
    if version > VERSION:
        return (
            f"was written by a newer tuppence (schema {version}, this one knows {VERSION}); upgrade tuppence"
        )
    return ""


def _configure(connection: sqlite3.Connection) -> None:
    with suppress(sqlite3.OperationalError):  # in use by another, who has done it or will on its next opening
        connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA journal_size_limit = {_LARGEST_LOG}")


@contextmanager
def _transaction(connection: sqlite3.Connection, kind: str) -> Iterator[None]:
    connection.execute(f"BEGIN {kind}")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            with suppress(sqlite3.Error):  # the first error says more
                connection.execute("ROLLBACK")
        raise


def _number(connection: sqlite3.Connection, statement: str) -> int:
    return int(connection.execute(statement).fetchone()[0])


def _milliseconds(seconds: float) -> int:
    return max(1, int(min(seconds, _LONGEST_WAIT) * 1000))


_open: Final[WeakValueDictionary[int, Database]] = WeakValueDictionary()
_inherited: Final[dict[Path, sqlite3.Connection]] = {}
"""Connections of the process that this one was forked from, kept so that nothing closes them."""


def _is_inherited(path: Path) -> bool:
    """Whether this process came with a connection to the file that its parent had open."""
    for reference in _open.valuerefs():
        if database := reference():
            database.notice_fork()
    return path in _inherited


def _before_fork() -> None:
    for reference in _open.valuerefs():
        if database := reference():
            database.before_fork()


os.register_at_fork(before=_before_fork)
