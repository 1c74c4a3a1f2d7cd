"""Drivers that do something wrong that any kind could: here they are schedulers."""

from __future__ import annotations

import os
import threading

import msgspec

from suite.bad.drivers import HERE, error, found_by
from tuppence.drivers import Feature, Permission
from tuppence.errors import ErrorCode
from tuppence.findings import note, wrong
from tuppence.local.scheduler import LocalScheduler

WEEKDAYS = str.maketrans("0123456", "6012345")


class LooseOptions(msgspec.Struct):
    """Takes any key, and may be changed."""

    path: str = "tuppence.db"


@found_by("options are frozen and refuse unknown keys")
class TakesAnyKey(LocalScheduler):
    """Takes options that it does not know, so that a misspelt one is no error."""

    Options = LooseOptions


@found_by("features are those of the kind")
class ClaimsAnothersFeature(LocalScheduler):
    """Claims a feature that belongs to another kind."""

    features = frozenset({Feature.POLLED, Feature.NATIVE_TTL})


@found_by("the constructor does no io", "check names a resource that is missing")
class OpensAtOnce(LocalScheduler):
    """Opens its file when it is built."""

    def __init__(self, options, context):
        super().__init__(options, context)
        self.schedules()


@found_by("permissions are declared without io")
class NamesNoPermission(LocalScheduler):
    """Declares a permission to do nothing."""

    def permissions(self, role, /):
        return [Permission(action="", resource="*")]


@found_by("permissions are declared without io")
class AsksForPermissions(LocalScheduler):
    """Looks into its file to say what it must be allowed to do."""

    def permissions(self, role, /):
        self.schedules()
        return []


@found_by("a driver works in another thread than it was built in")
class StaysInItsThread(LocalScheduler):
    """Works only in the thread that built it."""

    def __init__(self, options, context):
        super().__init__(options, context)
        self._thread = threading.get_ident()

    def check(self):
        if self._thread != threading.get_ident():
            raise RuntimeError("made in another thread")
        super().check()


@found_by("close may be called twice")
class ClosesOnce(LocalScheduler):
    """Fails when it is closed a second time."""

    closed = False

    def close(self):
        if self.closed:
            raise RuntimeError("closed already")
        self.closed = True
        super().close()


@found_by("check succeeds on a resource that is there")
class IsNeverContent(LocalScheduler):
    """Says that it is away when it is not."""

    def check(self):
        super().check()
        raise error(ErrorCode.UNAVAILABLE, "scheduler.check")


@found_by("check names a resource that is missing")
class ChecksNothing(LocalScheduler):
    """Finds all well without a look."""

    def check(self):
        pass


@found_by("a forked child rebuilds its driver")
class BelongsToOneProcess(LocalScheduler):
    """Cannot be built in a forked child."""

    def __init__(self, options, context):
        super().__init__(options, context)
        if os.getpid() != HERE:
            raise RuntimeError("far from home")


@found_by("findings are in words and call nothing wrong that works")
class FindsFault(LocalScheduler):
    """Finds fault with what works."""

    def findings(self, *, deadline):
        return [wrong("this may all go wrong", "Hope for the best.")]


@found_by("findings are in words and call nothing wrong that works")
class FindsWithoutWords(LocalScheduler):
    """Finds something, and does not say what."""

    def findings(self, *, deadline):
        return [note("")]


@found_by("findings of a missing resource are told and not raised")
class RaisesFindings(LocalScheduler):
    """Raises what it should tell."""

    def findings(self, *, deadline):
        self.schedules()
        return []


@found_by("findings raise nothing when time is up")
class RaisesThatTimeIsUp(LocalScheduler):
    """Raises when no time is left to look closer."""

    def findings(self, *, deadline):
        if deadline.expired:
            raise error(ErrorCode.TIMEOUT, "scheduler.findings")
        return []
