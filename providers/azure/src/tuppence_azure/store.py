"""The store: one table of a storage account, by signed requests and without an SDK.

Options: `StoreOptions`.
Consistency: every read sees every write that has completed; conditions are ETags.
Expiry: the service knows none. Reads leave out what has expired, and `purge` deletes it, by notes that each
put makes (`tuppence_azure.expiry`). Core purges after each hourly sealing: what has expired lies there for an
hour, and for as long as no job runs.
Limits: 704 KiB a record, of an entity's 1 MiB (`tuppence_azure.entities`). Puts and deletes of one partition
go in one transaction; in gets each key is a request.
Errors: `tuppence_azure.errors`.
Emulator: azurite.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from tuppence.clock import Deadline
from tuppence.drivers import (
    Absent,
    Context,
    ItemError,
    Key,
    Limits,
    Page,
    Permission,
    Record,
    Role,
    StoreDriver,
    Version,
)
from tuppence.errors import DriverError, ErrorCode
from tuppence_azure.entities import (
    ITEM_BYTES,
    LETTERS_OF_TEXT,
    Entity,
    entity_of,
    etag_in,
    etag_of,
    expiry_in,
    record_in,
    second,
    text_of,
)
from tuppence_azure.errors import Refused, failure, too_large
from tuppence_azure.expiry import Expiry
from tuppence_azure.table import ABSENT, StoreOptions, Table
from tuppence_azure.transactions import CHANGES, Change

TOGETHER: Final = 4
"""Of the largest records, how many go in one call: in base64 they are 3.7 MiB, of the service's 4."""
PAGE_RECORDS: Final = 25
"""As many of the largest records as are read into memory at once."""
TURNS: Final = 4
"""How often a writer looks again that finds others at the same record."""
CHECK_WAIT: Final = 5.0

_ALONE: Final = frozenset({ErrorCode.ALREADY_EXISTS, ErrorCode.CONFLICT})
"""What is wrong with one record and says nothing about the next."""
_ACTIONS: Final[Mapping[Role, Sequence[str]]] = {
    Role.PRODUCER: (),
    Role.PROCESSOR: ("read", "add/action", "update/action", "delete"),
    Role.REPORTER: ("read", "add/action", "update/action"),
}
"""What the driver calls for each role. Reporting writes too: which mails were sent, and units."""


