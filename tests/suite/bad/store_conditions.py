"""Stores that do something wrong with conditions and versions."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import replace
from datetime import timedelta

from suite.bad.drivers import error, found_by, pause
from tuppence.drivers import Absent, ItemError, Version
from tuppence.errors import ErrorCode
from tuppence.local.store import LocalStore

SECOND = timedelta(seconds=1)
CONFLICT, EXISTS = ErrorCode.CONFLICT, ErrorCode.ALREADY_EXISTS
NO_QUERY = ("", "", "")


class Hashing(LocalStore):
    """What makes versions of what a record holds derives from this."""

    def get(self, keys, /, **options):
        return [record and _hashed(record) for record in super().get(keys, **options)]

    def query(self, partition, /, **options):
        page = super().query(partition, **options)
        return replace(page, records=[_hashed(record) for record in page.records])

    def _unmet(self, connection, key, condition):
        if not isinstance(condition, Version):
            return super()._unmet(connection, key, condition)
        row = self._row(connection, key)
        return None if row and _digest(row[2]) == condition.value else CONFLICT


def _hashed(record):
    return replace(record, version=_digest(record.body))


def _digest(body):
    return hashlib.blake2b(body, digest_size=8).hexdigest()


@found_by(
    "every put changes the version",
    "a record may be put on its version again and again",
    "delete with a version spares what has changed",
)
class HashesBodies(Hashing):
    """Makes a version of a record's body, so that the same content is the same version."""


@found_by("every put changes the version")
class CountsVersionsAnew(LocalStore):
    """Counts versions of each record from 1, again after a deletion."""

    counts = threading.local()

    def put(self, records, /, *, deadline, **options):
        there = super().get([record.key for record in records], deadline=deadline)
        errors = super().put(records, deadline=deadline, **options)
        counts = self.counts.__dict__.setdefault("of", {})
        for record, old in zip(records, there, strict=True):
            counts[record.key] = counts.get(record.key, 0) + 1 if old else 1
        return errors

    def get(self, keys, /, **options):
        counts = self.counts.__dict__.setdefault("of", {})
        found = super().get(keys, **options)
        return [record and replace(record, version=f"{counts[record.key]}") for record in found]


@found_by(
    "absent writes only where nothing is",
    "absent holds under contention",
    "absent names each record that is there",
)
class IgnoresAbsent(LocalStore):
    """Writes under `Absent` whatever is there."""

    def _unmet(self, connection, key, condition):
        return None if isinstance(condition, Absent) else super()._unmet(connection, key, condition)


@found_by("version writes only what has not changed", "version holds under contention")
class IgnoresVersion(LocalStore):
    """Writes under `Version` whatever has changed."""

    def _unmet(self, connection, key, condition):
        return None if isinstance(condition, Version) else super()._unmet(connection, key, condition)


@found_by("absent names each record that is there")
class SweepsUnderAbsent(LocalStore):
    """Writes nothing of a call in which one record is there already."""

    def put(self, records, /, *, condition=None, deadline):
        if isinstance(condition, Absent):
            found = self.get([record.key for record in records], deadline=deadline)
            errors = [ItemError(n, error(EXISTS, "store.put")) for n, one in enumerate(found) if one]
            if errors:
                return errors
        return super().put(records, condition=condition, deadline=deadline)


@found_by("absent writes only where nothing is")
class RaisesUnderAbsent(LocalStore):
    """Raises where one record of a call is there already."""

    def put(self, records, /, **options):
        errors = super().put(records, **options)
        if any(one.error.code is EXISTS for one in errors):
            raise errors[0].error
        return errors


@found_by("each record of a call fails in its own way")
class BlamesTheCondition(LocalStore):
    """Says of every record that failed under `Absent` that it was there."""

    def put(self, records, /, *, condition=None, deadline):
        errors = super().put(records, condition=condition, deadline=deadline)
        if isinstance(condition, Absent):
            return [ItemError(one.position, error(EXISTS, "store.put")) for one in errors]
        return errors


