"""Firestore's calls on one collection, each one request. Every one counts what is billed for it.

https://cloud.google.com/firestore/pricing, read November 2026: a document is paid for as one, whatever its
size; what is not there is read for one, and so is a query that finds nothing. It is not said whether a write
is paid for that its condition stops; it is counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from tuppence.clock import Deadline
from tuppence.drivers import Context
from tuppence.errors import DriverError, ErrorCode
from tuppence_gcp.documents import Document, Value
from tuppence_gcp.errors import failure
from tuppence_gcp.session import GcpOptions, Session

ALREADY_EXISTS: Final = 6
CONDITIONS: Final = frozenset({5, ALREADY_EXISTS, 9})
"""Codes of a write that its condition stopped: nothing is there, something is, or it has changed."""

Writes = Sequence[Mapping[str, Any]]


class _Status(msgspec.Struct):
    code: int = 0


class _Written(msgspec.Struct):
    status: list[_Status]


class _Got(msgspec.Struct):
    found: Document | None = None


class _Row(msgspec.Struct):
    document: Document | None = None


class _Indexed(msgspec.Struct, frozen=True):
    indexes: list[dict[str, Any]] = []


class _Ends(msgspec.Struct):
    state: str = ""


class Field(msgspec.Struct, rename="camel"):
    """How the documents of a collection are found by a field, and whether they end by it.

    https://cloud.google.com/firestore/docs/reference/rest/v1/projects.databases.collectionGroups.fields, read
    November 2026.
    """

    index_config: _Indexed = _Indexed()
    ttl_config: _Ends | None = None


class Firestore:
    """One collection of one database."""

    def __init__(self, options: GcpOptions, database: str, collection: str, context: Context) -> None:
        self._database = database
        self._collection = collection
        self._meter = context.meter
        self._session = Session(
            "https://firestore.googleapis.com", "FIRESTORE_EMULATOR_HOST", options, context.clock
        )

    def name(self, document: str, operation: str, deadline: Deadline) -> str:
        """Return the full name of a document by its id."""
        return f"{self._documents(operation, deadline)}/{self._collection}/{document}"

    def write(self, operation: str, writes: Writes, deadline: Deadline) -> list[int]:
        """Write and delete, each alone; return a code for each, 0 where it was done."""
        told: _Written = self._call(operation, "batchWrite", {"writes": writes}, _Written, deadline)
        deletes = sum("delete" in write for write in writes)
        self._count("firestore.deletes", deletes)
        self._count("firestore.writes", len(writes) - deletes)
        return [status.code for status in told.status]

    def get(
        self, operation: str, names: Sequence[str], deadline: Deadline, *, fields: Sequence[str] = ()
    ) -> dict[str, Document]:
        """Return the documents that are there, by their names; with `fields`, no more of them than those."""
        asked: dict[str, Any] = {"documents": names}
        if fields:
            asked["mask"] = {"fieldPaths": fields}
        told: list[_Got] = self._call(operation, "batchGet", asked, list[_Got], deadline)
        self._count("firestore.reads", len(names))
        return {one.found.name: one.found for one in told if one.found}

    def between(
        self, operation: str, first: str, end: str, deadline: Deadline, *, limit: int, after: bool
    ) -> list[Document]:
        """Return documents from one id up to another, which is not among them.

        Args:
            operation: kind and method, for errors.
            first: the id to begin with, or with `after` behind.
            end: the id to end before.
            deadline: by when.
            limit: how many at most.
            after: whether the first is left out.

        """
        query = {
            "orderBy": [{"field": {"fieldPath": "__name__"}}],
            "startAt": self._at(first, operation, deadline, before=not after),
            "endAt": self._at(end, operation, deadline, before=True),
            "limit": limit,
        }
        return self._run(operation, query, deadline)

    def expired(self, operation: str, before: datetime, deadline: Deadline, *, limit: int) -> list[Document]:
        """Return documents that expired before a moment, the first ones first, without their bodies."""
        query = {
            "select": {"fields": [{"fieldPath": "e"}]},
            "where": {
                "fieldFilter": {
                    "field": {"fieldPath": "e"},
                    "op": "LESS_THAN",
                    "value": Value(timestamp_value=before),
                }
            },
            "orderBy": [{"field": {"fieldPath": "e"}}],
            "limit": limit,
        }
        return self._run(operation, query, deadline)

    def field(self, operation: str, name: str, deadline: Deadline) -> Field:
        """Return how a field is set up."""
        database = self._documents(operation, deadline).removesuffix("/documents")
        path = f"/v1/{database}/collectionGroups/{self._collection}/fields/{name}"
        return self._session.call(operation, "GET", path, None, Field, deadline=deadline)

    def close(self) -> None:
        """Let the connection go."""
        self._session.close()

    def _run(self, operation: str, query: Mapping[str, Any], deadline: Deadline) -> list[Document]:
        asked = {"structuredQuery": {"from": [{"collectionId": self._collection}], **query}}
        told: list[_Row] = self._call(operation, "runQuery", asked, list[_Row], deadline)
        found = [row.document for row in told if row.document]
        self._count("firestore.reads", max(1, len(found)))
        return found

    def _at(self, document: str, operation: str, deadline: Deadline, *, before: bool) -> dict[str, Any]:
        name = self.name(document, operation, deadline)
        return {"values": [{"referenceValue": name}], "before": before}

    def _documents(self, operation: str, deadline: Deadline) -> str:
        project = self._session.project(operation, deadline)
        return f"projects/{project}/databases/{self._database}/documents"

    def _call(
        self, operation: str, action: str, asked: Mapping[str, Any], answer: Any, deadline: Deadline
    ) -> Any:
        path = f"/v1/{self._documents(operation, deadline)}:{action}"
        try:
            return self._session.call(operation, "POST", path, asked, answer, deadline=deadline)
        except DriverError as error:
            if error.code is not ErrorCode.NOT_FOUND:
                raise
            words = f"there is no database {self._database}; `tuppence deploy` makes it"
            raise failure(error.code, operation, words) from error

    def _count(self, unit: str, amount: int) -> None:
        if amount:
            self._meter.count(unit, amount)
