"""The table behind the store: its options, and calls on it, each counted as it is billed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from tuppence.clock import Deadline
from tuppence.connection import Answer
from tuppence.drivers import Context, Key
from tuppence.errors import DriverError, ErrorCode
from tuppence_azure.entities import Entity
from tuppence_azure.errors import Refused, failure, incomplete
from tuppence_azure.names import table_named
from tuppence_azure.storage import Storage, StorageOptions
from tuppence_azure.transactions import BYTES, Change, changes_in, refusal_in, together

UNIT: Final = "tables.operations"
"""Every request is one operation, also a transaction and one that finds nothing.

https://azure.microsoft.com/pricing/details/storage/tables/, read November 2026.
"""
ABSENT: Final = frozenset({"ResourceNotFound", "EntityNotFound"})
"""How the service says of an entity that it is not there."""
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9]{2,62}")
_READ: Final = {"accept": "application/json;odata=minimalmetadata", "dataserviceversion": "3.0"}


class StoreOptions(StorageOptions, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which table, beside where.

    Attributes:
        table: its name; empty means `tuppence<project>`, without signs.

    """

    table: str = ""

    def __post_init__(self) -> None:
        """Refuse what the service would."""
        super().__post_init__()
        if self.table and not _NAME.fullmatch(self.table):
            raise ValueError(
                f"{self.table!r} cannot be a table's name: 3 to 63 letters and digits, a letter first"
            )


class _Entities(msgspec.Struct):
    """A page of a query's answer."""

    value: list[dict[str, Any]]


class Table:
    """A table of a storage account."""

    def __init__(self, options: StoreOptions, context: Context) -> None:
        self.name = options.table or table_named(context.project)
        self._storage = Storage("table", options, context.clock)
        self._meter = context.meter

    def path(self, key: Key) -> str:
        """Return the path of an entity. No letter of a key means anything in it."""
        return f"/{self.name}(PartitionKey='{key.partition}',RowKey='{key.sort}')"

    def insert(self, entity: Entity) -> Change:
        """Return the change that writes an entity where none is."""
        return Change(method="POST", path=f"/{self.name}", entity=entity)

    def replace(self, key: Key, entity: Entity, etag: str = "") -> Change:
        """Return the change that writes an entity: whatever was there, or only what has this ETag."""
        headers = {"if-match": etag} if etag else {}
        return Change(method="PUT", path=self.path(key), headers=headers, entity=entity)

    def remove(self, key: Key, etag: str = "*") -> Change:
        """Return the change that deletes an entity: whatever is there, or only what has this ETag."""
        return Change(method="DELETE", path=self.path(key), headers={"if-match": etag})

    def make(self, operation: str, changes: Sequence[Change], deadline: Deadline) -> bool:
        """Make changes of one partition, all or none. Raises `DriverError`.

        Returns:
            Whether they were few enough for one request. If not, nothing has been done.

        """
        if len(changes) == 1:
            (change,) = changes
            told = {**_READ, "prefer": "return-no-content", **change.headers}
            if change.entity is not None:
                told["content-type"] = "application/json"
            self._call(operation, change.method, change.path, deadline, headers=told, body=change.body)
            return True
        content_type, body = together(changes, self._storage.address(operation))
        if len(body) > BYTES:
            return False
        told = {**_READ, "content-type": content_type}
        answer = self._call(operation, "POST", "/$batch", deadline, headers=told, body=body)
        error = refusal_in(operation, answer)
        if error is not None:
            raise self._missing(operation) if error.name == "TableNotFound" else error
        if changes_in(answer) != len(changes):
            raise incomplete(operation)
        return True

    def get(self, operation: str, key: Key, deadline: Deadline) -> Entity | None:
        """Return an entity, if it is there. Raises `DriverError`."""
        try:
            answer = self._call(operation, "GET", self.path(key), deadline, headers=_READ)
        except Refused as error:
            if error.name in ABSENT:
                return None
            raise
        entity: Entity = _decoded(operation, answer, dict[str, Any])
        return entity

    def query(
        self, operation: str, asked: Mapping[str, str], deadline: Deadline
    ) -> tuple[Sequence[Entity], Mapping[str, str]]:
        """Return entities, and what to ask for beside the same again to get those that follow, if any do."""
        answer = self._call(operation, "GET", f"/{self.name}()", deadline, query=asked, headers=_READ)
        told = {
            name: value
            for name in ("NextPartitionKey", "NextRowKey")
            if (value := answer.headers.get(f"x-ms-continuation-{name.lower()}"))
        }
        return _decoded(operation, answer, _Entities).value, told

    def close(self) -> None:
        """Let the connection go."""
        self._storage.close()

    def _call(self, operation: str, method: str, path: str, deadline: Deadline, **more: Any) -> Answer:
        """Make one call, and count it."""
        try:
            answer = self._storage.call(operation, method, path, deadline=deadline, **more)
        except Refused as error:
            self._meter.count(UNIT)
            if error.name != "TableNotFound":
                raise
            raise self._missing(operation) from error
        self._meter.count(UNIT)
        return answer

    def _missing(self, operation: str) -> DriverError:
        words = f"there is no table {self.name}; `tuppence deploy` makes it"
        return failure(ErrorCode.NOT_FOUND, operation, words)


def _decoded(operation: str, answer: Answer, kind: Any) -> Any:
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except msgspec.MsgspecError as error:
        raise failure(ErrorCode.UNAVAILABLE, operation, "the answer cannot be read") from error
