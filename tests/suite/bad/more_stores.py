"""More bad stores, some in several small ways, so that no test of the contract is left that none fails."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from suite.bad.drivers import Alone, OnFile, Unmetered, names
from tuppence.drivers import Absent, ItemError, Key, Limits, Page, Version
from tuppence.errors import DriverError, ErrorCode
from tuppence.local.store import LocalStore
from tuppence.testing import StoreContract

RESERVED = {"ttl", "version", "etag", "id"}


def error(code, operation="store.put"):
    return DriverError(code, operation=operation, provider="bad")


class Mangling(LocalStore):
    """Takes bodies for text, and some attributes for its own."""

    def put(self, records, /, **options):
        mangled = [
            replace(
                record,
                body=record.body.decode(errors="replace").encode(),
                attributes={name: text for name, text in record.attributes.items() if name not in RESERVED},
            )
            for record in records
        ]
        return super().put(mangled, **options)


class TestMangling(OnFile, StoreContract):
    driver_class = Mangling
    breaks = names("""
        a record is read as it was put
        attributes come back
    """)


class Folding(LocalStore):
    """Folds capitals, and trims the dots at a partition's end."""

    def put(self, records, /, **options):
        return super().put([replace(record, key=_folded(record.key)) for record in records], **options)

    def get(self, keys, /, **options):
        return super().get([_folded(key) for key in keys], **options)

    def delete(self, keys, /, **options):
        return super().delete([_folded(key) for key in keys], **options)

    def query(self, partition, /, **options):
        return super().query(partition.lower().rstrip("."), **options)


def _folded(key):
    return Key(partition=key.partition.lower().rstrip("."), sort=key.sort.lower())


class TestFolding(OnFile, StoreContract):
    driver_class = Folding
    breaks = names("""
        a key may have every letter and length
        a query sorts by bytes
        bounds need not be there
        keys that differ only in case are two
        parts of a key do not run together
    """)


class Grepping(LocalStore):
    """Finds partitions by how they begin, and gives all of it in one page without versions and bodies."""

    def query(self, partition, /, *, start="", end="", limit, cursor=None, deadline):
        with self._database.read("store.query", deadline) as connection:
            found = connection.execute(
                "SELECT DISTINCT partition FROM records WHERE partition GLOB ?", (f"{partition}*",)
            ).fetchall()
        records = [
            replace(record, body=b"", version=None)
            for (name,) in found
            for record in LocalStore.query(
                self, name, start=start, end=end, limit=1_000, deadline=deadline
            ).records
        ]
        return Page(records=sorted(records, key=lambda record: record.key.sort), cursor=None)


class TestGrepping(OnFile, StoreContract):
    driver_class = Grepping
    breaks = names("""
        a foreign cursor is refused
        a query gives the version that get gives
        a query returns whole records
        a query stays in its partition
        no page is longer than its limit
        pages of the largest records hold everything once
        records within the limit of a call are taken
    """)


class Merging(LocalStore):
    """Keeps of an old record what the new one does not name."""

    def put(self, records, /, *, deadline, **options):
        there = super().get([record.key for record in records], deadline=deadline)
        merged = [
            record
            if old is None
            else replace(
                record,
                attributes={**old.attributes, **record.attributes},
                expires_at=record.expires_at or old.expires_at,
            )
            for old, record in zip(there, records, strict=True)
        ]
        return super().put(merged, deadline=deadline, **options)


class TestMerging(OnFile, StoreContract):
    driver_class = Merging
    breaks = names("""
        a later put may take the expiry away
        a put replaces the whole record
    """)
    may_break = names("""
        racing puts leave one of them whole
    """)


class Pedantic(LocalStore):
    """Refuses an empty batch, several partitions, another's version, and to delete what is not there."""

    def put(self, records, /, *, condition=None, deadline):
        if not records or len({record.key.partition for record in records}) > 1:
            raise error(ErrorCode.INVALID)
        if condition is None and records[0].version is not None:
            condition = Version(records[0].version)
        return super().put(records, condition=condition, deadline=deadline)

    def delete(self, keys, /, *, condition=None, deadline):
        there = self.get(keys, deadline=deadline)
        gone = error(ErrorCode.NOT_FOUND, "store.delete")
        lost = [ItemError(n, gone) for n, record in enumerate(there) if record is None]
        return lost or super().delete(keys, condition=condition, deadline=deadline)


class TestPedantic(OnFile, StoreContract):
    driver_class = Pedantic
    breaks = names("""
        a deleted record is gone
        a query stays in its partition
        a version of what never was is a conflict
        an empty batch is nothing to do
        an expired record counts as absent
        keys that differ only in case are two
        one call may span partitions
        parts of a key do not run together
        the version of a record that is put means nothing
        version does not bring back what is gone
    """)


class Hashing(LocalStore):
    """Makes a version of what a record holds, so that the same content is the same version."""

    def get(self, keys, /, **options):
        return [record and _hashed(record) for record in super().get(keys, **options)]

    def query(self, partition, /, **options):
        page = super().query(partition, **options)
        return replace(page, records=[_hashed(record) for record in page.records])

    def _unmet(self, connection, key, condition):
        if not isinstance(condition, Version):
            return super()._unmet(connection, key, condition)
        row = self._row(connection, key)
        return None if row and _digest(row[2]) == condition.value else ErrorCode.CONFLICT


def _hashed(record):
    return replace(record, version=_digest(record.body))


def _digest(body):
    return hashlib.blake2b(body, digest_size=8).hexdigest()


