"""Stores that are bad, each in one way."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

from suite.bad.drivers import OnFile, leaking, names, patient
from tuppence.drivers import Absent, ItemError, Page
from tuppence.errors import DriverError, ErrorCode
from tuppence.local.database import microseconds
from tuppence.local.store import LocalStore
from tuppence.testing import StoreContract

PATIENCE = 2.0
"""Seconds that a writer waits for another to have looked too."""
CALLS = ("put", "get", "query", "delete", "purge")


class TestHealthyStore(OnFile, StoreContract):
    driver_class = LocalStore


class Lossy(LocalStore):
    """Forgets one record in eight, and says nothing."""

    def put(self, records, /, *, deadline, **options):
        errors = super().put(records, deadline=deadline, **options)
        with self._database.write("store.put", deadline) as connection:
            connection.execute("DELETE FROM records WHERE version % 8 = 0")
        return errors


class TestLossy(OnFile, StoreContract):
    driver_class = Lossy
    breaks = names("""
        a counter kept by versions loses nothing
        a full batch is stored
        a query sorts by bytes
        absent names each record that is there
        as many of the largest records as a call holds are read in one
        pages hold everything once
        pages survive writers
        pages survive writers at work
        purge spares what takes an expired records place
        racing puts leave one of them whole
        records within the limit of a call are taken
    """)


class Eternal(LocalStore):
    """Keeps what has expired, and shows it."""

    def _now(self):
        return 0


class TestEternal(OnFile, StoreContract):
    driver_class = Eternal
    breaks = names("""
        a later put may prolong a life
        a later put may shorten a life
        a record is gone from the second it expires
        a record that is put too late is never seen
        absent on an expired record has one winner
        an expired record counts as absent
        expired records are left out among others
        purge deletes what has expired
        purge leaves what expired later than asked
        purge spares what takes an expired records place
    """)


class Late(LocalStore):
    """Lets records go a second too late."""

    def _now(self):
        return microseconds(self.context.clock.now() - timedelta(seconds=1))


class TestLate(OnFile, StoreContract):
    driver_class = Late
    breaks = names("""
        a later put may prolong a life
        a later put may shorten a life
        a record is gone from the second it expires
        absent on an expired record has one winner
        an expired record counts as absent
        expired records are left out among others
    """)


class Hiding(LocalStore):
    """Leaves expired records out of reads, and counts them as there when it is to write."""

    def _unmet(self, connection, key, condition):
        if isinstance(condition, Absent):
            found = connection.execute(
                "SELECT 1 FROM records WHERE partition = ? AND sort = ?", (key.partition, key.sort)
            ).fetchone()
            return ErrorCode.ALREADY_EXISTS if found else None
        return super()._unmet(connection, key, condition)


class TestHiding(OnFile, StoreContract):
    driver_class = Hiding
    breaks = names("""
        absent on an expired record has one winner
        an expired record counts as absent
    """)
    may_break = names("""
        purge spares what takes an expired records place
    """)


class Racy(LocalStore):
    """Looks whether a condition holds, and writes afterwards."""

    together = threading.Barrier(2)
    """Lets two writers look before either writes, where there are two."""

    def put(self, records, /, *, condition=None, deadline):
        if condition is None:
            return super().put(records, deadline=deadline)
        found = self.get([record.key for record in records], deadline=deadline)
        errors = [error for n, one in enumerate(found) if (error := self._lost(n, one, condition))]
        self._meet()
        lost = {error.position for error in errors}
        super().put([record for n, record in enumerate(records) if n not in lost], deadline=deadline)
        return errors

    def _lost(self, position, found, condition):
        if isinstance(condition, Absent):
            code = ErrorCode.ALREADY_EXISTS if found else None
        else:
            code = None if found and found.version == condition.value else ErrorCode.CONFLICT
        error = code and DriverError(code, operation="store.put", provider="bad")
        return error and ItemError(position, error)

    def _meet(self):
        if threading.current_thread() is not threading.main_thread():
            try:
                self.together.wait(timeout=PATIENCE)
            except threading.BrokenBarrierError:
                self.together.reset()


class TestRacy(OnFile, StoreContract):
    driver_class = Racy
    breaks = names("""
        a counter kept by versions loses nothing
        absent holds under contention
        absent on an expired record has one winner
        version holds under contention
        version takes one record a call
    """)
    may_break = names("""
        deleting and putting on one version has one winner
    """)


class Skipping(LocalStore):
    """Loses a record between two pages."""

    def query(self, partition, /, **options):
        page = super().query(partition, **options)
        if page.cursor is None or len(page.records) == 1:
            return page
        return Page(records=page.records[:-1], cursor=page.cursor)


class TestSkipping(OnFile, StoreContract):
    driver_class = Skipping
    breaks = names("""
        a query returns its range in order
        a query sorts by bytes
        absent names each record that is there
        bounds need not be there
        pages hold everything once
        pages of a range stay in it
        pages of the largest records hold everything once
        pages survive writers
        pages survive writers at work
        purge spares what takes an expired records place
        records within the limit of a call are taken
    """)


class Boundless(LocalStore):
    """Counts the end of a range in."""

    def query(self, partition, /, *, end="", **options):
        return super().query(partition, end=f"{end}." if end else "", **options)


class TestBoundless(OnFile, StoreContract):
    driver_class = Boundless
    breaks = names("""
        a query returns its range in order
        pages of a range stay in it
    """)


class Remembering(LocalStore):
    """Answers from a cache of its own."""

    def __init__(self, options, context):
        super().__init__(options, context)
        self._cache = {}

    def put(self, records, /, **options):
        for record in records:
            self._cache.pop(record.key, None)
        return super().put(records, **options)

    def delete(self, keys, /, **options):
        for key in keys:
            self._cache.pop(key, None)
        return super().delete(keys, **options)

    def get(self, keys, /, *, deadline):
        read = super().get(keys, deadline=deadline)
        return [self._cache.setdefault(key, found) for key, found in zip(keys, read, strict=True)]


class TestRemembering(OnFile, StoreContract):
    driver_class = Remembering
    breaks = names("""
        a marker written while it is deleted by version stays
        a record is gone from the second it expires
        another process sees what was written
        deleting and putting on one version has one winner
    """)


class Sweeping(LocalStore):
    """Fails a whole call for one item that is there already."""

    def put(self, records, /, **options):
        errors = super().put(records, **options)
        if any(error.error.code is ErrorCode.ALREADY_EXISTS for error in errors):
            raise errors[0].error
        return errors


class TestSweeping(OnFile, StoreContract):
    driver_class = Sweeping
    breaks = names("""
        a record about to expire is still there
        absent holds under contention
        absent names each record that is there
        absent on an expired record has one winner
        absent writes only where nothing is
    """)


class Miscounting(LocalStore):
    """Does not count attributes against the limit of an item."""

    def put(self, records, /, **options):
        bare = [replace(record, attributes={}) for record in records]
        over = [n for n, record in enumerate(bare) if record.size > self.limits.item_bytes]
        if over or all(record.size <= self.limits.item_bytes for record in records):
            return super().put(records, **options)
        return ()


class TestMiscounting(OnFile, StoreContract):
    driver_class = Miscounting
    breaks = names("""
        a record over the limit fails alone
    """)


class Leaky(leaking(*CALLS), LocalStore):
    """Raises what the file system raises."""


class TestLeaky(OnFile, StoreContract):
    driver_class = Leaky
    breaks = names("""
        a missing store is not found
    """)


class Timeless(patient(*CALLS), LocalStore):
    """Ignores every deadline."""


class TestTimeless(OnFile, StoreContract):
    driver_class = Timeless
    breaks = names("""
        no call starts after the deadline
    """)
