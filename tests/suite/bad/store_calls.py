"""Stores that do something wrong with calls: deadlines, errors, and a service in trouble."""

from __future__ import annotations

import os

from suite.bad.drivers import (
    HERE,
    IN_TROUBLE,
    Unmetered,
    changing,
    found_by,
    invalid,
    leaked,
    patient,
    recoded,
)
from tuppence.drivers import Absent
from tuppence.errors import DriverError, ErrorCode
from tuppence.local.database import microseconds
from tuppence.local.store import LocalStore
from tuppence.testing.trouble import ALLOWED

CALLS = ("put", "get", "query", "delete", "purge")


@found_by("what is billed is counted")
class CountsNothing(Unmetered, LocalStore):
    """Counts nothing that would be billed."""


@found_by("what is billed is counted")
class CountsWritesAlone(LocalStore):
    """Counts no reads."""

    def get(self, keys, /, *, deadline):
        with self._database.read("store.get", deadline) as connection:
            rows = [self._row(connection, key) for key in keys]
        return [None if row is None else "read" for row in rows]


@found_by("an empty batch is nothing to do")
class RefusesEmptyBatches(LocalStore):
    """Refuses a batch without records."""

    def get(self, keys, /, **options):
        if not keys:
            raise invalid("store.get")
        return super().get(keys, **options)


@found_by("no call starts after the deadline")
class StartsLate(patient(60, "put"), LocalStore):
    """Writes although no time is left."""


@found_by("a missing store is not found")
class TakesMissingForEmpty(LocalStore):
    """Says of a store that is missing that nothing is in it."""

    def get(self, keys, /, **options):
        try:
            return super().get(keys, **options)
        except DriverError as missing:
            if missing.code is not ErrorCode.NOT_FOUND:
                raise
            return [None] * len(keys)


@found_by("a missing store is not found")
class RaisesItsClientsErrors(changing(leaked, *CALLS), LocalStore):
    """Raises what the file system raised."""


@found_by("a missing store is not found")
class NamesOneOperation(
    changing(lambda e: DriverError(e.code, operation="store.put", provider="local"), *CALLS), LocalStore
):
    """Names one operation in the errors of all."""


@found_by("what a forked child writes is read")
class IsDeafInAChild(LocalStore):
    """Writes nothing in a forked child, and says that it has."""

    def put(self, records, /, **options):
        return super().put(records if os.getpid() == HERE else [], **options)


@found_by(IN_TROUBLE)
class OutlivesItsDeadline(patient(ALLOWED.total_seconds() + 6, "put"), LocalStore):
    """Ignores the deadline while the database is locked."""


@found_by(IN_TROUBLE)
class LeaksInTrouble(changing(leaked, "query"), LocalStore):
    """Lets its client's own error out when the service does not answer."""


@found_by(IN_TROUBLE)
class IsEmptyInTrouble(LocalStore):
    """Says of a store that cannot be reached that nothing is in it."""

    def get(self, keys, /, **options):
        try:
            return super().get(keys, **options)
        except DriverError:
            return [None] * len(keys)


@found_by(IN_TROUBLE)
class GivesUpInTrouble(changing(lambda e: recoded(e, ErrorCode.FORBIDDEN), "delete"), LocalStore):
    """Has a final code for a service that is away, so that nobody tries again."""


@found_by("a record that is put too late is never seen")
class RefusesTheExpired(LocalStore):
    """Refuses a record that has expired already."""

    def put(self, records, /, **options):
        now = self.context.clock.now()
        if any(record.expires_at and record.expires_at <= now for record in records):
            raise invalid("store.put")
        return super().put(records, **options)


@found_by("absent may write what was deleted")
class LeavesTombstones(LocalStore):
    """Takes what was deleted for there, when it is to write under `Absent`."""

    def __init__(self, options, context):
        super().__init__(options, context)
        self._dead = set()

    def delete(self, keys, /, **options):
        self._dead.update(keys)
        return super().delete(keys, **options)

    def _unmet(self, connection, key, condition):
        if key in self._dead and isinstance(condition, Absent):
            return ErrorCode.ALREADY_EXISTS
        return super()._unmet(connection, key, condition)


@found_by("a fraction of a second is left aside")
class KeepsFractions(LocalStore):
    """Returns a record in the second it expires in, until its fraction has passed."""

    def put(self, records, /, *, deadline, **options):
        errors = super().put(records, deadline=deadline, **options)
        with self._database.write("store.put", deadline) as connection:
            for record in records:
                if record.expires_at:
                    statement = "UPDATE records SET expires = ? WHERE partition = ? AND sort = ?"
                    key = record.key
                    connection.execute(statement, (microseconds(record.expires_at), key.partition, key.sort))
        return errors
