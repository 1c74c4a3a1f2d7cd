"""What kind of file it is, if neither newline-delimited JSON nor CSV of events, and what converts it."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from tuppence.pipeline import exports

HEAD_BYTES: Final = 64 * 1024
"""How much of a file is looked at."""
MAX_LINES: Final = 50
"""Lines of it that are parsed."""


@dataclass(frozen=True, slots=True)
class OtherKind:
    """A kind of file that is not read as it is.

    Attributes:
        name: what it is, for people: `a gzip archive`.
        command: what imports it, with `FILE` in the place of its name.

    """

    name: str
    command: str


def other_kind(head: bytes, *, csv: bool) -> OtherKind | None:
    """Return which other kind of file begins like this, or `None` for one that can be read line by line.

    Args:
        head: its first `HEAD_BYTES`.
        csv: whether it is about to be read as CSV, and not as newline-delimited JSON.

    """
    found = _binary(head) or _wide(head)
    if found is not None:
        return found
    text = head.decode("utf-8-sig", "replace").lstrip(" \t\r\n\x1e")
    if not text:
        return None
    return _from_json(text, csv=csv) if text[0] in "{[" else _from_lines(text, csv=csv)


def _binary(head: bytes) -> OtherKind | None:
    name, command = next((rest for signature, *rest in _SIGNATURES if head.startswith(signature)), ("", ""))
    if name == "a gzip archive":
        return OtherKind(name, command + _format_option(_inflated(head)))
    if name == "a zip archive":
        if b"xl/" in head or b"[Content_Types].xml" in head:
            return OtherKind("an Excel workbook", _PANDAS.format(function="read_excel"))
        return OtherKind(name, command + (" --format csv" if b".csv" in head[30:300].lower() else ""))
    return OtherKind(name, command) if name else None


def _wide(head: bytes) -> OtherKind | None:
    """Recognise text of two or four bytes a character, with a byte order mark or by its zeros."""
    encoding = next((name for mark, name in _MARKS if head.startswith(mark)), "")
    if not encoding and b"\0" in head[:200]:
        zeros = [head[at:200:2].count(0) for at in (0, 1)]
        if max(zeros) > len(head[:200]) // 4:
            encoding = "UTF-16BE" if zeros[0] > zeros[1] else "UTF-16LE"
    if not encoding:
        return None
    text = head[: len(head) // 4 * 4].decode(encoding, "replace")
    command = f"iconv -f {encoding} -t UTF-8 FILE | tuppence import -"
    return OtherKind(f"text in {encoding}", command + _format_option(text.encode(errors="replace")))


def _from_json(text: str, *, csv: bool) -> OtherKind | None:
    objects = list(_objects(text))
    first = text.partition("\n")[0].strip()
    if first != "[" and any({"type", "time"} <= one.keys() for one in objects):
        return OtherKind("newline-delimited JSON", "tuppence import --format ndjson FILE") if csv else None
    inside = _first_object(text)
    if text[0] == "[" and not _is_line_among_others(text, first):
        found = OtherKind("a JSON array", "jq -c '.[]' FILE | tuppence import -")
        return _export([inside or {}], ".[] | ") or found
    if not objects and text[0] == "{" and (_OPENED.match(text) or inside is not None):
        found = OtherKind("JSON whose objects take several lines", "jq -c . FILE | tuppence import -")
        return _export([inside or {}]) or found
    return _export(objects)


def _export(objects: Iterable[dict[str, Any]], reach: str = "") -> OtherKind | None:
    """Return the export that one of these objects is from; `reach` is what jq does to come to each."""
    found = next((export for one in objects if (export := exports.recognise(one)) is not None), None)
    return None if found is None else OtherKind(found.name, found.command(reach))


def _from_lines(text: str, *, csv: bool) -> OtherKind | None:
    lines = text.splitlines()
    if any({"type", "time"} <= one.keys() for one in _objects(text)):
        return None  # newline-delimited JSON whose first line is damaged
    if _ACCESS_LOG.match(lines[0]):
        return OtherKind("the access log of a web server", exports.ACCESS_LOG)
    columns = _columns(lines[0])
    if {"time", "type"} <= {name.lower() for name in columns}:
        return None if csv else OtherKind("CSV", "tuppence import --format csv FILE")
    export = exports.recognise(columns)
    if export is not None:
        return OtherKind(export.name, export.csv_command())
    if csv:
        return OtherKind("CSV without the columns `time` and `type`", exports.template(columns))
    return None


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """Yield the first lines that are JSON objects."""
    for line in text.splitlines()[:MAX_LINES]:
        try:
            value = json.loads(line.strip(" \t\r\n\x1e"))
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            yield value


def _first_object(text: str) -> dict[str, Any] | None:
    """Return the first object in a text; of one that is cut off, its keys as far as they can be told."""
    start = text.find("{")
    if start < 0:
        return None
    try:
        value, _ = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError):
        if len(text) < HEAD_BYTES // 2:
            return None
        return dict.fromkeys(_KEY.findall(text[start:]))
    return value if isinstance(value, dict) else None


def _is_line_among_others(text: str, first: str) -> bool:
    """Whether an array is only the first line of several, and not the whole file."""
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return False
    return len(text.strip()) > len(first)


def _columns(line: str) -> list[str]:
    """Return the names in a header line, split at the separator that gives the most of them."""
    import csv

    return max(
        ([name.strip() for name in next(csv.reader([line], delimiter=each), [])] for each in ",;\t|"), key=len
    )


def _format_option(head: bytes) -> str:
    """Return the option that `tuppence import -` needs for what begins so."""
    found = other_kind(head, csv=False) if head[:2] != b"\x1f\x8b" else None
    return " --format csv" if found is not None and found.name == "CSV" else ""


def _inflated(head: bytes) -> bytes:
    try:
        return zlib.decompressobj(31).decompress(head, HEAD_BYTES)
    except zlib.error:
        return b""


_PANDAS: Final = (
    "python3 -c 'import sys, pandas; pandas.{function}(sys.argv[1]).to_csv(sys.stdout, index=False)' FILE "
    "| tuppence import - --format csv"
)
_SIGNATURES: Final = (
    (b"\x1f\x8b", "a gzip archive", "gunzip -c FILE | tuppence import -"),
    (b"PK\x03\x04", "a zip archive", "unzip -p FILE | tuppence import -"),
    (b"BZh", "a bzip2 archive", "bunzip2 -c FILE | tuppence import -"),
    (b"\xfd7zXZ\0", "an xz archive", "xz -dc FILE | tuppence import -"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", "zstd -dc FILE | tuppence import -"),
    (b"PAR1", "a Parquet file", _PANDAS.format(function="read_parquet")),
    (
        b"SQLite format 3\0",
        "an SQLite database",
        "sqlite3 -csv -header FILE 'SELECT time, type FROM events' | tuppence import - --format csv",
    ),
)
_MARKS: Final = (
    (b"\xff\xfe\0\0", "UTF-32"),
    (b"\0\0\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_ACCESS_LOG: Final = re.compile(r'\S+ \S+ \S+ \[\d+/\w+/\d+:[\d:]+ [+-]\d+\] "')
_OPENED: Final = re.compile(r'\{\s*\n\s*"')
"""An object whose first key stands on a line of its own."""
_KEY: Final = re.compile(r'"((?:[^"\\]|\\.){1,100})"\s*:')
