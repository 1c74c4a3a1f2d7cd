"""The embedded compute driver: functions called in this process.

Options: none.
Delivery: the caller hands over deliveries and is given the ones that failed.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tuppence.drivers import BatchHandler, ComputeDriver, Delivery, ItemError, NativeHandler, RunHandler
from tuppence.errors import DriverError
from tuppence.retry import leaked


class ComputeOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """There is nothing to set."""


class LocalCompute(ComputeDriver):
    """Calls the portable code directly."""

    Options = ComputeOptions

    def check(self) -> None:
        """Succeed: this process is running."""

    def consumer(self, handle: BatchHandler, /) -> NativeHandler:
        """Return a function from deliveries to the errors of those that failed.

        When `handle` raises, all of them failed.
        """

        def consume(deliveries: Sequence[Delivery]) -> list[ItemError]:
            try:
                return list(handle(deliveries))
            except DriverError as error:
                failed = error
            except Exception as error:  # noqa: BLE001 - the messages must come again, whatever went wrong
                failed = leaked(error, "compute.consumer")
            return [ItemError(position, failed) for position in range(len(deliveries))]

        return consume

    def runner(self, handle: RunHandler, /) -> NativeHandler:
        """Return `handle` itself: the worker calls it with a `Run`, and sees what it raises."""
        return handle
