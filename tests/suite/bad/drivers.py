"""What the bad drivers are made of: the healthy one of each kind, and faults that any kind can have."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import ClassVar

import pytest

from tuppence.clock import Deadline
from tuppence.errors import DriverError
from tuppence.local.database import FileOptions
from tuppence.meter import UnitMeter


class OnFile:
    """A suite whose driver is `driver_class` on a file of the test's own.

    `breaks` names the tests that must fail with that driver, `may_break` those that a race decides; all
    others must pass.
    """

    driver_class: ClassVar[type]
    breaks: ClassVar[frozenset[str]] = frozenset()
    may_break: ClassVar[frozenset[str]] = frozenset()
    counterpart = "bad on purpose"

    @pytest.fixture
    def open_driver(self, tmp_path):
        def open_driver(context, *, missing=False):
            folder = tmp_path / "nowhere" if missing else tmp_path
            return self.driver_class(FileOptions(path=str(folder / "tuppence.db")), context)

        return open_driver


def names(text):
    """Return names of tests, written as the sentences they are, one a line."""
    return frozenset(f"test_{'_'.join(line.split())}" for line in text.strip().splitlines())


def leaking(*operations):
    """Return a mixin whose `operations` raise what SQLite or the system raised, unwrapped."""

    def leaky(name):
        def call(self, *args, **options):
            try:
                return getattr(super(mixin, self), name)(*args, **options)
            except DriverError as error:
                raise (error.__cause__ or error) from None

        return call

    mixin = type("Leaking", (), {name: leaky(name) for name in operations})
    return mixin


def patient(*operations):
    """Return a mixin whose `operations` take as long as they like."""

    def slow(name):
        def call(self, *args, deadline, **options):
            endless = Deadline.after(3_600, self.context.clock)
            return getattr(super(mixin, self), name)(*args, deadline=endless, **options)

        return call

    mixin = type("Patient", (), {name: slow(name) for name in operations})
    return mixin


class Unmetered:
    """A mixin that counts nothing."""

    def __init__(self, options, context):
        super().__init__(options, replace(context, meter=UnitMeter()))


class Alone:
    """A mixin that gives each driver a file of its own."""

    def __init__(self, options, context):
        super().__init__(FileOptions(path=f"{options.path}.{secrets.token_hex(4)}"), context)
