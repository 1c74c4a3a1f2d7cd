"""Bodies in Cloud Storage: those that are put in one call are one object.

Firestore has 1 GiB that costs nothing, Cloud Storage 5, and is paid by the object: a drain's batches together
are one. Only what is put under `Absent` and with an end goes there: it is not written over, and its object
lies there until the last record has expired, when the bucket's own rule deletes it, which costs nothing.

An object is read whole and kept for the pages that follow: an hour's segments lie in four, and come in
another order, so that each page has some of each.
https://cloud.google.com/storage/pricing and /docs/lifecycle, read November 2026.
"""

from __future__ import annotations

import hashlib
import secrets
from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, TypeVar
from urllib.parse import quote

import msgspec

from tuppence.clock import Deadline
from tuppence.connection import Answer
from tuppence.drivers import Context, Record
from tuppence.errors import DriverError, ErrorCode
from tuppence_gcp.documents import second
from tuppence_gcp.errors import failure
from tuppence_gcp.session import GcpOptions, Session

LEAST: Final = 8 * 1024
"""Bytes of the bodies of a call that are worth an object: fewer are better off in their documents."""
ALONE: Final = 512 * 1024
"""Bytes of a body that comes alone and is worth an object all the same: what is put alone is a rollup or the
texts of an hour, three in each, and objects are paid for by the piece."""
KEPT: Final = 32 * 1024 * 1024
"""Bytes of objects that are kept: an hour's, up to some 500 million events a month."""
IDLE: Final = 2
"""How many reads an object is kept for that none of them needs."""
_NAME_BYTES: Final = 12
_BOUNDARY_BYTES: Final = 16
_HASH: Final = "x-goog-hash"
"""Of an object's content; of one that was not uploaded at once it has no MD5.

https://cloud.google.com/storage/docs/xml-api/reference-headers#xgooghash, read November 2026.
"""
_Decoded = TypeVar("_Decoded")


class _Condition(msgspec.Struct, rename="camel"):
    days_since_custom_time: int | None = None


class _Action(msgspec.Struct):
    type: str


class _Rule(msgspec.Struct):
    action: _Action
    condition: _Condition


class _Lifecycle(msgspec.Struct):
    rule: list[_Rule] = []


class _Bucket(msgspec.Struct):
    lifecycle: _Lifecycle | None = None


class _Object(msgspec.Struct, rename="camel"):
    """What the service says of an object that it has stored."""

    size: str  # as JSON has numbers of 64 bits
    md5_hash: str = ""


