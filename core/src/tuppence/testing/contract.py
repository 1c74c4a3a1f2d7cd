"""What all contracts share: the fixtures a provider may give, and what the tests are made of."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, ClassVar, Final, Protocol, TypeVar

import pytest

from tuppence import plugins
from tuppence.clock import Clock, Deadline
from tuppence.drivers import Context, Driver, ItemError, Kind
from tuppence.errors import DriverError, ErrorCode
from tuppence.meter import UnitMeter
from tuppence.testing.clock import ManualClock
from tuppence.testing.guard import Guarded
from tuppence.testing.outside import interrupted_after

Result = TypeVar("Result")
AnyDriver_co = TypeVar("AnyDriver_co", bound=Driver, covariant=True)
Soon = Callable[[], Deadline]

RACERS: Final = 16
"""Threads that race for one thing, each with a driver of its own."""
SECOND: Final = timedelta(seconds=1)
UNIT: Final = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)+")
"""How billable units are named, as in `sqs.requests`."""


class Advancing(Clock, Protocol):
    """A clock a test can move: by hand, or, for a real service, by waiting."""

    def advance(self, span: timedelta) -> None:
        """Let time pass."""


class OpenDriver(Protocol[AnyDriver_co]):
    """What a provider gives: builds drivers on one resource that is empty when a test begins."""

    def __call__(self, context: Context, *, missing: bool = False) -> AnyDriver_co:
        """Return a new driver; with `missing`, one on a resource that does not exist."""


class Contract(Guarded):
    """The base of the contracts.

    Fixtures a provider gives: `open_driver` (required) and, where the service runs on real time, a `clock`
    whose `advance` waits.

    Attributes:
        kind: what it is the contract of.
        about: which of its promises a class holds; the rows of the provider matrix.
        provider: whose driver it is; needed only where no installed provider declares the driver's class.
        counterpart: what the driver is tested against, in words: "embedded", "live", or an emulator's name
            and version.

    """

    kind: ClassVar[Kind]
    about: ClassVar[str] = ""
    provider: ClassVar[str] = ""
    counterpart: ClassVar[str] = ""

    time_limit: ClassVar[timedelta] = timedelta(minutes=2)
    """What one test may take, set-up aside: a driver that hangs fails it, and is named."""

    @pytest.fixture(autouse=True)
    def _in_time(self, request: pytest.FixtureRequest) -> Iterator[None]:
        limit = self.time_limit.total_seconds()
        name = f"{type(self).__name__}.{request.node.name}"
        with interrupted_after(limit, f"{name} did not end within {limit:.0f} s; a call of the driver hangs"):
            yield

    @pytest.fixture
    def clock(self) -> Advancing:
        """Return the time drivers and deadlines go by."""
        return ManualClock()

    @pytest.fixture
    def context(self, clock: Advancing) -> Context:
        """Return what core would hand the driver."""
        return Context(project="contract", meter=UnitMeter(), clock=clock)

    @pytest.fixture
    def soon(self, clock: Advancing) -> Soon:
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


@contextmanager
def refused(*codes: ErrorCode, operation: str = "") -> Iterator[pytest.ExceptionInfo[DriverError]]:
    """Expect a `DriverError` with one of `codes`, of `operation`; anything else that is raised has leaked."""
    with pytest.raises(DriverError) as caught:
        yield caught
    assert caught.value.code in codes
    assert caught.value.operation == (operation or caught.value.operation)
    assert caught.value.operation
    assert caught.value.provider


def provider_of(driver: Driver) -> str:
    """Return the name of the installed provider that declares the driver's class or one it is made from."""
    classes = {f"{cls.__module__}:{cls.__qualname__}" for cls in type(driver).__mro__}
    for provider in plugins.load().providers.values():
        if any(classes & {*provider.services(kind).values()} for kind in Kind):
            return provider.name
    return ""


def failures(errors: Sequence[ItemError]) -> list[tuple[int, ErrorCode]]:
    """Return what failed: positions and codes, in the order of the items."""
    for error in errors:
        assert isinstance(error, ItemError)
        assert isinstance(error.error, DriverError), "an SDK's error has leaked into an ItemError"
        assert error.error.operation
        assert error.error.provider
    return sorted((error.position, error.error.code) for error in errors)


def check_units(context: Context) -> None:
    """Expect that something was counted since the last look, under dotted names."""
    assert isinstance(context.meter, UnitMeter)
    units = context.meter.take()
    assert units, "nothing was counted"
    assert all(UNIT.fullmatch(name) and amount > 0 for name, amount in units.items()), units


def race(work: Callable[[int], Result], racers: int = RACERS) -> list[Result]:
    """Return what `work` returned in each of `racers` threads that started at the same moment."""
    start = threading.Barrier(racers)

    def run(number: int) -> Result:
        start.wait()
        return work(number)

    with ThreadPoolExecutor(racers) as threads:
        return list(threads.map(run, range(racers)))


@contextmanager
def opened(open_driver: OpenDriver[Any], context: Context) -> Iterator[Any]:
    """Lend another driver on the resource, as another process would have."""
    driver = open_driver(context)
    try:
        yield driver
    finally:
        driver.close()
