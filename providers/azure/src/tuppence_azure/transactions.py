"""Entity group transactions: up to a hundred changes of one partition, all or none, billed as one.

https://learn.microsoft.com/rest/api/storageservices/performing-entity-group-transactions, read November 2026.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from tuppence.connection import Answer
from tuppence_azure.errors import Refused, refused
from tuppence_azure.storage import VERSION

CHANGES: Final = 100
BYTES: Final = 4 * 1024 * 1024
"""Of a whole request."""
_STATUS: Final = re.compile(rb"^HTTP/1\.1 (\d{3})", re.MULTILINE)
_BOUNDARY: Final = re.compile(r'boundary="?([^";\s]+)')
_REFUSED: Final = 400


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change, a request of its own where it stands alone.

    Attributes:
        method: of HTTP.
        path: of the entity, or of the table.
        headers: beside those that say what is sent.
        entity: what is written, if anything is.

    """

    method: str
    path: str
    headers: Mapping[str, str] = {}
    entity: Mapping[str, Any] | None = None

    @property
    def body(self) -> bytes:
        """The entity as it is sent."""
        return b"" if self.entity is None else msgspec.json.encode(self.entity)


def together(changes: Sequence[Change], address: str) -> tuple[str, bytes]:
    """Return content type and body of the request that makes all changes.

    Args:
        changes: of one partition, each of another entity.
        address: of the service.

    """
    boundary = secrets.token_hex(16)
    parts = [_part(change, address, number) for number, change in enumerate(changes)]
    inner = b"".join(b"--changeset_%s\r\n%s\r\n" % (boundary.encode(), part) for part in parts)
    body = (
        b"--batch_%(b)s\r\ncontent-type: multipart/mixed; boundary=changeset_%(b)s\r\n\r\n"
        b"%(inner)s--changeset_%(b)s--\r\n--batch_%(b)s--\r\n"
    ) % {b"b": boundary.encode(), b"inner": inner}
    return f"multipart/mixed; boundary=batch_{boundary}", body


def refusal_in(operation: str, answer: Answer) -> Refused | None:
    """Return why nothing was changed, if that is so: the answer as a whole is a success either way."""
    statuses = [int(status) for status in _STATUS.findall(answer.body)]
    bad = next((status for status in statuses if status >= _REFUSED), None)
    return None if bad is None else refused(operation, bad, {}, answer.body)


def changes_in(answer: Answer) -> int:
    """Return how many changes an answer says that were made. One that was cut off says of none."""
    boundary = _BOUNDARY.search(answer.headers.get("content-type", ""))
    if boundary is None or not answer.body.rstrip().endswith(f"--{boundary[1]}--".encode()):
        return 0
    return len(_STATUS.findall(answer.body))


def _part(change: Change, address: str, number: int) -> bytes:
    headers = {
        "content-type": "application/json",
        "content-length": str(len(change.body)),
        "accept": "application/json;odata=minimalmetadata",
        "dataserviceversion": "3.0",
        "prefer": "return-no-content",
        "x-ms-version": VERSION,
        **change.headers,
    }
    lines = [
        "content-type: application/http",
        "content-transfer-encoding: binary",
        f"content-id: {number}",
        "",
        f"{change.method} {address}{change.path} HTTP/1.1",
        *(f"{name}: {value}" for name, value in headers.items()),
        "",
        "",
    ]
    return "\r\n".join(lines).encode() + change.body
