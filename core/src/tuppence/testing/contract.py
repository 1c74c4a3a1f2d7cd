"""What all contracts share: the guard against weakening them, the clock, and what their tests are made of."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final, Protocol, TypeVar

import pytest

from tuppence.clock import Clock, Deadline
from tuppence.drivers import Context, Driver
from tuppence.errors import DriverError, ErrorCode
from tuppence.meter import UnitMeter
from tuppence.testing.clock import ManualClock

Result = TypeVar("Result")
AnyDriver_co = TypeVar("AnyDriver_co", bound=Driver, covariant=True)

RACERS: Final = 16
"""Threads that race for one thing, each with a driver of its own."""


class Advancing(Clock, Protocol):
    """A clock a test can move: by hand, or, for a real service, by waiting."""

    def advance(self, span: timedelta) -> None:
        """Let time pass."""


class OpenDriver(Protocol[AnyDriver_co]):
    """What a provider gives: builds drivers on one resource that is empty when a test begins."""

    def __call__(self, context: Context, *, missing: bool = False) -> AnyDriver_co:
        """Return a new driver; with `missing`, one on a resource that does not exist."""


def _check_kept(cls: type, name: str, original: object) -> None:
    if not name.startswith("test_"):
        return
    found = getattr(cls, name)
    marks = getattr(found, "pytestmark", ())
    if found is not original and not any(m.name == "xfail" and m.kwargs.get("reason") for m in marks):
        raise TypeError(
            f"{cls.__name__}.{name} replaces a test of the contract; "
            f'only one marked pytest.mark.xfail(reason="…") may, for a named gap'
        )


class Contract:
    """The base of the contracts.

    Fixtures a provider gives: `open_driver` (required) and, where the service runs on real time, a `clock`
    whose `advance` waits.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for base in cls.__mro__[1:]:
            if issubclass(base, Contract):
                for name, original in vars(base).items():
                    _check_kept(cls, name, original)

    @pytest.fixture
    def clock(self) -> Advancing:
        """Return the time drivers and deadlines go by."""
        return ManualClock()

    @pytest.fixture
    def context(self, clock: Advancing) -> Context:
        """Return what core would hand the driver."""
        return Context(project="contract", meter=UnitMeter(), clock=clock)

    @pytest.fixture
    def soon(self, clock: Advancing) -> Callable[[], Deadline]:
        """Return a deadline that is far enough away for one call, anew for each."""
        return lambda: Deadline.after(timedelta(seconds=30), clock)

    @pytest.fixture
    def open_driver(self) -> OpenDriver[Any]:
        """Return the provider's own `OpenDriver`."""
        raise NotImplementedError(f"{type(self).__name__} gives no fixture `open_driver`")

    @pytest.fixture
    def driver(self, open_driver: OpenDriver[Any], context: Context) -> Iterator[Any]:
        """Yield a driver on the resource."""
        driver = open_driver(context)
        yield driver
        driver.close()

    @pytest.fixture
    def missing(self, open_driver: OpenDriver[Any], context: Context) -> Iterator[Any]:
        """Yield a driver on a resource that does not exist."""
        driver = open_driver(context, missing=True)
        yield driver
        driver.close()


class DriverContract(Contract):
    """What holds for the drivers of every kind that live on a resource."""

    def test_check_succeeds_on_a_resource_that_is_there(self, driver: Driver) -> None:
        """`check` raises nothing where the driver can work."""
        driver.check()

    def test_check_names_a_resource_that_is_missing(self, missing: Driver) -> None:
        """The constructor does no I/O; `check` is the first to say `NOT_FOUND`."""
        with refused(ErrorCode.NOT_FOUND):
            missing.check()

    def test_close_may_be_called_twice(self, open_driver: OpenDriver[Driver], context: Context) -> None:
        """`close` is idempotent, before the first call as well as after it."""
        unused, used = open_driver(context), open_driver(context)
        used.check()

        for driver in (unused, used):
            driver.close()
            driver.close()


@contextmanager
def refused(*codes: ErrorCode) -> Iterator[pytest.ExceptionInfo[DriverError]]:
    """Expect a `DriverError` with one of `codes`; anything else that is raised has leaked."""
    with pytest.raises(DriverError) as caught:
        yield caught
    assert caught.value.code in codes
    assert caught.value.operation
    assert caught.value.provider


def race(work: Callable[[int], Result], racers: int = RACERS) -> list[Result]:
    """Return what `work` returned in each of `racers` threads that started at the same moment."""
    start = threading.Barrier(racers)

    def run(number: int) -> Result:
        start.wait()
        return work(number)

    with ThreadPoolExecutor(racers) as threads:
        return list(threads.map(run, range(racers)))
