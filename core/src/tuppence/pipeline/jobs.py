"""The pipeline's jobs over a `Runtime`: run by hand, by the worker, or by a platform's schedule.

Each may stop between any two lines and run several times at once. What a job used is added to the month's
units at its end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from tuppence.clock import Deadline
from tuppence.drivers import BatchHandler, Delivery, ItemError
from tuppence.errors import DriverError
from tuppence.pipeline import drain as drains
from tuppence.pipeline import retention
from tuppence.pipeline import seal as seals
from tuppence.runtime import Runtime

SAVING: Final = timedelta(seconds=10)
"""How long the saving of the units may take, beyond the job itself."""


def drain(runtime: Runtime, *, deadline: Deadline) -> drains.Drained:
    """Empty the queue into the store."""
    config = runtime.config
    with _metered(runtime, "drain"):
        return drains.drain(
            runtime.queue,
            runtime.store,
            project=config.project,
            retention=config.retention,
            clock=runtime.clock,
            deadline=deadline,
            redacted=config.capture.redact,
        )


def consume(runtime: Runtime, *, patience: timedelta) -> BatchHandler:
    """Return what stores messages that the platform has received, for `ComputeDriver.consumer`.

    Args:
        runtime: its store is used.
        patience: how long one call may take.

    """
    config = runtime.config

    def handle(deliveries: Sequence[Delivery]) -> Sequence[ItemError]:
        work = drains.Drain(
            runtime.store,
            project=config.project,
            retention=config.retention,
            clock=runtime.clock,
            redacted=config.capture.redact,
        )
        with _metered(runtime, "drain"):
            return work.handle(deliveries, deadline=Deadline.after(patience, runtime.clock))

    return handle


def seal(runtime: Runtime, *, deadline: Deadline, settle: timedelta | None = None) -> seals.Sealed:
    """Seal every hour and day with something new in it."""
    config = runtime.config
    with _metered(runtime, "seal"):
        return seals.seal(
            runtime.store,
            project=config.project,
            zone=ZoneInfo(config.timezone),
            retention=config.retention,
            clock=runtime.clock,
            deadline=deadline,
            settle=settle,
        )


def purge(runtime: Runtime, *, deadline: Deadline) -> int:
    """Delete expired records where the store does not; return how many."""
    with _metered(runtime, "purge"):
        return retention.purge(runtime.store, clock=runtime.clock, deadline=deadline)


JOBS: Final[Mapping[str, Callable[..., Any]]] = {"drain": drain, "seal": seal, "purge": purge}
"""The jobs by the names that schedules use; each is called as `job(runtime, deadline=…)`."""


@contextmanager
def _metered(runtime: Runtime, component: str) -> Iterator[None]:
    """Save the units when the job is over, also when it failed. A store that is down costs no result."""
    try:
        yield
    finally:
        with suppress(DriverError):
            runtime.meter.save(
                runtime.store,
                runtime.config.project,
                clock=runtime.clock,
                component=component,
                deadline=Deadline.after(SAVING, runtime.clock),
            )
