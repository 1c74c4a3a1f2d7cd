"""Lines of a file as raw events: each with its number, its content or why it cannot be read, and its size."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import msgspec

from tuppence.errors import InvalidEvent
from tuppence.event import MAX_EVENT_BYTES

Line = tuple[int, dict[str, Any] | InvalidEvent, int]

_BOM: Final = b"\xef\xbb\xbf"
_FIELDS: Final = frozenset({"id", "type", "time", "source", "user", "session"})
_DATA: Final = "data."


def read_ndjson(lines: Iterable[bytes]) -> Iterator[Line]:
    """Yield the lines of newline-delimited JSON. Blank ones are counted and left out."""
    for number, line in enumerate(_without_mark(lines), 1):
        if line.strip():
            yield number, _object(line), len(line)


def read_csv(lines: Iterable[bytes]) -> Iterator[Line]:
    """Yield the rows of comma-separated values by the number of the line they end in.

    The first row names the columns. `id`, `type`, `time`, `source`, `user` and `session` are the event's own;
    any other, with or without `data.` in front, is a value in its `data`. Empty values are left out.
    """
    rows = csv.reader(line.decode(errors="surrogateescape") for line in _without_mark(lines))
    names: list[str] | None = None
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield rows.line_num, InvalidEvent(f"not valid CSV: {error}"), 0
            continue
        if not any(row):
            continue
        if names is None:
            names = [name.strip().encode(errors="surrogateescape").decode(errors="replace") for name in row]
        else:
            yield rows.line_num, _record(names, row), sum(map(len, row))


def _without_mark(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield lines, the first without a byte order mark."""
    for number, line in enumerate(lines):
        yield line if number else line.removeprefix(_BOM)


def _object(line: bytes) -> dict[str, Any] | InvalidEvent:
    if len(line) > MAX_EVENT_BYTES:
        return InvalidEvent(f"larger than {MAX_EVENT_BYTES} bytes")
    try:
        return msgspec.json.decode(line, type=dict[str, Any])
    except msgspec.ValidationError:
        return InvalidEvent("not a JSON object")
    except (msgspec.DecodeError, UnicodeError) as error:
        return InvalidEvent(f"not valid JSON: {error}")
    except RecursionError:
        return InvalidEvent("not valid JSON: nested too deeply")


def _record(names: list[str], row: list[str]) -> dict[str, Any] | InvalidEvent:
    if len(row) > len(names):
        return InvalidEvent(f"{len(row)} values for {len(names)} columns")
    if sum(map(len, row)) > MAX_EVENT_BYTES:
        return InvalidEvent(f"larger than {MAX_EVENT_BYTES} bytes")
    event: dict[str, Any] = {}
    data: dict[str, Any] = {}
    for name, value in zip(names, row, strict=False):
        if not value:
            continue
        if not value.isascii() and any("\udc80" <= character <= "\udcff" for character in value):
            return InvalidEvent("not UTF-8")
        if name in _FIELDS:
            event[name] = value
        else:
            key = name.removeprefix(_DATA)
            data[key] = _VALUES.get(key, str)(value)
    return event | {"data": data} if data else event


def _number(text: str) -> int | float | str:
    """Return the number a text stands for, or the text, which the event's own check will refuse."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def _truth(text: str) -> bool | str:
    return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(
        text.strip().lower(), text
    )


_VALUES: Final[dict[str, Callable[[str], Any]]] = {
    "latency_ms": _number,
    "score": _number,
    "input_tokens": _number,
    "output_tokens": _number,
    "status": _number,
    "useful": _truth,
}
"""Values that are no strings; CSV does not say."""
