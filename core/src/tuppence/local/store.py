"""The embedded store: a table of SQLite.

Options: `path`.
Consistency: every read sees every put that has completed; conditions hold against every other process.
Limits: its own choice.
Errors: `tuppence.local.errors`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import datetime
from typing import Any, Final

import msgspec

from tuppence.clock import Deadline
from tuppence.cursors import cursor_after, position_in
from tuppence.drivers import Absent, Context, ItemError, Key, Limits, Page, Record, StoreDriver, Version
from tuppence.errors import ErrorCode
from tuppence.findings import Finding
from tuppence.local.database import Database, FileOptions, check_types, microseconds, moment
from tuppence.local.errors import decoding, failure, too_large

CHECK_WAIT: Final = 5.0
PAGE_RECORDS: Final = 1_000
PAGE_BYTES: Final = 4 * 1024 * 1024
"""A page ends with the record that reaches this size."""
FREED_PAGES: Final = 10_000
"""SQLite pages, of 4 KiB, given back to the file system after one purge."""

_GET: Final = """
    SELECT partition, sort, body, attributes, expires, version FROM records
    WHERE partition = :partition AND sort = :sort AND (expires IS NULL OR expires > :now)
"""
_QUERY: Final = """
    SELECT partition, sort, body, attributes, expires, version FROM records
    WHERE partition = :partition AND sort >= :start AND sort > :after AND (:end = '' OR sort < :end)
    AND (expires IS NULL OR expires > :now)
    ORDER BY sort LIMIT :most
