"""Stores that do something wrong with a time to live."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from suite.bad.drivers import found_by, pause
from tuppence.drivers import Absent
from tuppence.errors import ErrorCode
from tuppence.local.database import microseconds
from tuppence.local.store import LocalStore

SECOND = timedelta(seconds=1)
CONFLICT, EXISTS = ErrorCode.CONFLICT, ErrorCode.ALREADY_EXISTS
NO_QUERY = ("", "", "")


@found_by(
    "a record is gone from the second it expires",
    "expired records are left out among others",
    "a later put may shorten a life",
)
class ShowsTheExpired(LocalStore):
    """Keeps what has expired until a purge, and shows it."""

    def _now(self):
        return 0


@found_by("a record is gone from the second it expires")
class ASecondLate(LocalStore):
    """Lets records go a second too late."""

    def _now(self):
        return microseconds(self.context.clock.now() - SECOND)


@found_by("a record is gone from the second it expires")
class ASecondEarly(LocalStore):
    """Lets records go a second too early."""

    def _now(self):
        return microseconds(self.context.clock.now() + SECOND)


@found_by("a record is gone from the second it expires")
class QueriesTheExpired(LocalStore):
    """Leaves expired records out of reads by key, and not out of queries."""

    def query(self, partition, /, **options):
        now, self._now = self._now, lambda: 0
        try:
            return super().query(partition, **options)
        finally:
            self._now = now


@found_by("a fraction of a second is left aside")
class RoundsUp(LocalStore):
    """Rounds fractions of a second up."""

    def put(self, records, /, **options):
        up = SECOND - timedelta(microseconds=1)
        later = [r if r.expires_at is None else replace(r, expires_at=r.expires_at + up) for r in records]
        return super().put(later, **options)


@found_by("a life may be long")
class CutsLives(LocalStore):
    """Cuts a life at 30 days, as its service does."""

    def put(self, records, /, **options):
        most = self.context.clock.now().replace(microsecond=0) + timedelta(days=30)
        cut = [r if r.expires_at is None else replace(r, expires_at=min(r.expires_at, most)) for r in records]
        return super().put(cut, **options)


@found_by("a life may be long")
class ForgetsAfterAYear(LocalStore):
    """Keeps when a record expires, and loses it after a year all the same."""

    def get(self, keys, /, **options):
        year = self.context.clock.now() - timedelta(days=365)
        with self._database.write("store.get", options["deadline"]) as connection:
            self.__dict__.setdefault("_first", self.context.clock.now())
            if self._first < year:
                connection.execute("DELETE FROM records")
        return super().get(keys, **options)

    def put(self, records, /, **options):
        self.__dict__.setdefault("_first", self.context.clock.now())
        return super().put(records, **options)


@found_by("a later put may prolong a life")
class KeepsTheFirstExpiry(LocalStore):
    """Lets a record expire when it was to expire at first."""

    def put(self, records, /, *, deadline, **options):
        there = super().get([record.key for record in records], deadline=deadline)
        kept = [
            replace(record, expires_at=old.expires_at) if old and old.expires_at else record
            for old, record in zip(there, records, strict=True)
        ]
        return super().put(kept, deadline=deadline, **options)


@found_by("an expired record counts as absent", "absent on an expired record has one winner")
class CountsTheExpired(LocalStore):
    """Leaves expired records out of reads, and counts them as there when it is to write."""

    def _unmet(self, connection, key, condition):
        if isinstance(condition, Absent):
            statement = "SELECT 1 FROM records WHERE partition = ? AND sort = ?"
            return EXISTS if connection.execute(statement, (key.partition, key.sort)).fetchone() else None
        return super()._unmet(connection, key, condition)


@found_by("a record about to expire is still there")
class FreesTooEarly(LocalStore):
    """Writes under `Absent` over a record in the last seconds of its life."""

    def _unmet(self, connection, key, condition):
        now, self._now = self._now, lambda: microseconds(self.context.clock.now() + 2 * SECOND)
        try:
            return super()._unmet(connection, key, condition)
        finally:
            self._now = now


@found_by("purge deletes what has expired")
class PurgesNothing(LocalStore):
    """Claims no time to live of its service's, and purges nothing."""

    def purge(self, **options):
        return 0


@found_by("purge deletes what has expired")
class PurgesWithoutLimit(LocalStore):
    """Purges all at once, however little it was asked to."""

    def purge(self, *, limit, **options):
        return super().purge(limit=1_000_000, **options)


@found_by("purge deletes what has expired")
class PurgesTheLiving(LocalStore):
    """Purges what will have expired by a moment that has not come."""

    def purge(self, *, before, limit, deadline):
        with self._database.write("store.purge", deadline) as connection:
            statement = "DELETE FROM records WHERE expires < ?"
            return connection.execute(statement, (microseconds(before),)).rowcount


@found_by("purge leaves what expired later than asked")
class PurgesTheRecent(LocalStore):
    """Purges all that has expired, whenever that was."""

    def purge(self, *, before, **options):
        return super().purge(before=self.context.clock.now(), **options)


@found_by("purge spares what takes an expired records place")
class PurgesReplacements(LocalStore):
    """Looks what has expired, and deletes it by its key in a second step."""

    def purge(self, *, before, limit, deadline):
        with self._database.read("store.purge", deadline) as connection:
            statement = "SELECT partition, sort FROM records WHERE expires < ?"
            found = connection.execute(statement, (microseconds(before),)).fetchall()
        pause()
        with self._database.write("store.purge", deadline) as connection:
            connection.executemany("DELETE FROM records WHERE partition = ? AND sort = ?", found)
        return len(found)
