"""A configuration brought to life: its drivers, built when first asked for, within core's policy."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, cast

from tuppence import plugins
from tuppence.clock import Clock, SystemClock
from tuppence.config import Config
from tuppence.drivers import ComputeDriver, Context, Driver, Kind, MailerDriver, SchedulerDriver
from tuppence.meter import UnitMeter
from tuppence.plugins import Plugins

if TYPE_CHECKING:
    from tuppence.pipeline.heartbeat import Heartbeats
    from tuppence.queue import Queue
    from tuppence.store import Store


class Runtime:
    """What a job works with. Not for sharing between threads; close it when done."""

    def __init__(self, config: Config, *, clock: Clock | None = None, found: Plugins | None = None) -> None:
        self.config = config
        self.clock = clock or SystemClock()
        self.meter = UnitMeter()
        self._found = found
        self._built: list[Driver] = []

    @cached_property
    def plugins(self) -> Plugins:
        """The installed providers."""
        return self._found or plugins.load()

    @cached_property
    def queue(self) -> Queue:
        """The configured queue."""
        from tuppence.queue import Queue

        return Queue(self._driver(Kind.QUEUE), self.clock)

    @cached_property
    def store(self) -> Store:
        """The configured store."""
        from tuppence.store import Store

        return Store(self._driver(Kind.STORE), self.clock)

    @cached_property
    def heartbeats(self) -> Heartbeats:
        """What writes down how jobs ended."""
        from tuppence.pipeline.heartbeat import Heartbeats

        return Heartbeats(self.store, self.config.project, self.clock)

    @cached_property
    def compute(self) -> ComputeDriver:
        """The configured compute driver."""
        return cast("ComputeDriver", self._driver(Kind.COMPUTE))

    @cached_property
    def scheduler(self) -> SchedulerDriver:
        """The configured scheduler driver."""
        return cast("SchedulerDriver", self._driver(Kind.SCHEDULER))

    @cached_property
    def mailer(self) -> MailerDriver:
        """The configured mailer driver."""
        return cast("MailerDriver", self._driver(Kind.MAILER))

    def close(self) -> None:
        """Close every driver that was built."""
        for driver in self._built:
            driver.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _driver(self, kind: Kind) -> Any:
        context = Context(project=self.config.project, meter=self.meter, clock=self.clock)
        driver = self.plugins.driver(kind, self.config, context)
        self._built.append(driver)
        return driver
