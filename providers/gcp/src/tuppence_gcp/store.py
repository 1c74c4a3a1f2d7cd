"""The store: one collection of Firestore, and for bodies a bucket of Cloud Storage, by requests of our own.

Options: `StoreOptions`.
Consistency: reads see every write that has completed; conditions are part of the write.
Limits: the service's, less what it adds to a document (`tuppence_gcp.documents`).
Expiry: our own purge deletes, since the service's TTL is billed from the first document, and no more than
costs nothing (`tuppence_gcp.allowance`); `native_ttl` leaves it to the service.
Errors: `tuppence_gcp.errors`. Writers who meet at one document are THROTTLED.
Emulator: Google's own, and gcp-storage-emulator.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from tuppence.clock import Deadline
from tuppence.cursors import cursor_after, position_in
from tuppence.drivers import (
    Absent,
    Context,
    Feature,
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
from tuppence.findings import Finding
from tuppence_gcp.allowance import FREE, Allowance
from tuppence_gcp.blobs import ALONE, LEAST, Blobs
from tuppence_gcp.credentials import told_project
from tuppence_gcp.documents import (
    MAX_DOCUMENT,
    RECORD,
    Document,
    bounds,
    ended,
    fields_of,
    id_of,
    key_in,
    precondition,
    second,
    weight,
)
from tuppence_gcp.errors import failure, numbered, too_large
from tuppence_gcp.firestore import CONDITIONS, Firestore
from tuppence_gcp.names import named
from tuppence_gcp.session import GcpOptions

BATCH: Final = 100
"""Records of a call; the service takes 500."""
BATCH_BYTES: Final = 4 * RECORD
"""Bytes of the records of a call; the service takes 10 MiB, the emulator 4."""
PAGE_RECORDS: Final = 20
"""Records of a page: the largest ones together, in base64, are what a connection reads of one answer."""
PURGED: Final = 300
"""Records deleted in one call of a purge."""
ROUNDS: Final = 4
"""How often `Absent` looks at what stands in its way: expired it was replaced, or gone before that."""
CHECK_WAIT: Final = 5.0
SECOND: Final = timedelta(seconds=1)

_READS: Final = ("datastore.entities.get", "datastore.entities.list")
_WRITES: Final = ("datastore.entities.create", "datastore.entities.update")
_ACTIONS: Final[Mapping[Role, Sequence[str]]] = {
    Role.PRODUCER: (),
    Role.PROCESSOR: (*_READS, *_WRITES, "datastore.entities.delete"),
    Role.REPORTER: (*_READS, *_WRITES),
}
"""What the driver calls for each role. Reporting writes too: which mails were sent, and units."""
_BLOB_ACTIONS: Final[Mapping[Role, Sequence[str]]] = {
    Role.PRODUCER: (),
    Role.PROCESSOR: ("storage.buckets.get", "storage.objects.create", "storage.objects.get"),
    Role.REPORTER: ("storage.buckets.get", "storage.objects.get"),
}


class StoreOptions(GcpOptions, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which collection and bucket, beside where.

    Attributes:
        database: of the project; the one that costs nothing is `(default)`.
        collection: its name; empty means `tuppence-<project>`.
        blobs: `gs://bucket` or `gs://bucket/folder` for the bodies of segments; empty keeps all in Firestore.
        native_ttl: whether the service deletes what has expired, which is billed, and not `tuppence purge`.
        daily_deletes: how many expired documents that deletes at most, a 24th in each hour; 0 sets no bound.

    """

    database: str = "(default)"
    collection: str = ""
    blobs: str = ""
    native_ttl: bool = False
    daily_deletes: int = FREE

    def __post_init__(self) -> None:
        """Refuse what the service would."""
        if self.blobs and not re.fullmatch(r"gs://[a-z0-9][a-z0-9._-]{1,61}[a-z0-9](/[\w./-]*)?", self.blobs):
            raise ValueError(f"{self.blobs!r} is no place in Cloud Storage, as in gs://bucket/folder")
        if "/" in self.collection or self.collection.startswith("__"):
            words = "cannot be a collection's name: no /, and no __ to begin with"
            raise ValueError(f"{self.collection!r} {words}")
        if self.daily_deletes < 0:
            raise ValueError("daily_deletes cannot be below 0, which sets no bound")


