"""Rows of CSV as raw events, read strictly: a quotation mark that is missing joins no rows in silence.

A row that cannot be read is refused by the line it begins on, and reading goes on with the line after that.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from math import isfinite
from typing import Any, Final

from tuppence.errors import InvalidEvent
from tuppence.event import FEEDBACK, MAX_EVENT_BYTES, QUESTION, REQUEST, parse_time
from tuppence.pipeline.lines import Line, without_mark

DELIMITERS: Final = ",;\t|"
"""What may stand between values; the header tells which it is."""
MAX_ROW_CHARACTERS: Final = 4 * MAX_EVENT_BYTES
"""A row is not followed over more lines than hold this: no event is larger."""
MAX_LINES_AFTER: Final = 10_000
"""Lines that are read behind such a text in search of a row of this file, before it is given up."""
_FIELDS: Final = frozenset({"id", "type", "time", "source", "user", "session"})
_KNOWN: Final = _FIELDS | {
    *("text", "outcome", "cause", "latency_ms", "model", "input_tokens", "output_tokens", "score", "sources"),
    *("useful", "question", "route", "status"),
}
"""Names that mean the same in capitals: the fields of an event, and what the report knows of `data`."""
_DATA: Final = "data."
_NUMBERS: Final = frozenset({"latency_ms", "score", "input_tokens", "output_tokens", "status"})
"""Values of `data` that are numbers; CSV does not say."""


def read_csv(lines: Iterable[bytes]) -> Iterator[Line]:
    """Yield the rows of delimiter-separated values by the number of the line they begin on.

    The first row names the columns. `id`, `type`, `time`, `source`, `user` and `session`, in capitals too,
    are the event's own; any other, with or without `data.` in front, is a value in its `data`. Empty values
    and columns without a name are left out. Behind a text that goes on for too long, with no row after it,
    reading ends with a refusal that says so.
    """
    rows = _Rows(line.decode(errors="surrogateescape") for line in without_mark(lines))
    names: list[str] | None = None
    repeated = ""
    for number, row, text in rows:
        if rows.lines_lost(row, names) > MAX_LINES_AFTER:
            yield number, InvalidEvent(_GIVEN_UP.format(first=rows.long_since)), 0
            return
        if isinstance(row, InvalidEvent):
            yield number, row, 0
        elif names is None:
            names = _columns(row)
            repeated = next((name for name in names if name and names.count(name) > 1), "")
        elif repeated:
            yield number, InvalidEvent(f"two columns are called {repeated!r}; rename one of them"), 0
        elif "\n" in text.rstrip("\r\n") and _holds_rows(row, names, rows.delimiter):
            last = number + text.rstrip("\r\n").count("\n")
            yield number, InvalidEvent(_ROWS_WITHIN.format(last=last)), 0
        else:
            yield number, _record(names, row), len(text)


class _Rows:
    """The rows of a file that hold anything: the line each begins on, its values or its fault, its text.

    Attributes:
        delimiter: what stands between values.
        long_since: the line on which a text began that went on for too long; 0 once a row was read since.

    """

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._again: deque[str] = deque()
        self._taken: list[str] = []
        self._size = 0
        self._number = 0
        self._lost = 0
        self.long_since = 0
        header = next(lines, "")
        self._again.append(header)
        self.delimiter = next((each for each in DELIMITERS if _names_time(header, each)), DELIMITERS[0])
        self._reader = self._new_reader()

    def __iter__(self) -> Iterator[tuple[int, list[str] | InvalidEvent, str]]:
        return self

    def __next__(self) -> tuple[int, list[str] | InvalidEvent, str]:
        while True:
            begins, row = self._number + 1, self._next_row()
            text = "".join(self._taken)
            self._number += len(self._taken)
            if isinstance(row, InvalidEvent) or any(row):
                return begins, row, text

    def lines_lost(self, row: list[str] | InvalidEvent, names: list[str] | None) -> int:
        """Return how many lines have been read since a text that went on for too long, none a row."""
        if isinstance(row, list) and len(row) == len(names or row):
            self.long_since = self._lost = 0
        elif self.long_since:
            self._lost += 1
        return self._lost

    def _next_row(self) -> list[str] | InvalidEvent:
        """Read one row. Of one that is broken, all lines but the first will be read again."""
        self._taken.clear()
        self._size = 0
        try:
            return next(self._reader)
        except csv.Error as error:
            self._again.extendleft(reversed(self._taken[1:]))
            del self._taken[1:]
            self._reader = self._new_reader()
            return InvalidEvent(_fault(str(error)))

    def _new_reader(self) -> Iterator[list[str]]:
        return csv.reader(self._row_lines(), delimiter=self.delimiter, strict=True)

    def _row_lines(self) -> Iterator[str]:
        """Yield lines to the reader, noting what it takes for a row; end where one row takes too many."""
        while True:
            line = self._again.popleft() if self._again else next(self._lines, None)
            if line is None:
                return
            if self._size > MAX_ROW_CHARACTERS:
                self._again.appendleft(line)
                self.long_since = self.long_since or self._number + 1
                return
            self._taken.append(line)
            self._size += len(line)
            yield line


def _names_time(header: str, delimiter: str) -> bool:
    return "time" in (_column(name.strip().strip('"')) for name in header.split(delimiter))


def _column(name: str) -> str:
    """Return a column's name: one that tuppence knows whatever its capitals, any other as it stands."""
    name = _decoded(name)
    return name.lower() if name.lower() in _KNOWN else name


