"""The one retry loop: by age, with full jitter, within one deadline; for a call, and for each item of many.

The SDKs' own loops give up in a tenth of a second or block for minutes; drivers switch them off.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import Final, Protocol, TypeVar

from tuppence import watch as watching
from tuppence.answers import check_errors
from tuppence.clock import Clock, Deadline
from tuppence.drivers import ItemError, Limits
from tuppence.errors import DriverError, ErrorCode

Result = TypeVar("Result")
Given_co = TypeVar("Given_co", covariant=True)
Item = TypeVar("Item")
Taken_contra = TypeVar("Taken_contra", contravariant=True)

FIRST_TRY: Final = 10.0
"""Seconds for the first try. Each that follows has twice as many: a request that nobody answers leaves time
for others, and one that is too large for a slow line gets through in the end."""
FIRST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 20.0
_DOUBLINGS: Final = 8
"""Enough to reach the longest pause from the first."""
FEW_TRIES: Final = 3
"""How often these are tried: an error that no driver has a name for is a bug, and one of credentials is over
when a driver has found those that took the place of the expired ones, or stays."""
_FEW: Final = frozenset({ErrorCode.UNKNOWN, ErrorCode.UNAUTHENTICATED})


class Call(Protocol[Given_co]):
    """One try, over by its own deadline."""

    def __call__(self, *, deadline: Deadline) -> Given_co:
        """Return what came of it. Raises `DriverError`, or anything else, which becomes `UNKNOWN`."""


class BatchCall(Protocol[Taken_contra]):
    """One try on some items."""

    def __call__(self, items: Sequence[Taken_contra], /, *, deadline: Deadline) -> Sequence[ItemError]:
        """Return those that failed. Raises as `Call`."""


def pause_before(attempt: int, error: DriverError | None = None) -> float:
    """Return the seconds to wait before try number `attempt` + 1: full jitter, or what the service asked."""
    pause = random.uniform(0, min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(attempt, _DOUBLINGS)))  # noqa: S311 - no secret
    return max(pause, error.retry_after or 0.0) if error else pause


def call(operation: Call[Result], *, deadline: Deadline, clock: Clock, name: str) -> Result:
    """Return what `operation` returns, trying again while that may help and time is left.

    Args:
        operation: the call; each try has a deadline of its own.
        deadline: no try starts, and no pause ends, after it.
        clock: what pauses.
        name: kind and method, for errors that are not the driver's.

    """
    result = _call(operation, deadline=deadline, clock=clock, name=name)
    _succeeded(name)
    return result


def _call(operation: Call[Result], *, deadline: Deadline, clock: Clock, name: str) -> Result:
    attempt = 0
    met: Counter[ErrorCode] = Counter()
    while True:
        try:
            return operation(deadline=deadline.within(_patience(attempt)))
        except DriverError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - whatever leaks from a driver is held here
            failure = leaked(error, name)
        attempt += 1
        met[failure.code] += 1
        pause = pause_before(attempt, failure)
        if not may_retry(failure, met[failure.code]) or not _is_time(pause, failure, deadline, clock, name):
            raise failure
        clock.sleep(pause)


def each(
    items: Sequence[Item],
    operation: BatchCall[Item],
    *,
    size: Callable[[Item], int],
    limits: Limits,
    deadline: Deadline,
    clock: Clock,
    name: str,
) -> list[ItemError]:
    """Do `operation` to all items, as many a call as `limits` allows, each item tried again on its own.

    Returns:
        The items that failed for good, or were still failing at the deadline. Those of a call that failed as
        a whole say so (`whole_call`). One over `limits.item_bytes` is `TOO_LARGE` without being tried.

    """
    sizes = [size(item) for item in items]
    fitting = [position for position, length in enumerate(sizes) if length <= limits.item_bytes]
    failed = [
        ItemError(position, _too_large(name, length, limits.item_bytes))
        for position, length in enumerate(sizes)
        if length > limits.item_bytes
    ]
    for positions in _batches(fitting, sizes, limits):
        failed += _one_batch(items, positions, operation, deadline, clock, name)
    return failed


def may_retry(error: DriverError, times: int) -> bool:
    """Whether a call that failed with `error`, the `times`th of this code, is worth another try."""
    return times < FEW_TRIES if error.code in _FEW else error.code.retryable


def _succeeded(name: str) -> None:
    if watch := watching.current():
        watch.succeeded(name)


def _is_time(pause: float, error: DriverError, deadline: Deadline, clock: Clock, name: str) -> bool:
    """Whether another try can start after a pause, and whoever waits for it has patience; they are told."""
    left, watch = deadline.remaining(), watching.current()
    if watch is not None:
        left = watch.time_left(name, clock, left)
    if pause >= left:
        return False
    if watch is not None:
        watch.tell(name, error, clock.now() + timedelta(seconds=left))
    return True


def leaked(error: Exception, name: str) -> DriverError:
    """Return an error that crossed the interface unmapped as what it should have been."""
    wrapped = DriverError(
        ErrorCode.UNKNOWN, operation=name, provider="?", message=f"unmapped {type(error).__name__}"
    )
    wrapped.__cause__ = error
    return wrapped


def _patience(attempt: int) -> float:
    """Return the seconds that try number `attempt` + 1 may take."""
    return FIRST_TRY * float(2 ** min(attempt, _DOUBLINGS))


def _one_batch(
    items: Sequence[Item],
    positions: list[int],
    operation: BatchCall[Item],
    deadline: Deadline,
    clock: Clock,
    name: str,
) -> list[ItemError]:
    """Try the items of one batch until none is left that another try may help."""
    final: list[ItemError] = []
    attempt = 0
    met: Counter[ErrorCode] = Counter()
    while positions:
        batch = [items[position] for position in positions]
        try:
            errors = _call(
                partial(_checked, operation, batch, name), deadline=deadline, clock=clock, name=name
            )
        except DriverError as error:
            return final + [ItemError(position, error, whole_call=True) for position in positions]
        if len(errors) < len(batch):  # some got through: for what is left it begins anew
            _succeeded(name)
            attempt = 0
            met.clear()
        attempt += 1
        met.update({error.error.code for error in errors})
        located = [ItemError(positions[error.position], error.error) for error in errors]
        again = [error for error in located if may_retry(error.error, met[error.error.code])]
        pause = max((pause_before(attempt, error.error) for error in again), default=0.0)
        if again and not _is_time(pause, again[0].error, deadline, clock, name):
            return final + located
        final += [error for error in located if error not in again]
        positions = [error.position for error in again]
        if positions:
            clock.sleep(pause)
    return final


def _checked(
    operation: BatchCall[Item], items: Sequence[Item], name: str, *, deadline: Deadline
) -> Sequence[ItemError]:
    """Try some items; return the errors, each of one of them."""
    return check_errors(operation(items, deadline=deadline), len(items), name)


def _batches(positions: Sequence[int], sizes: Sequence[int], limits: Limits) -> Iterator[list[int]]:
    """Yield the positions of items that fit into one call together."""
    batch: list[int] = []
    total = 0
    for position in positions:
        full = len(batch) == limits.batch_items or total + sizes[position] > limits.batch_bytes
        if batch and full:
            yield batch
            batch, total = [], 0
        batch.append(position)
        total += sizes[position]
    if batch:
        yield batch


def _too_large(name: str, size: int, limit: int) -> DriverError:
    return DriverError(
        ErrorCode.TOO_LARGE, operation=name, provider="core", message=f"{size} bytes; at most {limit}"
    )
