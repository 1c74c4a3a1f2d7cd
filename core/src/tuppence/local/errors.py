"""The embedded provider's errors: what SQLite and the file system say, as codes and words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from tuppence.clock import Deadline
from tuppence.errors import DriverError, ErrorCode

PROVIDER: Final = "local"

_PRIMARY: Final = 0xFF
"""The part of SQLite's error codes (https://sqlite.org/rescode.html) that names the kind of error."""

_SQLITE: Final = {
    sqlite3.SQLITE_FULL: (ErrorCode.UNAVAILABLE, "the disk that holds {path} is full"),
    sqlite3.SQLITE_IOERR: (ErrorCode.UNAVAILABLE, "the disk that holds {path} cannot be read or written"),
    sqlite3.SQLITE_NOMEM: (ErrorCode.UNAVAILABLE, "out of memory"),
    sqlite3.SQLITE_READONLY: (ErrorCode.FORBIDDEN, "{path} may not be written; check who owns it"),
    sqlite3.SQLITE_PERM: (ErrorCode.FORBIDDEN, "{path} may not be opened; check who owns it"),
    sqlite3.SQLITE_AUTH: (ErrorCode.FORBIDDEN, "{path} may not be opened; check who owns it"),
    sqlite3.SQLITE_CANTOPEN: (ErrorCode.FORBIDDEN, "{path} cannot be opened; is it a file you may write?"),
    sqlite3.SQLITE_NOTADB: (ErrorCode.INVALID, "{path} is no SQLite database; choose another `path`"),
    sqlite3.SQLITE_CORRUPT: (ErrorCode.INVALID, "{path} is damaged; move it away, and restore a copy"),
    sqlite3.SQLITE_TOOBIG: (ErrorCode.TOO_LARGE, "larger than SQLite can hold"),
}


def failure(code: ErrorCode, operation: str, message: str) -> DriverError:
    """Return an error of this provider."""
    return DriverError(code, operation=operation, provider=PROVIDER, message=message)


def too_large(operation: str, size: int, limit: int) -> DriverError:
    """Return the error of an item over a limit, both in bytes."""
    return failure(ErrorCode.TOO_LARGE, operation, f"{size} bytes; at most {limit}")


@contextmanager
def translate(operation: str, path: Path, deadline: Deadline) -> Iterator[None]:
    """Turn what SQLite and the file system raise about `path` into `DriverError`."""
    try:
        yield
    except sqlite3.Error as error:
        raise _from_sqlite(error, operation, path, deadline) from error
    except OSError as error:
        raise from_os(error, operation, path) from error
    except UnicodeDecodeError as error:  # Python's, of what SQLite says of a damaged table
        raise _damaged(operation, path) from error


@contextmanager
def decoding(operation: str, path: Path) -> Iterator[None]:
    """Turn what a decoder raises about what stands in the file `path` into `DriverError`.

    SQLite has no checksums: a bit that the disk has flipped is found where it makes no sense any more.
    """
    try:
        yield
    except (msgspec.MsgspecError, ValueError, TypeError, OverflowError) as error:
        raise _damaged(operation, path) from error


def from_os(error: OSError, operation: str, path: Path) -> DriverError:
    """Return what the file system said about the file `path` as an error of this provider."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return failure(ErrorCode.NOT_FOUND, operation, f"the folder {path.parent} does not exist; make it")
    if isinstance(error, PermissionError):
        return failure(
            ErrorCode.FORBIDDEN, operation, f"{path} may not be written; check who owns its folder"
        )
    return failure(ErrorCode.UNAVAILABLE, operation, f"{path}: {error.strerror}")


def _damaged(operation: str, path: Path) -> DriverError:
    code, words = _SQLITE[sqlite3.SQLITE_CORRUPT]
    return failure(code, operation, words.format(path=path))


def _from_sqlite(error: sqlite3.Error, operation: str, path: Path, deadline: Deadline) -> DriverError:
    kind = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
    if kind in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        code = ErrorCode.TIMEOUT if deadline.expired else ErrorCode.UNAVAILABLE
        return failure(code, operation, f"another process is writing to {path}")
    code, words = _SQLITE.get(kind, (ErrorCode.UNKNOWN, f"{type(error).__name__} {kind}"))
    return failure(code, operation, words.format(path=path))