def _columns(names: Sequence[str]) -> list[str]:
    """Return the names of a header. Where some differ in capitals alone, each stays as it is."""
    decoded = [_decoded(name) for name in names]
    lowered = [name.lower() for name in decoded]
    return [_column(name) if lowered.count(name.lower()) == 1 else name for name in decoded]


def _decoded(name: str) -> str:
    return name.strip().encode(errors="surrogateescape").decode(errors="replace")


_QUOTES: Final = (
    "a quotation mark that opens on this line is not closed, or one inside the text is not written twice"
)


_GIVEN_UP: Final = (
    "the quoted text that begins on line {first} goes on for too long and no row follows it, so the file is "
    "read no further; close its quotation mark, or take that text out"
)
_ROWS_WITHIN: Final = (
    "the quoted text that begins on this line ends on line {last} and holds what looks like whole rows of "
    "this file, so none of these lines is imported; close its quotation mark, or take those rows out of it"
)


def _fault(error: str) -> str:
    """Return what is wrong with a row, in words, given those of Python's reader."""
    if error == "unexpected end of data" or "expected after" in error:
        return f"not valid CSV: {_QUOTES}"
    return f"not valid CSV: {error}"


def _holds_rows(row: Sequence[str], names: Sequence[str], delimiter: str) -> bool:
    """Whether a value of a row goes on over lines that begin as rows of this file do.

    That is so where a quotation mark was never closed and another one, rows later, closes it: all is valid
    then, and other people's rows stand inside one person's text.
    """
    if not {"time", "type"} <= set(names):
        return False
    time, kind = names.index("time"), names.index("type")
    types = {QUESTION, FEEDBACK, REQUEST, *row[kind : kind + 1]}
    for value in row:
        for line in value.split("\n")[1:]:
            cells = line.split(delimiter)
            if len(cells) > max(time, kind) and cells[kind] in types and _is_time(cells[time]):
                return True
    return False


def _is_time(text: str) -> bool:
    try:
        parse_time(text)
    except InvalidEvent:
        return False
    return True


def _record(names: list[str], row: list[str]) -> dict[str, Any] | InvalidEvent:
    if len(row) != len(names):
        return InvalidEvent(f"{len(row)} values for {len(names)} columns")
    if sum(map(len, row)) > MAX_EVENT_BYTES:
        return InvalidEvent(f"larger than {MAX_EVENT_BYTES} bytes")
    event: dict[str, Any] = {}
    data: dict[str, Any] = {}
    for name, value in zip(names, row, strict=True):
        if not value or not name:
            continue
        if not value.isascii() and any("\udc80" <= character <= "\udcff" for character in value):
            return InvalidEvent("not UTF-8")
        if name in _FIELDS:
            event[name] = value
        else:
            key = name.removeprefix(_DATA)
            data[key] = _number(value) if key in _NUMBERS else value
    return event | {"data": data} if data else event


def _number(text: str) -> int | float | str | None:
    """Return the number a text stands for, `None` for `nan`; or the text, which the event's check refuses."""
    for kind in (int, float):
        try:
            number: int | float = kind(text)
        except ValueError:
            continue
        return number if isfinite(number) else None
    return text
