"""Valid messages to start from: the published vectors, and some of what every part of the format holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from tuppence.batch import Columns, Header, unpack

_VECTORS: Final = Path(__file__).parents[1] / "docs" / "reference" / "batch-vectors.json"

EVENT: Final = (
    b'{"id":"q-1","type":"question","time":"2026-11-16T09:00:00Z","source":"web","user":"u1","session":"s1",'
    b'"data":{"text":"Do you deliver to Cork?","outcome":"no_match","cause":"no_source","latency_ms":180,'
    b'"model":"m","input_tokens":5,"output_tokens":7,"score":0.5,"sources":["faq#7"],"useful":true}}'
)
FEEDBACK: Final = (
    b'{"id":"f-1","type":"feedback","time":"2026-11-16T09:20:00+01:00",'
    b'"data":{"question":"q-1","useful":false}}'
)
REQUEST: Final = (
    b'{"id":7,"type":"request","time":"2026-11-16T09:59:59.999Z",'
    b'"data":{"method":"GET","route":"/items/{id}","status":500,"latency_ms":1.5}}'
)
EVENTS: Final = (EVENT, FEEDBACK, REQUEST)
WORDS: Final = tuple(
    word.encode()
    for word in (
        *("project", "hour", "count", "instance", "first", "last", "captured", "dropped", "refused", "hello"),
        "ignored",
        *(
            "goodbye",
            "seq",
            "time",
            "type",
            "id",
            "source",
            "user",
            "session",
            "data",
            "rest",
            "text",
            "outcome",
        ),
        *("cause", "model", "latency_ms", "input_tokens", "output_tokens", "score", "sources", "useful"),
        *("question", "feedback", "request", "method", "route", "status", "answered", "no_match", "error"),
        *("2026111609", "2026-11-16T09:00:00Z", "true", "false", "null"),
    )
)


def messages() -> list[bytes]:
    """Return the published messages."""
    return [bytes.fromhex(vector["message"]) for vector in json.loads(_VECTORS.read_text(encoding="utf-8"))]


def unpacked() -> list[tuple[Header, Columns]]:
    """Return the published messages, read."""
    return [unpack(message) for message in messages()]


def judged() -> list[Any]:
    """Return two batches, as the target `tally` reads them, in which events are about each other."""
    asked = {"text": "Where is my parcel?", "outcome": "answered", "latency_ms": 41.5, "model": "m"}
    events = [
        [0, "question", 1, None, "web", "u1", "s1", asked],
        [
            1_800_000,
            "question",
            2,
            None,
            None,
            "u2",
            None,
            {"text": "Open?", "outcome": "error", "cause": "x"},
        ],
        [1_900_000, "feedback", 3, None, None, "u1", "s1", {"question": "i1-1", "useful": True}],
        [1_900_001, "request", 4, None, None, None, None, {"method": "GET", "route": "/", "status": 500}],
    ]
    named = [[0, "question", 0, "a", None, "u1", None, {"text": "?", "useful": False, "input_tokens": 3}]]
    return [["i1", events, 4], ["", named, 0], ["i1", events[1:3], 5]]