class TableStore(StoreDriver):
    """A store in a table of a storage account."""

    Options = StoreOptions
    limits = Limits(batch_items=CHANGES, batch_bytes=TOGETHER * ITEM_BYTES, item_bytes=ITEM_BYTES)

    def __init__(self, options: StoreOptions, context: Context) -> None:
        super().__init__(options, context)
        self._table = Table(options, context)
        self._expiry = Expiry(self._table)
        self.name = self._table.name

    def check(self) -> None:
        """Prove that the table is there and may be read."""
        deadline = Deadline.after(CHECK_WAIT, self.context.clock)
        self._table.query("store.check", {"$top": "1", "$select": "RowKey"}, deadline)

    def permissions(self, role: Role, /) -> Sequence[Permission]:
        """Return data actions of Azure's roles, and the table they may touch."""
        account = self.options.account or "*"
        resource = f"storageAccounts/{account}/tableServices/default/tables/{self.name}"
        return [
            Permission(
                action=f"Microsoft.Storage/storageAccounts/tableServices/tables/entities/{action}",
                resource=f"/subscriptions/*/resourceGroups/*/providers/Microsoft.Storage/{resource}",
            )
            for action in _ACTIONS[role]
        ]

    def put(
        self,
        records: Sequence[Record],
        /,
        *,
        condition: Absent | Version | None = None,
        deadline: Deadline,
    ) -> Sequence[ItemError]:
        """Write records, those of one partition together: under `Absent`, unless one of them is there."""
        self._check_batch("store.put", len(records), condition)
        unfit = {n: error for n, record in enumerate(records) if (error := _unfit(record))}
        errors = [ItemError(n, error) for n, error in unfit.items()]
        fitting = {n: record for n, record in enumerate(records) if n not in unfit}
        if sum(record.size for record in fitting.values()) > self.limits.batch_bytes:
            raise failure(ErrorCode.INVALID, "store.put", f"over {self.limits.batch_bytes} bytes together")
        self._expiry.note(fitting.values(), self._now(), deadline)
        if isinstance(condition, Version):
            return errors + [
                ItemError(n, error)
                for n, record in fitting.items()
                if (error := self._put_if(record, condition, deadline))
            ]

        def change(position: int) -> Change:
            record = fitting[position]
            if condition is None:
                return self._table.replace(record.key, entity_of(record))
            return self._table.insert(entity_of(record))

        def alone(position: int) -> None:
            if condition is None:
                self._table.make("store.put", [change(position)], deadline)
            else:
                self._put_absent(fitting[position], deadline)

        groups = _by_partition({n: record.key for n, record in fitting.items()})
        return errors + self._change_all("store.put", groups, change, alone, deadline)

    def get(self, keys: Sequence[Key], /, *, deadline: Deadline) -> Sequence[Record | None]:
        """Return a record or `None` for each key, each by a request: the service reads no several at once."""
        self._check_batch("store.get", len(keys))
        return [self._living(self._table.get("store.get", key, deadline)) for key in keys]

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
        """Return a page of at most `limit` and `PAGE_RECORDS` records."""
        if limit < 1:
            raise failure(ErrorCode.INVALID, "store.query", "limit must be 1 or more")
        if end and start >= end:
            return Page(records=[], cursor=None)
        bounds = [f"PartitionKey eq '{partition}'"]
        bounds += [f"RowKey ge '{start}'"] if start else []
        bounds += [f"RowKey lt '{end}'"] if end else []
        asked = {"$filter": " and ".join(bounds), "$top": str(min(limit, PAGE_RECORDS))}
        if cursor is not None:
            asked |= _following(cursor, (partition, start, end))
        entities, following = self._table.query("store.query", asked, deadline)
        records = [record for entity in entities if (record := self._living(entity)) is not None]
        return Page(records=records, cursor=_cursor((partition, start, end), following))

    def delete(
        self, keys: Sequence[Key], /, *, condition: Version | None = None, deadline: Deadline
    ) -> Sequence[ItemError]:
        """Remove records, those of one partition together, unless one of them is not there."""
        self._check_batch("store.delete", len(keys), condition)
        if condition is not None:
            error = self._delete_if(keys[0], condition, deadline)
            return [ItemError(0, error)] if error else []

        def change(position: int) -> Change:
            return self._table.remove(keys[position])

        def alone(position: int) -> None:
            try:
                self._table.make("store.delete", [change(position)], deadline)
            except Refused as error:
                if error.name not in ABSENT:
                    raise

        return self._change_all("store.delete", _by_partition(dict(enumerate(keys))), change, alone, deadline)

    def purge(self, *, before: datetime, limit: int, deadline: Deadline) -> int:
        """Delete what has expired. A call that has to end early leaves the notes for the next."""
        return self._expiry.purge(min(second(before), self._now() + 1), self._now(), limit, deadline)

    def close(self) -> None:
        """Let the connection go."""
        self._table.close()

    def _change_all(
        self,
        operation: str,
        groups: Sequence[Sequence[int]],
        change: Callable[[int], Change],
        alone: Callable[[int], None],
        deadline: Deadline,
    ) -> list[ItemError]:
        """Change the entities at these positions, group by group.

        A group that the service refuses for one of its entities is gone through one by one. An error that the
        next would meet too is that of all that are left.
        """
        errors: list[ItemError] = []
        left = [position for group in groups for position in group]
        for group in groups:
            try:
                if len(group) > 1 and self._together(operation, [change(n) for n in group], deadline):
                    left = left[len(group) :]
                    continue
                for position in group:
                    try:
                        alone(position)
                    except DriverError as error:
                        if error.code not in _ALONE:
                            raise
                        errors.append(ItemError(position, error))
                    left = left[1:]
            except DriverError as error:
                if len(left) == sum(map(len, groups)):
                    raise
                return errors + [ItemError(position, error) for position in left]
        return errors

    def _together(self, operation: str, changes: Sequence[Change], deadline: Deadline) -> bool:
        """Make changes in one transaction; return whether it was done. Raises `DriverError`."""
        try:
            return self._table.make(operation, changes, deadline)
        except Refused as error:
            if error.code is ErrorCode.ALREADY_EXISTS or error.name in ABSENT:
                return False
            raise

    def _put_absent(self, record: Record, deadline: Deadline) -> None:
        """Write a record where none is that lives. Raises `DriverError`."""
        entity = entity_of(record)
        for _ in range(TURNS):
            try:
                self._table.make("store.put", [self._table.insert(entity)], deadline)
            except Refused as error:
                if error.code is not ErrorCode.ALREADY_EXISTS:
                    raise
            else:
                return
            there = self._table.get("store.put", record.key, deadline)
            if there is None:
                continue  # deleted between the two
            if self._living(there) is not None:
                raise failure(ErrorCode.ALREADY_EXISTS, "store.put", "a record is there")
            replacing = self._table.replace(record.key, entity, etag_in(there))
            if self._holds("store.put", replacing, deadline):
                return
        raise failure(ErrorCode.THROTTLED, "store.put", "others write the same record")

    def _put_if(self, record: Record, condition: Version, deadline: Deadline) -> DriverError | None:
        etag = etag_of(condition.value, self._now())
        change = self._table.replace(record.key, entity_of(record), etag or "")
        return self._change_if("store.put", etag, change, deadline)

    def _delete_if(self, key: Key, condition: Version, deadline: Deadline) -> DriverError | None:
        etag = etag_of(condition.value, self._now())
        return self._change_if("store.delete", etag, self._table.remove(key, etag or ""), deadline)

    def _change_if(
        self, operation: str, etag: str | None, change: Change, deadline: Deadline
    ) -> DriverError | None:
        """Make a change under its condition; what has expired has no ETag that would hold."""
        if etag is not None and self._holds(operation, change, deadline):
            return None
        return failure(ErrorCode.CONFLICT, operation, "the condition is not met")

    def _holds(self, operation: str, change: Change, deadline: Deadline) -> bool:
        """Make a change with a condition; return whether the condition held. Raises `DriverError`."""
        try:
            return self._table.make(operation, [change], deadline)
        except Refused as error:
            if error.code is ErrorCode.CONFLICT or error.name in ABSENT:
                return False
            raise

    def _living(self, entity: Entity | None) -> Record | None:
        """Return the record of an entity, unless it has expired."""
        if entity is None:
            return None
        expires = expiry_in(entity)
        return None if expires is not None and expires <= self._now() else record_in(entity)

    def _now(self) -> int:
        return second(self.context.clock.now())

    def _check_batch(self, operation: str, items: int, condition: Absent | Version | None = None) -> None:
        most = 1 if isinstance(condition, Version) else CHANGES
        if items > most or (isinstance(condition, Version) and not items):
            raise failure(ErrorCode.INVALID, operation, f"{items} records; this call takes {most}")


