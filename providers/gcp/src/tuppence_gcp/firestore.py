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
from tuppence_gcp.errors import ErrorBody, error_in_answer, failure, incomplete, is_check, switched_off
from tuppence_gcp.session import GcpOptions, Session

ALREADY_EXISTS: Final = 6
CONDITIONS: Final = frozenset({5, ALREADY_EXISTS, 9})
"""Codes of a write that its condition stopped: nothing is there, something is, or it has changed."""

Writes = Sequence[Mapping[str, Any]]


class _Status(msgspec.Struct):
    code: int = 0


class _Written(msgspec.Struct):
    status: list[_Status]


class _Element(msgspec.Struct, rename="camel"):
    """An element of a streamed answer. The stream may break at any place: then one with `error` is its last.

    https://cloud.google.com/firestore/docs/reference/rest/v1/projects.databases.documents/runQuery and
    /batchGet, read November 2026.
    """

    error: ErrorBody | None = None
    read_time: str = ""


class _Got(_Element):
    found: Document | None = None
    missing: str = ""


class _Row(_Element):
    """One of a query's. One without a document says that the query has run, or how far."""

    document: Document | None = None
    done: bool = False


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
        if len(told.status) != len(writes):
            raise incomplete(operation)
        return [status.code for status in told.status]

    def get(
        self, operation: str, names: Sequence[str], deadline: Deadline, *, fields: Sequence[str] = ()
    ) -> dict[str, Document]:
        """Return the documents that are there, by their names; with `fields`, no more of them than those.

        Raises `DriverError` unless the answer says of each name, once, whether a document is there.
        """
        asked: dict[str, Any] = {"documents": names}
        if fields:
            asked["mask"] = {"fieldPaths": fields}
        elements: list[_Got] = self._stream(operation, "batchGet", asked, list[_Got], deadline)
        self._count("firestore.reads", len(names))
        answered = [one.found.name if one.found else one.missing for one in elements]
        if sorted(answered) != sorted(set(names)):
            raise incomplete(operation)
        return {one.found.name: one.found for one in elements if one.found}

    def between(
        self, operation: str, first: str, end: str, deadline: Deadline, *, limit: int, after: bool
    ) -> list[Document]:
        """Return documents from one id up to another, which is not among them.

        Fewer than `limit` are all there are. Where the service does not say so itself (`done`), it is asked
        once more for what follows them.

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
        found, done = self._run(operation, query, deadline)
        while found and len(found) < limit and not done:
            last = {"values": [{"referenceValue": found[-1].name}], "before": False}
            rest = {**query, "startAt": last, "limit": limit - len(found)}
            following, done = self._run(operation, rest, deadline)
            if not following:
                break
            found += following
        ids = [document.name.rpartition("/")[2] for document in found]
        if ids != sorted(set(ids)) or (ids and not first <= ids[0] <= ids[-1] < end):
            raise incomplete(operation)
        return found

    def expired(self, operation: str, before: datetime, deadline: Deadline, *, limit: int) -> list[Document]:
        """Return documents that expired before a moment, the first ones first, without their bodies.

        There may be more than come: what is left out now is found again later.
        """
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
        return self._run(operation, query, deadline)[0]

    def field(self, operation: str, name: str, deadline: Deadline) -> Field:
        """Return how a field is set up."""
        database = self._documents(operation, deadline).removesuffix("/documents")
        path = f"/v1/{database}/collectionGroups/{self._collection}/fields/{name}"
        return self._session.call(operation, "GET", path, None, Field, deadline=deadline)

    def close(self) -> None:
        """Let the connection go."""
        self._session.close()

    def _run(
        self, operation: str, query: Mapping[str, Any], deadline: Deadline
    ) -> tuple[list[Document], bool]:
        """Return documents, and whether the service says that these are all."""
        asked = {"structuredQuery": {"from": [{"collectionId": self._collection}], **query}}
        rows: list[_Row] = self._stream(operation, "runQuery", asked, list[_Row], deadline)
        found = [row.document for row in rows if row.document]
        self._count("firestore.reads", max(1, len(found)))
        if not rows or len(found) > query["limit"]:
            raise incomplete(operation)
        return found, any(row.done for row in rows)

    def _stream(
        self, operation: str, action: str, asked: Mapping[str, Any], answer: Any, deadline: Deadline
    ) -> Any:
        """Make a call whose answer is streamed; return its elements. Raises `DriverError` if it broke off."""
        elements: list[_Element] = self._call(operation, action, asked, answer, deadline)
        for element in elements:
            if element.error is not None:
                raise error_in_answer(operation, element.error, private=not is_check(operation))
            if not element.read_time:
                raise incomplete(operation)
        return elements

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
            if off := switched_off(error, operation):
                raise off from error
            if error.code is not ErrorCode.NOT_FOUND:
                raise
            words = f"there is no database {self._database}; `tuppence deploy` makes it"
            raise failure(error.code, operation, words) from error

    def _count(self, unit: str, amount: int) -> None:
        if amount:
            self._meter.count(unit, amount)
