"""The store as the rest of core uses it: any number of records of any size, retried, with conditions.

A conditional put whose answer is lost would, tried again, fail on its own success. Each therefore carries a
token by which it knows itself.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

from tuppence import chunks
from tuppence.answers import check_page, check_records
from tuppence.chunks import Manifest
from tuppence.clock import Clock, Deadline
from tuppence.drivers import (
    LETTERS,
    MAX_KEY,
    Absent,
    ItemError,
    Key,
    Limits,
    Page,
    Record,
    StoreDriver,
    Version,
)
from tuppence.errors import DriverError, ErrorCode
from tuppence.retry import BatchCall, call, each, pause_before

Item = TypeVar("Item", Record, Key)

PAGE: Final = 100
"""Records asked for in one call of a query."""
RACES: Final = 16
"""How often a reader or an updater that lost to another writer starts over."""
LONGEST_PAUSE: Final = 1.0
"""Seconds between two tries of an updater, at most."""
_TOKEN: Final = "tp_write"  # noqa: S105 - the name of an attribute
_LOST: Final = frozenset({ErrorCode.ALREADY_EXISTS, ErrorCode.CONFLICT})
_ALLOWED: Final = frozenset(LETTERS)
_SPELLING: Final = "made of A-Z a-z 0-9 . _ ~ -"
_LONGEST: Final = MAX_KEY - chunks.SUFFIX


class Store:
    """A store driver with core's policy around it.

    A sort key must not hold `~`, which marks chunks, and a key is at most `MAX_KEY` less what chunks add;
    attribute names must not begin with `tp_`. What breaks a rule for keys is `INVALID` before it reaches the
    driver.
    """

    def __init__(self, driver: StoreDriver, clock: Clock) -> None:
        self.driver = driver
        self.clock = clock

    @property
    def limits(self) -> Limits:
        """What the service takes in one item or call; records and lists may be larger."""
        return self.driver.limits

    def put(self, record: Record, *, condition: Absent | Version | None = None, deadline: Deadline) -> bool:
        """Write one record, whole or not at all.

        Returns:
            Whether it was written: `False` where the condition did not hold.

        Raises:
            DriverError: it is not known to have been written.

        """
        _check(record)
        replaced = _manifest_in(condition)
        if self._fits(record):
            written = self._put_one(record, condition, deadline)
            self._delete_chunks(record.key, replaced if written else None, deadline)
            return written
        if condition is None:
            replaced = self._manifest_at(record.key, deadline)
        head, parts = chunks.split(record, self.limits.item_bytes)
        _raise_first(self._put_each(parts, deadline))
        written = self._put_one(head, condition, deadline)
        useless = replaced if written else chunks.manifest_of(head)
        self._delete_chunks(record.key, useless, deadline)
        return written

    def put_many(
        self, records: Sequence[Record], *, condition: Absent | None = None, deadline: Deadline
    ) -> list[ItemError]:
        """Write records, their keys all different; return those not known to have been written.

        With `Absent`, one that is there is among them as `ALREADY_EXISTS`. It may be this call's own, whose
        answer was lost.
        """
        for record in records:
            _check(record)
        _check_distinct("store.put", [record.key for record in records])
        whole = [position for position, record in enumerate(records) if self._fits(record)]
        errors = self._put_each([records[position] for position in whole], deadline, condition)
        failed = [replace(error, position=whole[error.position]) for error in errors]
        for position in sorted(set(range(len(records))).difference(whole)):
            try:
                if not self.put(records[position], condition=condition, deadline=deadline):
                    there = _error(ErrorCode.ALREADY_EXISTS, "store.put", "the condition is not met")
                    failed.append(ItemError(position, there))
            except DriverError as error:
                failed.append(ItemError(position, error, whole_call=True))
        return failed

    def get(self, key: Key, *, deadline: Deadline) -> Record | None:
        """Return the record, or `None` where none is or it has expired."""
        return self.get_many([key], deadline=deadline)[0]

    def get_many(self, keys: Sequence[Key], *, deadline: Deadline) -> list[Record | None]:
        """Return a record or `None` for each key, in the keys' order."""
        _check_keys("store.get", keys)
        return [self._whole(head, deadline) for head in self._heads(keys, deadline)]

    def query(
        self, partition: str, *, start: str = "", end: str = "", deadline: Deadline
    ) -> Iterator[Record]:
        """Yield the records with `start <= sort < end` in order of `sort`, one page in memory at a time."""
        if not partition or not _ALLOWED.issuperset(f"{partition}{start}{end}"):
            raise _error(ErrorCode.INVALID, "store.query", f"partition and bounds are {_SPELLING}")
        cursor: str | None = None
        after = ""
        while True:
            if deadline.expired:
                raise _error(ErrorCode.TIMEOUT, "store.query", "no time left for the next page")
            page = call(
                partial(self._page, partition, start=start, end=end, cursor=cursor, after=after),
                deadline=deadline,
                clock=self.clock,
                name="store.query",
            )
            for head in page.records:
                record = None if chunks.is_chunk(head.key) else self._whole(head, deadline)
                if record is not None:
                    yield record
            cursor, after = page.cursor, page.records[-1].key.sort if page.records else after
            if cursor is None:
                return

    def update(
        self, key: Key, change: Callable[[Record | None], Record | None], *, deadline: Deadline
    ) -> Record | None:
        """Replace a record by what `change` makes of it, as if no one else wrote in between.

        Args:
            key: which record.
            change: gets the record as it is now, or `None`; returns the one to write, or `None` to leave all
                as it is. It may be called several times and does nothing else.
            deadline: when to give up.

        Returns:
            What was written, or `None`.

        Raises:
            DriverError: `CONFLICT` after `RACES` lost races.

        """
        for attempt in range(1, RACES + 1):
            current = self.get(key, deadline=deadline)
            wanted = change(current)
            if wanted is None or self.put(wanted, condition=_unchanged(current), deadline=deadline):
                return wanted
            pause = min(LONGEST_PAUSE, pause_before(attempt))
            if pause >= deadline.remaining():
                break
            self.clock.sleep(pause)
        raise _error(ErrorCode.CONFLICT, "store.update", "others kept changing the record")

    def delete(self, key: Key, *, condition: Version | None = None, deadline: Deadline) -> bool:
        """Remove one record. Returns `False` where it no longer has the version asked for."""
        if condition is None:
            _raise_first(self.delete_many([key], deadline=deadline))
            return True
        _check_keys("store.delete", [key])
        plain = Version(_plain(condition.value))
        tries = 0

        def delete(keys: Sequence[Key], /, *, deadline: Deadline) -> Sequence[ItemError]:
            nonlocal tries
            tries += 1
            return self.driver.delete(keys, condition=plain, deadline=deadline)

        errors = self._each([key], delete, _weight, "store.delete", deadline)
        lost = bool(errors) and _is_lost_race(errors[0])
        if lost and (tries == 1 or self._heads([key], deadline)[0] is not None):
            return False
        if not lost:
            _raise_first(errors)
        self._delete_chunks(key, _manifest_in(condition), deadline)
        return True

    def delete_many(self, keys: Sequence[Key], *, deadline: Deadline) -> list[ItemError]:
        """Remove records; what is not there is no error. Return those not known to be gone."""
        _check_keys("store.delete", keys)
        heads = self._heads(keys, deadline)
        errors = self._delete_each(keys, deadline)
        kept = {error.position for error in errors}
        for position, head in enumerate(heads):
            if head is not None and position not in kept:
                self._delete_chunks(head.key, chunks.manifest_of(head), deadline)
        return errors

    def purge(self, *, before: datetime, limit: int, deadline: Deadline) -> int:
        """Delete up to `limit` records that expired before `before`; return how many."""
        return call(
            partial(self.driver.purge, before=before, limit=limit),
            deadline=deadline,
            clock=self.clock,
            name="store.purge",
        )

    def close(self) -> None:
        """Close the driver."""
        self.driver.close()

    def _fits(self, record: Record) -> bool:
        return record.size + chunks.OWN <= self.limits.item_bytes

    def _put_one(self, head: Record, condition: Absent | Version | None, deadline: Deadline) -> bool:
        """Put one item, and tell a lost race from one's own success whose answer was lost."""
        if condition is None:
            _raise_first(self._put_each([head], deadline))
            return True
        token = secrets.token_hex(8)
        marked = replace(head, attributes={**head.attributes, _TOKEN: token})
        plain = Version(_plain(condition.value)) if isinstance(condition, Version) else condition
        tries = 0

        def put(records: Sequence[Record], /, *, deadline: Deadline) -> Sequence[ItemError]:
            nonlocal tries
            tries += 1
            return self.driver.put(records, condition=plain, deadline=deadline)

        errors = self._each([marked], put, _size, "store.put", deadline)
        if errors and _is_lost_race(errors[0]):
            found = self._heads([head.key], deadline)[0] if tries > 1 else None
            return found is not None and found.attributes.get(_TOKEN) == token
        _raise_first(errors)
        return True

    def _whole(self, head: Record | None, deadline: Deadline) -> Record | None:
        """Return the record a head stands for. A reader that loses to a writer reads the head again."""
        for _ in range(RACES):
            if head is None or _expired(head, self.clock.now()):
                return None
            manifest = chunks.manifest_of(head)
            if manifest is None:
                return _cleaned(head)
            parts = self._heads(manifest.keys(head.key), deadline)
            body = chunks.join(manifest, parts)
            if body is not None:
                return replace(_cleaned(head), body=body, version=f"{head.version}\n{head.body.decode()}")
            before, head = head, self._heads([head.key], deadline)[0]
            if head is not None and head.version == before.version:
                break
        raise _error(ErrorCode.CONFLICT, "store.get", "its chunks do not make up the record")

    def _heads(self, keys: Sequence[Key], deadline: Deadline) -> list[Record | None]:
        """Return items as they lie in the store, as many a call as surely fit."""
        limits = self.limits
        most = max(1, min(limits.batch_items, limits.batch_bytes // limits.item_bytes))
        found: list[Record | None] = []
        for at in range(0, len(keys), most):
            found += call(
                partial(self._get, keys[at : at + most]),
                deadline=deadline,
                clock=self.clock,
                name="store.get",
            )
        return found

    def _page(
        self, partition: str, *, start: str, end: str, cursor: str | None, after: str, deadline: Deadline
    ) -> Page:
        """Return the next page of a query, behind `after`."""
        page = self.driver.query(
            partition, start=start, end=end, limit=PAGE, cursor=cursor, deadline=deadline
        )
        return check_page(
            page, partition, start=start, end=end, limit=PAGE, after=after, operation="store.query"
        )

    def _get(self, keys: Sequence[Key], *, deadline: Deadline) -> Sequence[Record | None]:
        return check_records(self.driver.get(keys, deadline=deadline), keys, "store.get")

    def _manifest_at(self, key: Key, deadline: Deadline) -> Manifest | None:
        head = self._heads([key], deadline)[0]
        return chunks.manifest_of(head) if head is not None else None

    def _delete_chunks(self, head: Key, manifest: Manifest | None, deadline: Deadline) -> None:
        """Remove chunks no head names. What cannot be removed expires with its record."""
        if manifest is not None:
            self._delete_each(manifest.keys(head), deadline)

    def _put_each(
        self, records: Sequence[Record], deadline: Deadline, condition: Absent | None = None
    ) -> list[ItemError]:
        put = partial(self.driver.put, condition=condition)
        return self._each(records, put, _size, "store.put", deadline)

    def _delete_each(self, keys: Sequence[Key], deadline: Deadline) -> list[ItemError]:
        return self._each(keys, self.driver.delete, _weight, "store.delete", deadline)

    def _each(
        self,
        items: Sequence[Item],
        operation: BatchCall[Item],
        size: Callable[[Item], int],
        name: str,
        deadline: Deadline,
    ) -> list[ItemError]:
        return each(
            items,
            operation,
            size=size,
            limits=self.limits,
            deadline=deadline,
            clock=self.clock,
            name=name,
        )


def _check(record: Record) -> None:
    """Refuse what would be read back as something else, or not at all."""
    _check_keys("store.put", [record.key])
    if chunks.is_chunk(record.key):
        raise _error(ErrorCode.INVALID, "store.put", f"a sort key must not hold {chunks.MARK!r}")
    if len(record.body) > chunks.MAX_RECORD:
        size = f"{len(record.body)} bytes; at most {chunks.MAX_RECORD}"
        raise _error(ErrorCode.TOO_LARGE, "store.put", size)


def _check_keys(operation: str, keys: Sequence[Key]) -> None:
    """Refuse keys that some store could not hold, and the same key twice in a call."""
    for key in keys:
        if not (key.partition and key.sort and _ALLOWED.issuperset(key.partition + key.sort)):
            raise _error(ErrorCode.INVALID, operation, f"partition and sort are not empty and {_SPELLING}")
        if _weight(key) > _LONGEST:
            raise _error(ErrorCode.INVALID, operation, f"a key is at most {_LONGEST} bytes long")
    _check_distinct(operation, keys)


def _check_distinct(operation: str, keys: Sequence[Key]) -> None:
    if len(set(keys)) < len(keys):
        raise _error(ErrorCode.INVALID, operation, "the keys of one call must all differ")


def _size(record: Record) -> int:
    return record.size


def _weight(key: Key) -> int:
    return len(key.partition) + len(key.sort)


def _unchanged(record: Record | None) -> Absent | Version:
    """Return the condition under which nobody has written since `record` was read."""
    return Version(record.version or "") if record is not None else Absent()


def _plain(version: str) -> str:
    """Return the driver's part of a version: that of a chunked record holds its manifest too."""
    return version.partition("\n")[0]


def _manifest_in(condition: Absent | Version | None) -> Manifest | None:
    """Return the manifest of the record whose version the condition names, where it has one."""
    if not isinstance(condition, Version):
        return None
    packed = condition.value.partition("\n")[2]
    return chunks.read_manifest(packed.encode()) if packed else None


def _expired(record: Record, now: datetime) -> bool:
    return record.expires_at is not None and record.expires_at <= now


def _cleaned(head: Record) -> Record:
    """Return a record without the attributes that are this file's own."""
    own = {name: value for name, value in head.attributes.items() if not name.startswith("tp_")}
    return replace(head, attributes=own)


def _is_lost_race(error: ItemError) -> bool:
    """Whether the condition did not hold. An error of the whole call says nothing about the record."""
    return not error.whole_call and error.error.code in _LOST


def _raise_first(errors: Sequence[ItemError]) -> None:
    if errors:
        raise errors[0].error


def _error(code: ErrorCode, operation: str, message: str) -> DriverError:
    return DriverError(code, operation=operation, provider="core", message=message)
