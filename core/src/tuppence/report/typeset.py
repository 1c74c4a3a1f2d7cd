"""Sets plain text: lines of 72 columns, tables with their numbers under each other."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

from tuppence.report.inert import unlinked
from tuppence.report.view import Grid, Table
from tuppence.report.words import NBSP

WIDTH: Final = 72
_GAP: Final = 2
_LEAST: Final = 12
"""Columns a table's names keep, however wide its numbers are."""


def width(text: str) -> int:
    """Return how many columns a text takes up: wide characters two, marks none."""
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )


def wrapped(text: str, indent: int = 0, first: str = "") -> str:
    """Return text in lines of `WIDTH` columns, each after `indent` spaces, the first after `first`."""
    lines = _lines(unlinked(text), WIDTH - indent)
    margins = [first.ljust(indent), *[" " * indent] * len(lines)]
    return "\n".join(margin + line for margin, line in zip(margins, lines, strict=False))


def columns(rows: Sequence[Sequence[str]], indent: int = 0, room: int = WIDTH) -> str:
    """Return rows as a table: the first column takes what is left, up to `room`, the others stand right."""
    shown = [[_plain(cell) for cell in row] for row in rows]
    widths = [max(width(row[at]) for row in shown) for at in range(1, len(shown[0]))]
    room = min(room, max(_LEAST, WIDTH - indent - sum(one + _GAP for one in widths)))
    return "\n".join(line for row in shown for line in _row(row, room, widths, " " * indent))


def table(content: Table) -> str:
    """Return a table under its column heads."""
    return columns([content.head, *content.rows], 2)


def hours(grid: Grid) -> str:
    """Return the hours by weekdays, with sums."""
    head = ["", *grid.columns, "All"]
    return columns(
        [head, *([row.label, *(count for count, _ in row.cells), row.total] for row in grid.rows)], 2, 5
    )


def _row(row: Sequence[str], room: int, widths: Sequence[int], margin: str) -> Iterator[str]:
    """Yield the lines of one row; of a name that does not fit, the numbers stand beside the last line."""
    *above, last = _lines(unlinked(row[0]), room)
    yield from (margin + line for line in above)
    cells = zip(row[1:], widths, strict=True)
    numbers = "".join(" " * (_GAP + size - width(cell)) + cell for cell, size in cells)
    yield (margin + last + " " * (room - width(last)) + numbers).rstrip()


def _lines(text: str, room: int) -> list[str]:
    """Break a text between words, and inside a word that is longer than a line; one line at least."""
    lines = [""]
    for word in text.split(" "):
        for number, piece in enumerate(_pieces(word, room)):
            trial = f"{lines[-1]} {piece}" if lines[-1] and not number else piece
            if number or width(trial) > room:
                lines.append(piece)
            else:
                lines[-1] = trial
    return [_plain(line) for line in lines]


def _pieces(word: str, room: int) -> list[str]:
    pieces = [""]
    for letter in word:
        if width(pieces[-1] + letter) > room:
            pieces.append("")
        pieces[-1] += letter
    return pieces


def _plain(text: str) -> str:
    return text.replace(NBSP, " ")
