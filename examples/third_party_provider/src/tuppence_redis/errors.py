"""The provider's errors: what Redis and its client say, as codes and words."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from redis import exceptions
from tuppence.errors import ConfigError, DriverError, ErrorCode

PROVIDER: Final = "redis"

_FORBIDDEN: Final = (
    ErrorCode.FORBIDDEN,
    "does not let this user do that; see Permissions in the README of tuppence-redis",
)
_ANSWERS: Final = {
    "WRONGPASS": (ErrorCode.UNAUTHENTICATED, "refuses this username or password"),
    "NOAUTH": (ErrorCode.UNAUTHENTICATED, "wants a password; set `password`"),
    "NOPERM": _FORBIDDEN,
    "OOM": (ErrorCode.UNAVAILABLE, "has no memory left; raise maxmemory, or keep events for less long"),
    "MISCONF": (ErrorCode.UNAVAILABLE, "takes no writes while it cannot save to its disk"),
    "READONLY": (ErrorCode.UNAVAILABLE, "is a replica; name the primary"),
    "LOADING": (ErrorCode.UNAVAILABLE, "is still loading its data"),
    "MASTERDOWN": (ErrorCode.UNAVAILABLE, "has lost its primary"),
    "BUSY": (ErrorCode.THROTTLED, "is busy with a script"),
    "MOVED": (ErrorCode.UNSUPPORTED, "is a cluster; this provider needs a server of its own"),
    "CROSSSLOT": (ErrorCode.UNSUPPORTED, "is a cluster; this provider needs a server of its own"),
    "WRONGTYPE": (ErrorCode.INVALID, "holds another program's keys; choose another `prefix`"),
}
"""The first words of Redis' errors (https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors)."""
_SENTENCES: Final = {
    "DB index is out of range": (ErrorCode.NOT_FOUND, "has no such database; choose another `database`"),
    "The user executing the script can't": _FORBIDDEN,
}
"""Errors that begin with `ERR` like any other, and are told apart by what follows."""
_WORD: Final = re.compile(r"\b[A-Z]{3,}\b")


def failure(code: ErrorCode, operation: str, message: str) -> DriverError:
    """Return an error of this provider."""
    return DriverError(code, operation=operation, provider=PROVIDER, message=message)


def too_large(operation: str, size: int, limit: int) -> DriverError:
    """Return the error of an item over a limit, both in bytes."""
    return failure(ErrorCode.TOO_LARGE, operation, f"{size} bytes; at most {limit}")


@contextmanager
def translate(operation: str, place: str) -> Iterator[None]:
    """Turn what Redis' client raises about the server at `place` into `DriverError`.

    The server's own words are left out: they repeat keys and arguments.
    """
    try:
        yield
    except exceptions.RedisError as error:
        code, words = _meaning(error)
        raise failure(code, operation, f"{place} {words}") from error
    except ConfigError as error:  # the password's reference leads nowhere
        raise failure(ErrorCode.INVALID, operation, str(error)) from error


def _meaning(error: exceptions.RedisError) -> tuple[ErrorCode, str]:
    for sentence, meaning in _SENTENCES.items():
        if sentence in str(error):
            return meaning
    # The client takes known words off; what a script ran into, Redis 6 reports in the middle of a sentence.
    for word in [error.status_code, *_WORD.findall(str(error))]:
        if word in _ANSWERS:
            return _ANSWERS[word]
    if isinstance(error, exceptions.TimeoutError):
        return ErrorCode.TIMEOUT, "did not answer in time; the call may have been carried out"
    if isinstance(error, exceptions.ConnectionError):
        return _of_connection(error.__context__)
    return ErrorCode.UNKNOWN, f"answered with {type(error).__name__}"


def _of_connection(cause: BaseException | None) -> tuple[ErrorCode, str]:
    if isinstance(cause, socket.gaierror) and cause.errno != socket.EAI_AGAIN:
        return ErrorCode.NOT_FOUND, "is no host that can be found"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return ErrorCode.INVALID, f"is not trusted ({cause.verify_message}); see `ca_file`"
    return ErrorCode.UNAVAILABLE, "cannot be reached; is it running, and are host, port and tls right?"
