"""Lines of a file as raw events: each with its number, its content or why it cannot be read, and its size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from tuppence.errors import InvalidEvent
from tuppence.event import MAX_EVENT_BYTES, decode_json

Line = tuple[int, dict[str, Any] | InvalidEvent, int]

_BOM: Final = b"\xef\xbb\xbf"
_RECORD_SEPARATOR: Final = b"\x1e"
"""Begins each text of a JSON text sequence (RFC 7464), which has a line each otherwise."""


def read_ndjson(lines: Iterable[bytes]) -> Iterator[Line]:
    """Yield the lines of newline-delimited JSON. Blank ones are counted and left out."""
    for number, line in enumerate(without_mark(lines), 1):
        text = line.removeprefix(_RECORD_SEPARATOR)
        if text.strip():
            yield number, _object(text), len(text)


def without_mark(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield lines, the first without a byte order mark."""
    for number, line in enumerate(lines):
        yield line if number else line.removeprefix(_BOM)


def _object(line: bytes) -> dict[str, Any] | InvalidEvent:
    if len(line) > MAX_EVENT_BYTES:
        return InvalidEvent(f"larger than {MAX_EVENT_BYTES} bytes")
    try:
        value = decode_json(line)
    except InvalidEvent as error:
        return error
    return value if isinstance(value, dict) else InvalidEvent("not a JSON object")
