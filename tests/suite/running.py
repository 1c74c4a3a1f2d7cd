"""Runs single tests of a contract on a driver, in this process and without pytest's own machinery."""

from __future__ import annotations

import inspect
import itertools
import os
import tempfile
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from contract.locked import locked
from tuppence.clock import SystemClock
from tuppence.drivers import ComputeDriver, Context, Delivery, MailerDriver, QueueDriver, SchedulerDriver
from tuppence.local.database import FileOptions
from tuppence.local.mailer import LocalMailer
from tuppence.meter import UnitMeter
from tuppence.testing import (
    ComputeContract,
    MailerContract,
    QueueContract,
    SchedulerContract,
    StoreContract,
)
from tuppence.testing.outside import interrupted_after
from tuppence.testing.trouble import SECRET, TroubledService

FAST = Path("/dev/shm")
"""Where files cost no disk, on machines that have it."""
LIMIT = 60.0
"""Seconds that one test may take."""


class OnFile:
    """The fixtures of a suite whose driver keeps its things in a SQLite file."""

    def __init__(self, driver_class, folder):
        self.driver_class = driver_class
        self.folder = folder

    @pytest.fixture
    def open_driver(self):
        def open_driver(context, *, missing=False):
            folder = self.folder / "nowhere" if missing else self.folder
            options = getattr(self.driver_class, "Options", FileOptions)
            return self.driver_class(options(path=str(folder / "tuppence.db")), context)

        return open_driver

    @pytest.fixture
    def open_in_trouble(self, open_driver):
        @contextmanager
        def open_in_trouble(context, _):
            with closing(open_driver(context)) as driver:
                driver.check()
                driver.close()
                driver.password = SECRET
                with locked(self.folder / "tuppence.db"):
                    yield driver

        return open_in_trouble


class InFolder(OnFile):
    """The fixtures of a mailer that writes files."""

    @pytest.fixture
    def open_driver(self):
        def open_driver(context, *, missing=False):
            folder = self.folder / "nowhere" if missing else self.folder
            return self.driver_class(LocalMailer.Options(directory=str(folder / "outbox")), context)

        return open_driver

    @pytest.fixture
    def open_in_trouble(self):
        """Give one that speaks SMTP: a folder is in no trouble."""

        @contextmanager
        def open_in_trouble(context, trouble):
            with TroubledService(trouble, b"220 hello, and") as (host, port):
                options = LocalMailer.Options(host=host, port=port, security="none")
                yield self.driver_class(options, context)

        return open_in_trouble

    @pytest.fixture
    def letterbox(self):
        return lambda: [
            message_from_bytes(file.read_bytes(), policy=policy.default)
            for file in sorted((self.folder / "outbox").glob("*"))
        ]


class Called(OnFile):
    """The fixtures of a compute driver, called in this process."""

    @pytest.fixture
    def platform(self):
        context = Context(project="contract", meter=UnitMeter(), clock=SystemClock())
        return Worker(self.driver_class(self.driver_class.Options(), context))


class Worker:
    """The long-running worker, as far as the driver's functions can tell."""

    def __init__(self, driver):
        self.driver = driver

    def deliver(self, consumer, messages):
        expires = datetime(2026, 11, 16, tzinfo=UTC)
        deliveries = [Delivery(message=message, receipt=None, expires=expires) for message in messages]
        return {error.position for error in consumer(deliveries)}

    def fire(self, runner, run):
        try:
            runner(run)
        except ValueError:
            return False
        return True


def contract_of(driver_class):
    """Return the contract of a driver's kind, and the fixtures of its suite."""
    if issubclass(driver_class, QueueDriver):
        return QueueContract, OnFile
    if issubclass(driver_class, SchedulerDriver):
        return SchedulerContract, OnFile
    if issubclass(driver_class, MailerDriver):
        return MailerContract, InFolder
    if issubclass(driver_class, ComputeDriver):
        return ComputeContract, Called
    return StoreContract, OnFile


def run(driver_class, test):
    """Run a test of the contract with all its parameters. Raises what the first failing one raises."""
    contract, fixtures = contract_of(driver_class)
    cls = type("Suite", (fixtures, contract), {"__test__": False})
    for arguments in _parameters(getattr(cls, test)):
        with (
            tempfile.TemporaryDirectory(dir=FAST if os.access(FAST, os.W_OK) else None) as folder,
            interrupted_after(LIMIT, f"{test} took too long"),
            ExitStack() as stack,
        ):
            suite = cls(driver_class, Path(folder))
            lent = _Fixtures(suite, stack)
            function = getattr(suite, test)
            wanted = [name for name in inspect.signature(function).parameters if name not in arguments]
            function(**{name: lent.get(name) for name in wanted}, **arguments)


def _parameters(function):
    """Yield each combination of a test's parameters."""
    marks = [mark for mark in getattr(function, "pytestmark", ()) if mark.name == "parametrize"]
    choices = [[{mark.args[0]: value} for value in mark.args[1]] for mark in marks]
    for combination in itertools.product(*choices):
        yield {name: value for one in combination for name, value in one.items()}


class _Fixtures:
    """A suite's fixtures, each made once, when it is first asked for."""

    def __init__(self, suite, stack):
        self._suite = suite
        self._stack = stack
        self._made = {}

    def get(self, name):
        if name not in self._made:
            function = getattr(type(self._suite), name)._get_wrapped_function()
            wanted = list(inspect.signature(function).parameters)[1:]
            found = function(self._suite, *(self.get(one) for one in wanted))
            if inspect.isgenerator(found):
                made = next(found)
                self._stack.callback(next, found, None)
                found = made
            self._made[name] = found
        return self._made[name]