class Blobs:
    """Bodies in one bucket.

    Args:
        url: `gs://bucket`, or `gs://bucket/folder`.
        options: which project.
        context: of the driver.

    """

    def __init__(self, url: str, options: GcpOptions, context: Context) -> None:
        self.bucket, _, folder = url.removeprefix("gs://").partition("/")
        self._folder = f"{folder.strip('/')}/" if folder.strip("/") else ""
        self._meter = context.meter
        self._session = Session(
            "https://storage.googleapis.com",
            "STORAGE_EMULATOR_HOST",
            GcpOptions(project_id=options.project_id),
            context.clock,
        )
        self._kept: dict[str, bytes] = {}
        self._last: dict[str, int] = {}
        self._reads = 0

    def check(self, operation: str, deadline: Deadline) -> None:
        """Prove that the bucket is there, and that it deletes what has expired."""
        found = self._bucket(operation, deadline)
        rules = found.lifecycle.rule if found.lifecycle else []
        if not any(
            rule.action.type == "Delete" and rule.condition.days_since_custom_time is not None
            for rule in rules
        ):
            words = (
                f"nothing deletes what has expired in the bucket {self.bucket}; `tuppence deploy` mends it"
            )
            raise failure(ErrorCode.INVALID, operation, words)

    def put(self, records: Mapping[int, Record], operation: str, deadline: Deadline) -> dict[int, str]:
        """Write bodies as one object; return where they are, by position."""
        if not records:
            return {}
        bodies = b"".join(record.body for record in records.values())
        ends = [record.expires_at for record in records.values()]
        end = max(filter(None, ends)) if all(ends) else None
        name = f"{self._folder}{secrets.token_hex(_NAME_BYTES)}"
        self._upload(name, bodies, end, operation, deadline)
        references, at = {}, 0
        for n, record in records.items():
            references[n] = f"{name}:{at}:{len(record.body)}"
            at += len(record.body)
        return references

    def get(self, references: Iterable[str], operation: str, deadline: Deadline) -> dict[str, bytes]:
        """Return bodies by where they are: at most one request for each object."""
        places: dict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
        for reference in references:
            name, first, length = reference.rsplit(":", 2)
            places[name][reference] = int(first), int(first) + int(length)
        self._reads += 1
        bodies: dict[str, bytes] = {}
        for name, parts in places.items():
            content = self._kept.get(name)
            if content is None:
                content = self._download(name, operation, deadline)
                self._keep(name, content)
            if name in self._kept:
                self._last[name] = self._reads
            if len(content) < max(end for _, end in parts.values()):
                self._kept.pop(name, None)
                raise failure(ErrorCode.UNAVAILABLE, operation, "an object came in part")
            bodies |= {reference: content[at:end] for reference, (at, end) in parts.items()}
        return bodies

    def close(self) -> None:
        """Let the connection go, and what is kept."""
        self._session.close()
        self._kept.clear()

    def _keep(self, name: str, content: bytes) -> None:
        """Keep an object for the next reads, where there is room once idle ones are gone."""
        idle = [one for one in self._kept if self._reads - self._last[one] > IDLE]
        for one in idle:
            del self._kept[one], self._last[one]
        if sum(map(len, self._kept.values())) + len(content) <= KEPT:
            self._kept[name] = content

    def _upload(
        self, name: str, content: bytes, end: datetime | None, operation: str, deadline: Deadline
    ) -> None:
        told: dict[str, Any] = {"name": name}
        if end is not None:
            told["customTime"] = second(end)
        boundary = secrets.token_hex(_BOUNDARY_BYTES).encode()
        body = b"\r\n".join(
            [
                b"--%b" % boundary,
                b"Content-Type: application/json\r\n",
                msgspec.json.encode(told),
                b"--%b" % boundary,
                b"Content-Type: application/octet-stream\r\n",
                content,
                b"--%b--\r\n" % boundary,
            ]
        )
        headers = {"content-type": f"multipart/related; boundary={boundary.decode()}"}
        path = f"/upload/storage/v1/b/{self.bucket}/o?uploadType=multipart"
        answer = self._send("POST", path, headers, body, operation, deadline)
        self._meter.count("gcs.class_a")
        stored = _decoded(answer.body, _Object, operation)
        if int(stored.size) != len(content) or stored.md5_hash not in {"", _md5(content)}:
            raise failure(ErrorCode.UNAVAILABLE, operation, "an object was stored in part")

    def _download(self, name: str, operation: str, deadline: Deadline) -> bytes:
        path = f"/storage/v1/b/{self.bucket}/o/{quote(name, safe='')}?alt=media"
        answer = self._send("GET", path, {}, b"", operation, deadline)
        self._meter.count("gcs.class_b")
        digests = dict(part.strip().partition("=")[::2] for part in answer.headers.get(_HASH, "").split(","))
        if digests.get("md5") not in {None, _md5(answer.body)}:
            raise failure(ErrorCode.UNAVAILABLE, operation, "an object came damaged")
        return answer.body

    def _bucket(self, operation: str, deadline: Deadline) -> _Bucket:
        answer = self._send("GET", f"/storage/v1/b/{self.bucket}", {}, b"", operation, deadline)
        self._meter.count("gcs.class_b")
        return _decoded(answer.body, _Bucket, operation)

    def _send(
        self,
        method: str,
        path: str,
        headers: Mapping[str, Any],
        body: bytes,
        operation: str,
        deadline: Deadline,
    ) -> Answer:
        try:
            return self._session.send(operation, method, path, headers, body, deadline=deadline)
        except DriverError as error:
            if error.code is not ErrorCode.NOT_FOUND:
                raise
            words = f"the bucket {self.bucket}, or the object that holds a record, is not there"
            raise failure(error.code, operation, words) from error


def _md5(content: bytes) -> str:
    """Return the digest by which the service tells whether content is whole."""
    return b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


def _decoded(body: bytes, kind: type[_Decoded], operation: str) -> _Decoded:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        raise failure(ErrorCode.UNAVAILABLE, operation, "the answer cannot be read") from error