class FirestoreStore(StoreDriver):
    """A store in a collection of Firestore."""

    Options = StoreOptions
    features = frozenset({Feature.NATIVE_TTL})
    limits = Limits(batch_items=BATCH, batch_bytes=BATCH_BYTES, item_bytes=RECORD)

    def __init__(self, options: StoreOptions, context: Context) -> None:
        super().__init__(options, context)
        self.name = options.collection or named(context.project, "", "store")
        if not options.native_ttl:
            self.features = self.features - {Feature.NATIVE_TTL}
        self._firestore = Firestore(options, options.database, self.name, context)
        self._allowance = Allowance(options.daily_deletes, context.clock)
        self._blobs = Blobs(options.blobs, options, context) if options.blobs else None

    def check(self) -> None:
        """Prove that the database is there and may be read, and that a bucket deletes what has expired."""
        deadline = Deadline.after(CHECK_WAIT, self.context.clock)
        probe = self._firestore.name(id_of(Key(partition="check", sort="check")), "store.check", deadline)
        self._firestore.get("store.check", [probe], deadline)
        if self._blobs is not None:
            self._blobs.check("store.check", deadline)

    def findings(self, *, deadline: Deadline) -> Iterable[Finding]:
        """Look at who deletes what has expired, and at what is indexed."""
        from tuppence_gcp.findings.store import findings

        return findings(self._firestore, deadline, native_ttl=self.options.native_ttl)

    def permissions(self, role: Role, /) -> Sequence[Permission]:
        """Return permissions of IAM, and what they are for. Firestore knows them of whole databases."""
        project = self.options.project_id or told_project() or "*"
        database = f"projects/{project}/databases/{self.options.database}"
        own = [Permission(action=action, resource=database) for action in _ACTIONS[role]]
        if self._blobs is None:
            return own
        bucket = f"projects/_/buckets/{self._blobs.bucket}"
        return own + [Permission(action=action, resource=bucket) for action in _BLOB_ACTIONS[role]]

    def put(
        self,
        records: Sequence[Record],
        /,
        *,
        condition: Absent | Version | None = None,
        deadline: Deadline,
    ) -> Sequence[ItemError]:
        """Write records in one call. What `Absent` finds is looked at once more: it may have expired."""
        self._check_batch("store.put", len(records), condition)
        errors = [
            ItemError(n, too_large("store.put", record.size, RECORD))
            for n, record in enumerate(records)
            if record.size > RECORD or weight(record) > MAX_DOCUMENT
        ]
        unfit = {error.position for error in errors}
        fitting = {n: record for n, record in enumerate(records) if n not in unfit}
        if sum(record.size for record in fitting.values()) > BATCH_BYTES:
            raise failure(ErrorCode.INVALID, "store.put", f"over {BATCH_BYTES} bytes together")
        if not fitting:
            return errors
        places: Mapping[int, str] = {}
        if self._blobs is not None:
            apart = {n: record for n, record in fitting.items() if self._goes_apart(record, condition)}
            least = LEAST if len(apart) > 1 else ALONE
            if sum(len(record.body) for record in apart.values()) >= least:
                places = self._blobs.put(apart, "store.put", deadline)
        writes = {n: self._update(record, places.get(n, ""), deadline) for n, record in fitting.items()}
        if isinstance(condition, Absent):
            return errors + self._write_absent(writes, deadline)
        return errors + self._write("store.put", writes, condition, deadline)

    def get(self, keys: Sequence[Key], /, *, deadline: Deadline) -> Sequence[Record | None]:
        """Return a record or `None` for each key."""
        self._check_batch("store.get", len(keys))
        if not keys:
            return []
        names = [self._name(key, "store.get", deadline) for key in keys]
        found = self._firestore.get("store.get", names, deadline)
        records = self._living("store.get", found.values(), deadline)
        return [records.get(key) for key in keys]

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
        first, last = bounds(partition, start, end)
        if cursor is not None:
            first = id_of(Key(partition=partition, sort=_position(cursor, partition, start, end)))
        most = min(limit, PAGE_RECORDS)
        found = self._firestore.between(
            "store.query", first, last, deadline, limit=most, after=cursor is not None
        )
        records = self._living("store.query", found, deadline)
        more = len(found) == most
        following = cursor_after(key_in(found[-1].name).sort, partition, start, end) if more else None
        return Page(records=list(records.values()), cursor=following)

    def delete(
        self, keys: Sequence[Key], /, *, condition: Version | None = None, deadline: Deadline
    ) -> Sequence[ItemError]:
        """Remove records, in one call. A body in an object stays there until all of that has expired."""
        self._check_batch("store.delete", len(keys), condition)
        writes = {n: {"delete": self._name(key, "store.delete", deadline)} for n, key in enumerate(keys)}
        return self._write("store.delete", writes, condition, deadline)

    def purge(self, *, before: datetime, limit: int, deadline: Deadline) -> int:
        """Delete what has expired, unless it was written anew meanwhile, as long as the hour's share lasts.

        Its objects, the bucket deletes.
        """
        most = self._allowance.of(min(limit, PURGED))
        if Feature.NATIVE_TTL in self.features or most < 1:
            return 0
        bound = min(before, second(self.context.clock.now()) + SECOND)
        found = self._firestore.expired("store.purge", bound, deadline, limit=most)
        if not found:
            return 0
        writes = [{"delete": one.name, "currentDocument": {"updateTime": one.update_time}} for one in found]
        self._allowance.use(len(writes))
        return self._firestore.write("store.purge", writes, deadline).count(0)

    def close(self) -> None:
        """Let the connections go."""
        self._firestore.close()
        if self._blobs is not None:
            self._blobs.close()

    def _goes_apart(self, record: Record, condition: Absent | Version | None) -> bool:
        """Whether a record's body may go to the bucket: what is written once, and will end."""
        return bool(record.body) and record.expires_at is not None and isinstance(condition, Absent)

    def _write(
        self,
        operation: str,
        writes: Mapping[int, dict[str, Any]],
        condition: Version | None,
        deadline: Deadline,
    ) -> list[ItemError]:
        """Write or delete, all or under the condition the one."""
        if not writes:
            return []
        conflict = failure(ErrorCode.CONFLICT, operation, "the condition is not met")
        if condition is not None:
            if ended(condition.value, self.context.clock.now()):
                return [ItemError(n, conflict) for n in writes]
            for write in writes.values():
                write["currentDocument"] = precondition(condition.value)
        codes = self._firestore.write(operation, list(writes.values()), deadline)
        return [
            ItemError(n, conflict if condition and code in CONDITIONS else numbered(operation, code))
            for n, code in zip(writes, codes, strict=True)
            if code
        ]

    def _write_absent(self, writes: Mapping[int, dict[str, Any]], deadline: Deadline) -> list[ItemError]:
        """Write what is not there. What is there and has expired is replaced, unless others were first."""
        errors: list[ItemError] = []
        left = {n: {**write, "currentDocument": {"exists": False}} for n, write in writes.items()}
        begun = False
        for _ in range(ROUNDS):
            try:
                codes = self._firestore.write("store.put", list(left.values()), deadline)
                begun = True
                told = dict(zip(left, codes, strict=True))
                failed = {n: code for n, code in told.items() if code and code not in CONDITIONS}
                errors += [ItemError(n, numbered("store.put", code)) for n, code in failed.items()]
                left = {n: left[n] for n, code in told.items() if code in CONDITIONS}
                left = self._look_again(left, errors, deadline)
            except DriverError as error:
                if not begun:
                    raise
                return errors + [ItemError(n, error) for n in left]
            if not left:
                return errors
        busy = failure(ErrorCode.THROTTLED, "store.put", "others keep writing the same record")
        return errors + [ItemError(n, busy) for n in left]

    def _look_again(
        self, writes: Mapping[int, dict[str, Any]], errors: list[ItemError], deadline: Deadline
    ) -> dict[int, dict[str, Any]]:
        """Look at what stopped writes: add what lives to the errors, return how to try the others."""
        if not writes:
            return {}
        names = [write["update"]["name"] for write in writes.values()]
        found = self._firestore.get("store.put", names, deadline, fields=["e"])
        again = {}
        for n, write in writes.items():
            there = found.get(write["update"]["name"])
            if there is None:
                again[n] = {**write, "currentDocument": {"exists": False}}
            elif self._expired(there):
                again[n] = {**write, "currentDocument": {"updateTime": there.update_time}}
            else:
                known = failure(ErrorCode.ALREADY_EXISTS, "store.put", "the condition is not met")
                errors.append(ItemError(n, known))
        return again

    def _living(self, operation: str, found: Iterable[Document], deadline: Deadline) -> dict[Key, Record]:
        """Return the records of documents that have not expired, with bodies from wherever they are."""
        living = [document for document in found if not self._expired(document)]
        references = [document.reference for document in living if document.reference]
        if not references:
            return {key_in(document.name): document.record() for document in living}
        if self._blobs is None:
            words = "a record's body lies in a bucket; set `blobs` to where it was when it was written"
            raise failure(ErrorCode.INVALID, operation, words)
        bodies = self._blobs.get(references, operation, deadline)
        return {key_in(document.name): document.record(bodies.get(document.reference)) for document in living}

    def _expired(self, document: Document) -> bool:
        return document.expires_at is not None and document.expires_at <= self.context.clock.now()

    def _update(self, record: Record, place: str, deadline: Deadline) -> dict[str, Any]:
        """Return what writes a record whole, whose body may be elsewhere."""
        name = self._name(record.key, "store.put", deadline)
        return {"update": {"name": name, "fields": fields_of(record, place)}}

    def _name(self, key: Key, operation: str, deadline: Deadline) -> str:
        return self._firestore.name(id_of(key), operation, deadline)

    def _check_batch(self, operation: str, items: int, condition: Absent | Version | None = None) -> None:
        most = 1 if isinstance(condition, Version) else BATCH
        if items > most or (isinstance(condition, Version) and not items):
            raise failure(ErrorCode.INVALID, operation, f"{items} records; this call takes {most}")


def _position(cursor: str, partition: str, start: str, end: str) -> str:
    """Return the sort key a page ended with. A cursor that no page of this query gave is refused."""
    last = position_in(cursor, partition, start, end)
    if last is None:
        raise failure(ErrorCode.INVALID, "store.query", "the cursor is not one of this query's")
    return last