class TestHashing(OnFile, StoreContract):
    driver_class = Hashing
    breaks = names("""
        a record may be put on its version again and again
        delete with a version spares what has changed
        every put changes the version
    """)


class Haunted(LocalStore):
    """Takes what was deleted for there, whatever the condition."""

    def __init__(self, options, context):
        super().__init__(options, context)
        self._dead = set()

    def delete(self, keys, /, **options):
        self._dead.update(keys)
        return super().delete(keys, **options)

    def _unmet(self, connection, key, condition):
        if key in self._dead:
            return ErrorCode.ALREADY_EXISTS if isinstance(condition, Absent) else None
        return super()._unmet(connection, key, condition)


class TestHaunted(OnFile, StoreContract):
    driver_class = Haunted
    breaks = names("""
        a version of what never was is a conflict
        absent may write what was deleted
        an expired record counts as absent
        delete with a version spares what has changed
        version does not bring back what is gone
    """)
    may_break = names("""
        a marker written while it is deleted by version stays
        deleting and putting on one version has one winner
    """)


class Heedless(LocalStore):
    """Ignores every condition."""

    def _unmet(self, connection, key, condition):
        return None


class TestHeedless(OnFile, StoreContract):
    driver_class = Heedless
    breaks = names("""
        a record about to expire is still there
        a version of what never was is a conflict
        absent holds under contention
        absent names each record that is there
        absent on an expired record has one winner
        absent writes only where nothing is
        an expired record counts as absent
        delete with a version spares what has changed
        deleting and putting on one version has one winner
        version does not bring back what is gone
        version holds under contention
        version writes only what has not changed
    """)
    may_break = names("""
        a counter kept by versions loses nothing
        a marker written while it is deleted by version stays
    """)


class Boastful(Unmetered, LocalStore):
    """Claims limits that do not go together, answers in its own order, and counts nothing."""

    limits = Limits(batch_items=1_000, batch_bytes=2 * 1024 * 1024, item_bytes=1024)

    def get(self, keys, /, **options):
        found = super().get(keys, **options)
        return sorted(found, key=lambda record: record.key.sort if record else "")


class TestBoastful(OnFile, StoreContract):
    driver_class = Boastful
    breaks = names("""
        expired records are left out among others
        get answers in the order of the keys
        keys that differ only in case are two
        records within the limit of a call are taken
        the limits go together
        what is billed is counted
    """)


class Stubborn(LocalStore):
    """Deletes nothing."""

    def delete(self, keys, /, *, condition=None, deadline):
        self._check_batch("store.delete", keys, condition)
        with self._database.write("store.delete", deadline) as connection:
            if condition is not None and (unmet := self._unmet(connection, keys[0], condition)):
                return [ItemError(0, error(unmet, "store.delete"))]
        return []


class TestStubborn(OnFile, StoreContract):
    driver_class = Stubborn
    breaks = names("""
        a cursor outlives everything it pointed to
        a deleted record is gone
        a full batch is stored
        a key may have every letter and length
        absent may write what was deleted
        another process sees what was written
        delete with a version spares what has changed
        one call may span partitions
        version does not bring back what is gone
    """)
    may_break = names("""
        deleting and putting on one version has one winner
    """)


class Touchy(LocalStore):
    """Says of a partition without records that it is not there."""

    def query(self, partition, /, *, cursor=None, deadline, **options):
        with self._database.read("store.query", deadline) as connection:
            known = "SELECT count(*) FROM records WHERE partition = ?"
            if not connection.execute(known, (partition,)).fetchone()[0]:
                raise error(ErrorCode.NOT_FOUND, "store.query")
        return super().query(partition, cursor=cursor, deadline=deadline, **options)


class TestTouchy(OnFile, StoreContract):
    driver_class = Touchy
    breaks = names("""
        a cursor outlives everything it pointed to
        a full batch is stored
        a query of nothing is an empty page
        another process sees what was written
        records over the limit of a call are refused whole
    """)


class Gullible(LocalStore):
    """Takes any cursor and any number of records, but an item only a byte below its limit."""

    def query(self, partition, /, *, cursor=None, **options):
        try:
            return super().query(partition, cursor=cursor, **options)
        except DriverError as refused:
            if cursor is None or refused.code is not ErrorCode.INVALID:
                raise
            return super().query(partition, **options)

    def put(self, records, /, **options):
        errors = [
            ItemError(n, failed.error)
            for n, record in enumerate(records)
            for failed in super(Gullible, self).put([record], **options)
        ]
        full = [n for n, record in enumerate(records) if record.size == self.limits.item_bytes]
        return [*errors, *(ItemError(n, error(ErrorCode.TOO_LARGE)) for n in full)]


class TestGullible(OnFile, StoreContract):
    driver_class = Gullible
    breaks = names("""
        a batch over the limit is refused whole
        a foreign cursor is refused
        a record within the limit is taken
        records over the limit of a call are refused whole
        records within the limit of a call are taken
        version takes one record a call
    """)


class Lonely(Alone, LocalStore):
    """Shares nothing with other drivers on its resource."""


class TestLonely(OnFile, StoreContract):
    driver_class = Lonely
    breaks = names("""
        a counter kept by versions loses nothing
        a marker written while it is deleted by version stays
        absent holds under contention
        absent on an expired record has one winner
        another process sees what was written
        deleting and putting on one version has one winner
        purge spares what takes an expired records place
        racing puts leave one of them whole
        version holds under contention
        what a forked child writes is read
    """)
