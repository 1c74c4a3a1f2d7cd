"""Stores that do something wrong with records: what they keep, what they give, how much fits."""

from __future__ import annotations

from dataclasses import replace

from suite.bad.drivers import Alone, error, found_by, invalid, pause
from tuppence.drivers import ItemError, Key, Limits
from tuppence.errors import ErrorCode
from tuppence.local.store import LocalStore

TOO_LARGE = ErrorCode.TOO_LARGE


class Altering(LocalStore):
    """What alters records before they are put derives from this."""

    def altered(self, record):
        raise NotImplementedError

    def put(self, records, /, **options):
        return super().put([self.altered(record) for record in records], **options)


@found_by("a full batch is stored", "records within the limit of a call are taken")
class LosesSome(LocalStore):
    """Loses one record in eight, and says nothing."""

    def put(self, records, /, *, deadline, **options):
        errors = super().put(records, deadline=deadline, **options)
        with self._database.write("store.put", deadline) as connection:
            connection.execute("DELETE FROM records WHERE version % 8 = 0")
        return errors


@found_by("a full batch is stored")
class ReadsTwentyFive(LocalStore):
    """Reads the first 25 keys of a call, as many as its service takes, and finds nothing at the others."""

    def get(self, keys, /, *, deadline):
        found = list(super().get(keys[:25], deadline=deadline))
        return found + [None] * (len(keys) - len(found))


@found_by("a record is read as it was put")
class KeepsText(Altering):
    """Takes a body for text, and replaces what is none."""

    def altered(self, record):
        return replace(record, body=record.body.decode(errors="replace").encode())


@found_by("a record is read as it was put")
class LosesEmptyBodies(LocalStore):
    """Takes a record with an empty body for none."""

    def get(self, keys, /, **options):
        return [found if found and found.body else None for found in super().get(keys, **options)]


@found_by("a record is read as it was put", "a life may be long")
class ForgetsExpiry(Altering):
    """Does not keep when a record expires."""

    def altered(self, record):
        return replace(record, expires_at=None)


@found_by("attributes come back")
class KeepsItsOwnNames(Altering):
    """Takes attributes of some names for its own, and drops them."""

    def altered(self, record):
        own = {"ttl", "version", "etag", "id"}
        return replace(record, attributes={n: t for n, t in record.attributes.items() if n not in own})


@found_by("attributes come back")
class DropsEmptyAttributes(Altering):
    """Drops attributes whose text is empty."""

    def altered(self, record):
        return replace(record, attributes={name: text for name, text in record.attributes.items() if text})


@found_by("attributes come back")
class KeepsAscii(Altering):
    """Keeps attributes as ASCII."""

    def altered(self, record):
        kept = {name: text.encode("ascii", "replace").decode() for name, text in record.attributes.items()}
        return replace(record, attributes=kept)


class Folding(LocalStore):
    """What finds records under another key than it was told derives from this."""

    def folded(self, key):
        raise NotImplementedError

    def put(self, records, /, **options):
        return super().put([replace(record, key=self.folded(record.key)) for record in records], **options)

    def get(self, keys, /, **options):
        return super().get([self.folded(key) for key in keys], **options)

    def delete(self, keys, /, **options):
        return super().delete([self.folded(key) for key in keys], **options)

    def query(self, partition, /, **options):
        return super().query(self.folded(Key(partition=partition, sort="x")).partition, **options)


@found_by("keys that differ only in case are two")
class FoldsCase(Folding):
    """Makes small letters of a key's capitals."""

    def folded(self, key):
        return Key(partition=key.partition.lower(), sort=key.sort.lower())


@found_by("a key may have every letter and length")
class CutsKeys(Folding):
    """Cuts each part of a key at 255 letters, as many as its service takes."""

    def folded(self, key):
        return Key(partition=key.partition[:255], sort=key.sort[:255])


@found_by("parts of a key do not run together")
class TrimsDots(Folding):
    """Drops the dots at a partition's end."""

    def folded(self, key):
        return Key(partition=key.partition.rstrip(".") or ".", sort=key.sort)


@found_by("parts of a key do not run together")
class JoinsParts(Folding):
    """Joins the parts of a key by a dot, which either may hold."""

    def folded(self, key):
        partition, _, sort = f"{key.partition}.{key.sort}".partition(".")
        return Key(partition=partition, sort=sort or "-")


@found_by("get answers in the order of the keys")
class AnswersInItsOwnOrder(LocalStore):
    """Answers in the order of its index, and not of the keys."""

    def get(self, keys, /, **options):
        return sorted(super().get(keys, **options), key=lambda record: record.key.sort if record else "")


@found_by("get answers in the order of the keys")
class LeavesOutTheMissing(LocalStore):
    """Leaves out of its answer the keys at which nothing is."""

    def get(self, keys, /, **options):
        return [record for record in super().get(keys, **options) if record]


@found_by("one call may span partitions")
class TakesOnePartition(LocalStore):
    """Refuses a call for several partitions, as its service does."""

    def put(self, records, /, **options):
        if len({record.key.partition for record in records}) > 1:
            raise invalid("store.put")
        return super().put(records, **options)


@found_by("one call may span partitions")
class DeletesInOnePartition(LocalStore):
    """Deletes from the first key's partition alone."""

    def delete(self, keys, /, **options):
        return super().delete([key for key in keys if key.partition == keys[0].partition], **options)