def _unfit(record: Record) -> DriverError | None:
    if record.size > ITEM_BYTES:
        return too_large("store.put", record.size, ITEM_BYTES)
    letters = len(text_of(record.attributes).encode("utf-16-le")) // 2
    if letters > LETTERS_OF_TEXT:
        words = f"attributes of {letters} letters; at most {LETTERS_OF_TEXT}"
        return failure(ErrorCode.TOO_LARGE, "store.put", words)
    return None


def _by_partition(keys: Mapping[int, Key]) -> list[list[int]]:
    groups: dict[str, list[int]] = {}
    for position, key in keys.items():
        groups.setdefault(key.partition, []).append(position)
    return list(groups.values())


def _cursor(asked: tuple[str, str, str], following: Mapping[str, str]) -> str | None:
    """Return where a page of this query ended."""
    if not following:
        return None
    return urlsafe_b64encode(msgspec.json.encode((asked, following))).decode()


def _following(cursor: str, asked: tuple[str, str, str]) -> Mapping[str, str]:
    """Return what a page ended with. A cursor that no page of this query gave is refused."""
    try:
        given, following = msgspec.json.decode(
            urlsafe_b64decode(cursor.encode("ascii")), type=tuple[tuple[str, str, str], dict[str, str]]
        )
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        given, following = ("", "", ""), {}
    if given != asked:
        raise failure(ErrorCode.INVALID, "store.query", "the cursor is not one of this query's")
    return following