class LooksFirst(LocalStore):
    """What looks whether a condition holds, and writes in a second step, derives from this."""

    racy = (Absent, Version)

    def put(self, records, /, *, condition=None, deadline):
        if not isinstance(condition, self.racy):
            return super().put(records, condition=condition, deadline=deadline)
        self._check_batch("store.put", [record.key for record in records], condition)
        found = self.get([record.key for record in records], deadline=deadline)
        errors = [one for n, record in enumerate(found) if (one := self._failed(n, record, condition))]
        pause()
        lost = {one.position for one in errors}
        super().put([record for n, record in enumerate(records) if n not in lost], deadline=deadline)
        return errors

    def _failed(self, position, found, condition):
        if isinstance(condition, Absent):
            code = EXISTS if found else None
        else:
            code = None if found and found.version == condition.value else CONFLICT
        return ItemError(position, error(code, "store.put")) if code else None


@found_by("absent holds under contention", "absent on an expired record has one winner")
class LooksBeforeAbsent(LooksFirst):
    """Looks whether anything is there, and writes in a second step."""

    racy = Absent


@found_by(
    "version holds under contention",
    "a counter kept by versions loses nothing",
)
class LooksBeforeVersion(LooksFirst):
    """Looks whether the version is still the same, and writes in a second step."""

    racy = Version


@found_by("deleting and putting on one version has one winner")
class LooksBeforeEither(LooksFirst):
    """Looks whether the version is still the same, and puts or deletes in a second step."""

    racy = Version

    def delete(self, keys, /, *, condition=None, deadline):
        found = self.get(keys, deadline=deadline)
        failed = condition and self._failed(0, found[0], condition)
        if failed:
            return [failed]
        pause()
        return super().delete(keys, deadline=deadline)


@found_by("a marker written while it is deleted by version stays")
class LooksBeforeDeleting(LocalStore):
    """Looks whether the version is still the same, and deletes in a second step."""

    def delete(self, keys, /, *, condition=None, deadline):
        found = self.get(keys, deadline=deadline)
        if condition and (found[0] is None or found[0].version != condition.value):
            return [ItemError(0, error(CONFLICT, "store.delete"))]
        pause()
        return super().delete(keys, deadline=deadline)


@found_by("version does not bring back what is gone")
class BringsBackTheGone(LocalStore):
    """Takes what is gone for unchanged."""

    def _unmet(self, connection, key, condition):
        if isinstance(condition, Version) and self._row(connection, key) is None:
            return None
        return super()._unmet(connection, key, condition)


@found_by("a version of what never was is a conflict")
class MissesTheGone(LocalStore):
    """Has another code for a version of what is not there."""

    def _unmet(self, connection, key, condition):
        if isinstance(condition, Version) and self._row(connection, key) is None:
            return ErrorCode.NOT_FOUND
        return super()._unmet(connection, key, condition)


@found_by("version takes one record a call")
class TakesSeveralOnOneVersion(LocalStore):
    """Takes several records on one version."""

    def put(self, records, /, *, condition=None, deadline):
        if isinstance(condition, Version) and len(records) > 1:
            return [ItemError(n, error(CONFLICT, "store.put")) for n in range(len(records))]
        return super().put(records, condition=condition, deadline=deadline)


@found_by("delete with a version spares what has changed")
class DeletesTheChanged(LocalStore):
    """Deletes under `Version` whatever has changed."""

    def delete(self, keys, /, *, condition=None, deadline):
        return super().delete(keys, deadline=deadline)


@found_by("a query gives the version that get gives")
class QueriesWithoutVersions(LocalStore):
    """Returns records of a query without their versions."""

    def query(self, partition, /, **options):
        page = super().query(partition, **options)
        return replace(page, records=[replace(record, version=None) for record in page.records])


@found_by("a query returns whole records")
class QueriesHeads(LocalStore):
    """Returns records of a query without their bodies."""

    def query(self, partition, /, **options):
        page = super().query(partition, **options)
        return replace(page, records=[replace(record, body=b"") for record in page.records])
