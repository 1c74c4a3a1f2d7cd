"""The clients' protocols, as far as they must be known to answer a request and to count its events.

An event is `(n, identity)`: the number the benchmark gave it, and the id by which the backend drops repeats,
as its client minted it; `None` where the client mints none, so that every copy counts.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from base64 import b64decode
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

from collector.moods import Request

UNREADABLE = (ValueError, LookupError, TypeError)
"""What reading a body raises into which two processes have written, on a connection they share by a fork."""
Event = tuple[int, str | None]
JSON = "application/json"


def answer(request: Request) -> tuple[str, bytes]:
    """Return the content type and the body with which a backend says that all is well."""
    if "x-amz-target" in request.headers:
        return "application/x-amz-json-1.0", json.dumps(_sqs_answer(request)).encode()
    if request.path.startswith("/v1/logs"):
        return "application/x-protobuf", b""
    if request.path.startswith("/track"):
        return JSON, b'{"status": 1, "error": null}'
    return JSON, b'{"code": 200, "status": 1, "success": true}'


def events(request: Request) -> Iterator[Event]:
    """Yield the events of a request."""
    if "x-amz-target" in request.headers:
        return _sqs(request)
    for prefix, read in _READERS.items():
        if request.path.startswith(prefix):
            return read(request)
    return iter(())  # a look at settings or flags


def _sqs_answer(request: Request) -> dict[str, Any]:
    asked = json.loads(request.body)
    if "Entries" not in asked:
        return {"MessageId": "m", "MD5OfMessageBody": _md5(asked["MessageBody"])}
    taken = [
        {"Id": one["Id"], "MessageId": "m", "MD5OfMessageBody": _md5(one["MessageBody"])}
        for one in asked["Entries"]
    ]
    return {"Successful": taken, "Failed": []}


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _sqs(request: Request) -> Iterator[Event]:
    asked = json.loads(request.body)
    for entry in asked.get("Entries", [asked]):
        attributes = entry.get("MessageAttributes", {})
        if "b" in attributes:
            yield from batch(b64decode(attributes["b"]["BinaryValue"]))
        else:
            yield json.loads(entry["MessageBody"])["n"], None


def batch(body: bytes) -> Iterator[Event]:
    """Yield the events of one of tuppence's batches, by the identity that the seal counts."""
    from tuppence.batch import column, unpack

    header, columns = unpack(body)
    for n, seq in zip(column(columns, "n"), columns.seq, strict=True):
        yield n, f"{header.instance}-{seq}"


def _posthog(request: Request) -> Iterator[Event]:
    for one in _document(request)["batch"]:
        yield one["properties"]["n"], one["uuid"]


def _segment(request: Request) -> Iterator[Event]:
    for one in _document(request)["batch"]:
        yield one["properties"]["n"], one["messageId"]


def _mixpanel(request: Request) -> Iterator[Event]:
    for one in json.loads(parse_qs(request.body.decode())["data"][0]):
        yield one["properties"]["n"], one["properties"]["$insert_id"]


def _amplitude(request: Request) -> Iterator[Event]:
    for one in _document(request)["events"]:
        yield one["event_properties"]["n"], one.get("insert_id")


def _snowplow(request: Request) -> Iterator[Event]:
    for one in _document(request)["data"]:
        told = json.loads(b64decode(one["ue_px"] + "==", altchars=b"-_"))
        yield told["data"]["data"]["n"], one["eid"]


def _otlp(request: Request) -> Iterator[Event]:
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

    told = ExportLogsServiceRequest.FromString(_plain(request))
    for resource in told.resource_logs:
        for scope in resource.scope_logs:
            for record in scope.log_records:
                (n,) = (one.value.int_value for one in record.attributes if one.key == "n")
                yield n, None


def _pubsub(request: Request) -> Iterator[Event]:
    from google.pubsub_v1.types import PublishRequest

    for one in PublishRequest.deserialize(request.body).messages:
        yield json.loads(one.data)["n"], None


def _document(request: Request) -> Any:
    return json.loads(_plain(request))


def _plain(request: Request) -> bytes:
    zipped = request.headers.get("content-encoding") == "gzip"
    return gzip.decompress(request.body) if zipped else request.body


_READERS = {
    "/batch": _posthog,
    "/v1/batch": _segment,
    "/track": _mixpanel,
    "/2/httpapi": _amplitude,
    "/com.snowplowanalytics.snowplow/tp2": _snowplow,
    "/v1/logs": _otlp,
    "/google.pubsub.v1.Publisher/Publish": _pubsub,
}
