"""The one retry loop: by age, with full jitter, within one deadline.

The SDKs' own loops give up in a tenth of a second or block for minutes; drivers switch them off.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final, TypeVar

from tuppence.clock import Clock, Deadline
from tuppence.errors import DriverError, ErrorCode

Result = TypeVar("Result")

FIRST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 20.0
UNKNOWN_TRIES: Final = 3
"""An error no driver has a name for is a bug; it is tried this often and then reported."""


def pause_before(attempt: int, error: DriverError | None = None) -> float:
    """Return the seconds to wait before try number `attempt` + 1: full jitter, or what the service asked."""
    pause = random.uniform(0, min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt))  # noqa: S311 - no secret
    return max(pause, error.retry_after or 0.0) if error else pause


def call(operation: Callable[[], Result], *, deadline: Deadline, clock: Clock, name: str) -> Result:
    """Return what `operation` returns, trying again while that may help and time is left.

    Args:
        operation: the call; raises `DriverError`, or anything else, which becomes `UNKNOWN`.
        deadline: no try starts, and no pause ends, after it.
        clock: what pauses.
        name: kind and method, for errors that are not the driver's.

    """
    attempt = 0
    while True:
        try:
            return operation()
        except DriverError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - whatever leaks from a driver is held here
            failure = leaked(error, name)
        attempt += 1
        pause = pause_before(attempt, failure)
        if not may_retry(failure, attempt) or pause >= deadline.remaining():
            raise failure
        clock.sleep(pause)


def may_retry(error: DriverError, attempts: int) -> bool:
    """Whether a call that failed with `error`, for the `attempts`th time, is worth another try."""
    if error.code is ErrorCode.UNKNOWN:
        return attempts < UNKNOWN_TRIES
    return error.code.retryable


def leaked(error: Exception, name: str) -> DriverError:
    """Return an error that crossed the interface unmapped as what it should have been."""
    wrapped = DriverError(
        ErrorCode.UNKNOWN, operation=name, provider="?", message=f"unmapped {type(error).__name__}"
    )
    wrapped.__cause__ = error
    return wrapped