"""


class LocalStore(StoreDriver):
    """A store in a SQLite file."""

    Options = FileOptions
    limits = Limits(batch_items=100, batch_bytes=8 * 1024 * 1024, item_bytes=1024 * 1024)

    def __init__(self, options: FileOptions, context: Context) -> None:
        super().__init__(options, context)
        self._database = Database(options.path)

    def check(self) -> None:
        """Prove that the file can be opened and written."""
        with self._database.write("store.check", Deadline.after(CHECK_WAIT, self.context.clock)):
            pass

    def findings(self, *, deadline: Deadline) -> Iterable[Finding]:  # noqa: ARG002 - no call is made
        """Look at the room there is."""
        return self._database.findings()

    def put(
        self,
        records: Sequence[Record],
        /,
        *,
        condition: Absent | Version | None = None,
        deadline: Deadline,
    ) -> Sequence[ItemError]:
        """Write records, all in one transaction."""
        self._check_batch("store.put", [record.key for record in records], condition)
        fitting = [record for record in records if record.size <= self.limits.item_bytes]
        if sum(record.size for record in fitting) > self.limits.batch_bytes:
            raise failure(ErrorCode.INVALID, "store.put", f"over {self.limits.batch_bytes} bytes together")
        errors = []
        with self._database.write("store.put", deadline) as connection:
            for position, record in enumerate(records):
                if record.size > self.limits.item_bytes:
                    error = too_large("store.put", record.size, self.limits.item_bytes)
                    errors.append(ItemError(position, error))
                elif unmet := self._unmet(connection, record.key, condition):
                    errors.append(
                        ItemError(position, failure(unmet, "store.put", "the condition is not met"))
                    )
                else:
                    _write(connection, record)
        self.context.meter.count("local.store.writes", len(records))
        return errors

    def get(self, keys: Sequence[Key], /, *, deadline: Deadline) -> Sequence[Record | None]:
        """Return a record or `None` for each key."""
        self._check_batch("store.get", keys)
        with self._database.read("store.get", deadline) as connection:
            found = [self._row(connection, key) for key in keys]
        self.context.meter.count("local.store.reads", len(keys))
        with decoding("store.get", self._database.path):
            return [_record(row) if row else None for row in found]

    def query(
        self,
        partition: str,
        /,
        *,
        start: str = "",
        end: str = "",
        limit: int,
        cursor: str | None = None,
        deadline: Deadline,
    ) -> Page:
        """Return a page of at most `limit` and `PAGE_RECORDS` records and about `PAGE_BYTES`."""
        if limit < 1:
            raise failure(ErrorCode.INVALID, "store.query", "limit must be 1 or more")
        after = "" if cursor is None else _position(cursor, partition, start, end)
        most = min(limit, PAGE_RECORDS)
        with (
            self._database.read("store.query", deadline) as connection,
            closing(
                connection.execute(
                    _QUERY,
                    {
                        "partition": partition,
                        "start": start,
                        "end": end,
                        "after": after,
                        "now": self._now(),
                        "most": most + 1,
                    },
                )
            ) as rows,
            decoding("store.query", self._database.path),
        ):
            records, more = _page(rows, most)
        self.context.meter.count("local.store.reads", max(1, len(records)))
        return Page(
            records=records,
            cursor=cursor_after(records[-1].key.sort, partition, start, end) if more else None,
        )

    def delete(
        self, keys: Sequence[Key], /, *, condition: Version | None = None, deadline: Deadline
    ) -> Sequence[ItemError]:
        """Remove records, all in one transaction."""
        self._check_batch("store.delete", keys, condition)
        with self._database.write("store.delete", deadline) as connection:
            if condition is not None and (unmet := self._unmet(connection, keys[0], condition)):
                return [ItemError(0, failure(unmet, "store.delete", "the condition is not met"))]
            connection.executemany(
                "DELETE FROM records WHERE partition = ? AND sort = ?",
                [(key.partition, key.sort) for key in keys],
            )
        self.context.meter.count("local.store.writes", len(keys))
        return []

    def purge(self, *, before: datetime, limit: int, deadline: Deadline) -> int:
        """Delete up to `limit` records that have expired, and give their space back."""
        expired = {"before": microseconds(before), "now": self._now(), "limit": max(0, limit)}
        with self._database.write("store.purge", deadline) as connection:
            deleted = connection.execute(
                "DELETE FROM records WHERE version IN (SELECT version FROM records "
                "WHERE expires < :before AND expires <= :now ORDER BY expires LIMIT :limit)",
                expired,
            ).rowcount
        self.context.meter.count("local.store.writes", deleted)
        with self._database.read("store.purge", deadline) as connection:
            # As a script, since `execute` would take the first step only, which is one page.
            connection.executescript(f"PRAGMA incremental_vacuum({FREED_PAGES})")
        return deleted

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _unmet(
        self, connection: sqlite3.Connection, key: Key, condition: Absent | Version | None
    ) -> ErrorCode | None:
        """Return the code for a condition that does not hold at this moment of the transaction."""
        if condition is None:
            return None
        row = self._row(connection, key)
        if isinstance(condition, Absent):
            return ErrorCode.ALREADY_EXISTS if row else None
        return None if row and str(row[-1]) == condition.value else ErrorCode.CONFLICT

    def _row(self, connection: sqlite3.Connection, key: Key) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = connection.execute(
            _GET, {"partition": key.partition, "sort": key.sort, "now": self._now()}
        ).fetchone()
        return row

    def _now(self) -> int:
        return microseconds(self.context.clock.now())

    def _check_batch(
        self, operation: str, keys: Sequence[Key], condition: Absent | Version | None = None
    ) -> None:
        most = 1 if isinstance(condition, Version) else self.limits.batch_items
        if len(keys) > most or (isinstance(condition, Version) and not keys):
            raise failure(ErrorCode.INVALID, operation, f"{len(keys)} records; this call takes {most}")


def _write(connection: sqlite3.Connection, record: Record) -> None:
    connection.execute(
        "REPLACE INTO records (partition, sort, body, attributes, expires) VALUES (?, ?, ?, ?, ?)",
        (
            record.key.partition,
            record.key.sort,
            record.body,
            msgspec.json.encode(dict(record.attributes)).decode(),
            None if record.expires_at is None else microseconds(record.expires_at.replace(microsecond=0)),
        ),
    )


def _record(row: tuple[Any, ...]) -> Record:
    partition, sort, body, attributes, expires, version = row
    check_types(row, str, str, bytes, str, int | None, int)
    return Record(
        key=Key(partition=partition, sort=sort),
        body=body,
        attributes=msgspec.json.decode(attributes, type=dict[str, str]),
        expires_at=None if expires is None else moment(expires),
        version=str(version),
    )


def _page(rows: Iterable[tuple[Any, ...]], most: int) -> tuple[list[Record], bool]:
    """Return the records of one page, and whether there are more."""
    records: list[Record] = []
    size = 0
    for row in rows:
        if len(records) == most or size >= PAGE_BYTES:
            return records, True
        records.append(_record(row))
        size += records[-1].size
    return records, False


def _position(cursor: str, partition: str, start: str, end: str) -> str:
    """Return the sort key a page ended with. A cursor that no page of this query gave is refused."""
    last = position_in(cursor, partition, start, end)
    if last is None:
        raise failure(ErrorCode.INVALID, "store.query", "the cursor is not one of this query's")
    return last
