"""Expiry: what will have expired is noted when it is written, and found by the notes when it has.

The service has no index but the keys. Without notes, a purge would have to look at every entity of a table,
hundreds of times a month, and there may be gigabytes. A note is an entity without properties:

PartitionKey  `!expiry`, which no key of a record can be
RowKey        the hour since 1970 in which something expires, and the partition it lies in, as in
              `00497962!mybot.segments.2026111609`

It is written before the records are, one for all of an hour and a partition, and deleted when the hour is
over and the partition has been looked at. So a crash leaves notes of nothing, and no record without its note.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from tuppence.clock import Deadline
from tuppence.drivers import Key, Record
from tuppence.errors import DriverError, ErrorCode
from tuppence_azure.entities import Entity, etag_in, key_in, second
from tuppence_azure.errors import Refused
from tuppence_azure.table import ABSENT, Table
from tuppence_azure.transactions import CHANGES, Change

NOTES: Final = "!expiry"
FOUND: Final = 1000
"""Entities that one answer names at most."""
HOUR: Final = 60 * 60
GRACE: Final = 15 * 60
"""Seconds for which the notes of an hour that is over are kept: for puts that began before its end, and for
clocks that differ."""
_KNOWN: Final = 10_000
"""Notes that a writer remembers to have written."""


class Expiry:
    """The notes of one table, for those who write and for the purge."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._known: set[Key] = set()

    def note(self, records: Iterable[Record], now: int, deadline: Deadline) -> None:
        """Note when records that are about to be written will have expired. Raises `DriverError`."""
        notes = {
            _note(max(second(record.expires_at), now) // HOUR, record.key.partition)
            for record in records
            if record.expires_at is not None
        }
        new = sorted(notes - self._known)
        if not new:
            return
        changes = [
            self._table.replace(key, {"PartitionKey": key.partition, "RowKey": key.sort}) for key in new
        ]
        self._table.make("store.put", changes, deadline)
        if len(self._known) > _KNOWN:
            self._known.clear()
        self._known.update(new)

    def purge(self, until: int, now: int, limit: int, deadline: Deadline) -> int:
        """Delete up to `limit` of what expired before the second `until`; return how many."""
        deleted, emptied = 0, set[str]()
        after: Mapping[str, str] = {}
        try:
            while deleted < limit:
                asked = {
                    "$filter": f"PartitionKey eq '{NOTES}' and RowKey lt '{(until - 1) // HOUR + 1:08}'",
                    "$select": "PartitionKey,RowKey,Timestamp",
                    "$top": str(CHANGES),
                }
                notes, after = self._table.query("store.purge", {**asked, **after}, deadline)
                for partition in sorted({_read(note)[1] for note in notes} - emptied):
                    deleted += self._empty(partition, until, limit - deleted, deadline)
                    if deleted >= limit:
                        return deleted
                    emptied.add(partition)
                self._forget(notes, min(until, now - GRACE), deadline)
                if not after:
                    break
        except DriverError:
            if not deleted:
                raise
        return deleted

    def _empty(self, partition: str, until: int, limit: int, deadline: Deadline) -> int:
        """Delete up to `limit` of what has expired in one partition; return how many."""
        deleted = 0
        after: Mapping[str, str] = {}
        asked = {
            "$filter": f"PartitionKey eq '{partition}' and e lt {until}L",
            "$select": "PartitionKey,RowKey,Timestamp",
        }
        while deleted < limit:
            most = {"$top": str(min(limit - deleted, FOUND))}
            found, after = self._table.query("store.purge", {**asked, **most, **after}, deadline)
            deleted += self._delete(found, deadline)
            if not after:
                break
        return deleted

    def _forget(self, notes: Sequence[Entity], until: int, deadline: Deadline) -> None:
        """Delete the notes of hours that were over by a second."""
        old = [key_in(note) for note in notes if (_read(note)[0] + 1) * HOUR <= until]
        self._known.difference_update(old)
        if old:
            changes = [self._table.remove(key) for key in old]
            if not self._deleted(changes, deadline):  # another purge was here
                for change in changes:
                    self._deleted([change], deadline)

    def _delete(self, entities: Sequence[Entity], deadline: Deadline) -> int:
        """Delete entities of one partition that are still what was found; return how many that were."""
        deleted = 0
        changes = [self._table.remove(key_in(entity), etag_in(entity)) for entity in entities]
        for at in range(0, len(changes), CHANGES):
            some = changes[at : at + CHANGES]
            if len(some) > 1 and self._deleted(some, deadline):
                deleted += len(some)
            else:
                deleted += sum(self._deleted([change], deadline) for change in some)
        return deleted

    def _deleted(self, changes: Sequence[Change], deadline: Deadline) -> bool:
        """Delete all or none; return whether none of them had changed or was gone. Raises `DriverError`."""
        try:
            return self._table.make("store.purge", changes, deadline)
        except Refused as error:
            if error.code is ErrorCode.CONFLICT or error.name in ABSENT:
                return False
            raise


def _note(hour: int, partition: str) -> Key:
    return Key(partition=NOTES, sort=f"{hour:08}!{partition}")


def _read(note: Entity) -> tuple[int, str]:
    """Return hour and partition of a note."""
    hour, _, partition = key_in(note).sort.partition("!")
    return int(hour), partition
