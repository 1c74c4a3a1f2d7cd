"""What the bad drivers are made of: how an entry says what finds it, and faults that any kind can have."""

from __future__ import annotations

import os
import secrets
import threading
from dataclasses import replace

from tuppence.clock import Deadline
from tuppence.errors import DriverError, ErrorCode
from tuppence.local.database import FileOptions
from tuppence.meter import UnitMeter

CATALOGUE = []
"""The bad drivers, in the order in which their modules define them."""
HERE = os.getpid()
IN_TROUBLE = "a service in trouble is an error in time"
PAUSE = 0.1
"""Seconds between two steps that should be one."""


def found_by(*sentences):
    """Enter a driver into the catalogue: its docstring says what is wrong, and these tests find it."""

    def enter(cls):
        cls.tests = tuple(f"test_{'_'.join(sentence.split())}" for sentence in sentences)
        CATALOGUE.append(cls)
        return cls

    return enter


def error(code, operation, message=""):
    return DriverError(code, operation=operation, provider="local", message=message)


def invalid(operation, message=""):
    return error(ErrorCode.INVALID, operation, message)


def changing(change, *operations):
    """Return a mixin whose `operations` raise what `change` makes of an error."""

    def changed(name):
        def call(self, *args, **options):
            try:
                return getattr(super(mixin, self), name)(*args, **options)
            except DriverError as error:
                raise change(error) from None

        return call

    mixin = type("Changing", (), {name: changed(name) for name in operations})
    return mixin


def recoded(error, code):
    """Return the same error under another code."""
    return DriverError(code, operation=error.operation, provider=error.provider, message=error.message)


def leaked(error):
    """Return what SQLite or the system raised, unwrapped."""
    return error.__cause__ or error


def patient(seconds, *operations):
    """Return a mixin whose `operations` take up to so many seconds, whatever the deadline."""

    def slow(name):
        def call(self, *args, deadline, **options):
            own = Deadline.after(seconds, self.context.clock)
            return getattr(super(mixin, self), name)(*args, deadline=own, **options)

        return call

    mixin = type("Patient", (), {name: slow(name) for name in operations})
    return mixin


def pause():
    """Give other racers the time for a step of theirs, where there are any."""
    if threading.current_thread() is not threading.main_thread():
        threading.Event().wait(PAUSE)


class Unmetered:
    """A mixin that counts nothing."""

    def __init__(self, options, context):
        super().__init__(options, replace(context, meter=UnitMeter()))


class Alone:
    """A mixin that gives each driver a file of its own."""

    def __init__(self, options, context):
        super().__init__(FileOptions(path=f"{options.path}.{secrets.token_hex(4)}"), context)