@found_by("a put replaces the whole record")
class MergesAttributes(LocalStore):
    """Keeps the attributes of an old record that the new one does not name."""

    def put(self, records, /, *, deadline, **options):
        there = super().get([record.key for record in records], deadline=deadline)
        merged = [
            replace(record, attributes={**(old.attributes if old else {}), **record.attributes})
            for old, record in zip(there, records, strict=True)
        ]
        return super().put(merged, deadline=deadline, **options)


@found_by("a put replaces the whole record", "a later put may take the expiry away")
class KeepsTheOldExpiry(LocalStore):
    """Lets a record expire when the one before it would have."""

    def put(self, records, /, *, deadline, **options):
        there = super().get([record.key for record in records], deadline=deadline)
        merged = [
            replace(record, expires_at=record.expires_at or (old and old.expires_at))
            for old, record in zip(there, records, strict=True)
        ]
        return super().put(merged, deadline=deadline, **options)


@found_by("the version of a record that is put means nothing")
class TakesVersionsForConditions(LocalStore):
    """Refuses a record whose version is not the one that is there."""

    def put(self, records, /, *, deadline, **options):
        there = super().get([record.key for record in records], deadline=deadline)
        for position, (old, new) in enumerate(zip(there, records, strict=True)):
            if new.version and new.version != (old and old.version):
                return [ItemError(position, error(ErrorCode.CONFLICT, "store.put"))]
        return super().put(records, deadline=deadline, **options)


@found_by("another process sees what was written")
class AnswersFromACache(LocalStore):
    """Answers from a cache that another process's writes do not reach."""

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


@found_by("another process sees what was written", "what a forked child writes is read")
class KeepsToItself(Alone, LocalStore):
    """Keeps records where no other process looks."""


@found_by("racing puts leave one of them whole")
class WritesInParts(LocalStore):
    """Writes a record's attributes in a second step."""

    def put(self, records, /, *, condition=None, deadline):
        bare = [replace(record, attributes={}) for record in records]
        errors = super().put(bare, condition=condition, deadline=deadline)
        pause()
        there = super().get([record.key for record in records], deadline=deadline)
        whole = [
            replace(old, attributes={**old.attributes, **record.attributes})
            for old, record in zip(there, records, strict=True)
            if old
        ]
        super().put(whole, deadline=deadline)
        return errors


@found_by("a batch over the limit is refused whole")
class SplitsCalls(LocalStore):
    """Splits a call that is over its limits, instead of refusing it."""

    def put(self, records, /, **options):
        return [one for record in records for one in super(SplitsCalls, self).put([record], **options)]


@found_by("a batch over the limit is refused whole")
class DeletesBeforeItRefuses(LocalStore):
    """Deletes a part of a call before it refuses it as too large."""

    def delete(self, keys, /, **options):
        super().delete(keys[-self.limits.batch_items :], **options)
        return super().delete(keys, **options)


@found_by("records over the limit of a call are refused whole")
class NeverWeighs(LocalStore):
    """Does not weigh a call as a whole."""

    def put(self, records, /, **options):
        self._check_batch("store.put", [record.key for record in records], options.get("condition"))
        failed = []
        for position, record in enumerate(records):
            failed += [replace(one, position=position) for one in super().put([record], **options)]
        return failed


@found_by("a record within the limit is taken")
class StopsAByteBefore(LocalStore):
    """Refuses a record that is as large as its limit."""

    def put(self, records, /, **options):
        errors = super().put(records, **options)
        full = [n for n, record in enumerate(records) if record.size == self.limits.item_bytes]
        return [*errors, *(ItemError(n, error(TOO_LARGE, "store.put")) for n in full)]


@found_by("a record over the limit fails alone")
class NeverWeighsAttributes(LocalStore):
    """Does not count attributes against the limit of a record."""

    def put(self, records, /, **options):
        bare = [replace(record, attributes={}) for record in records]
        return super().put(bare, **options)


@found_by("a record over the limit fails alone")
class SweepsWithOne(LocalStore):
    """Fails a whole call for one record that is too large."""

    def put(self, records, /, **options):
        if any(record.size > self.limits.item_bytes for record in records):
            raise error(TOO_LARGE, "store.put")
        return super().put(records, **options)


@found_by("as many of the largest records as a call holds are read in one")
class ReadsOneMegabyte(LocalStore):
    """Reads no more than a megabyte of a call, as its service does, and finds nothing beyond."""

    def get(self, keys, /, **options):
        left, found = 1024 * 1024, []
        for record in super().get(keys, **options):
            left -= record.size if record else 0
            found.append(record if left >= 0 else None)
        return found


@found_by("the limits go together")
class PromisesMore(LocalStore):
    """Promises for a call what its records together cannot weigh."""

    limits = Limits(batch_items=10, batch_bytes=11 * 1024, item_bytes=1024)


@found_by("a deleted record is gone")
class MissesTheMissing(LocalStore):
    """Refuses to delete what is not there."""

    def delete(self, keys, /, *, condition=None, deadline):
        there = self.get(keys, deadline=deadline)
        gone = error(ErrorCode.NOT_FOUND, "store.delete")
        lost = [ItemError(n, gone) for n, record in enumerate(there) if record is None]
        return lost or super().delete(keys, condition=condition, deadline=deadline)


@found_by("a deleted record is gone")
class StopsAtTheMissing(LocalStore):
    """Deletes nothing of a call in which one record is not there."""

    def delete(self, keys, /, *, condition=None, deadline):
        if None in self.get(keys, deadline=deadline):
            return []
        return super().delete(keys, condition=condition, deadline=deadline)
