"""What the mail says, before it is HTML or plain text. Both are made from this, so both say the same."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number of the scoreboard.

    `bars` are the heights of its last weeks as shares of the highest, oldest first; `history` the same in
    words, for those who cannot see bars.
    """

    label: str
    value: str
    note: str
    change: str
    tone: str
    bars: tuple[float, ...]
    history: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One question in a list: `title` is other people's words."""

    title: str
    badge: str
    value: str
    bar: float
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of a name and numbers; the names may be other people's words. `caption` is for screen readers."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def compared(before: object | None, table: Table) -> Table:
    """Return a table whose last column is about the week before, without it where there was none."""
    if before is not None:
        return table
    return replace(table, head=table.head[:-1], rows=tuple(row[:-1] for row in table.rows))


@dataclass(frozen=True, slots=True, kw_only=True)
class GridRow:
    """Hours of the clock: for each weekday a number, and its shade from 0 to 5; the sum at the end."""

    label: str
    cells: tuple[tuple[str, int], ...]
    total: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Hours by weekdays, Monday first."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[GridRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One section: a sentence or two, a list and what follows it, a grid, tables, a last word."""

    title: str
    intro: str
    entries: tuple[Entry, ...] = ()
    tables: tuple[Table, ...] = ()
    grid: Grid | None = None
    after: str = ""
    closing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Todo:
    """One thing to do, with what to type."""

    title: str
    why: str
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How many rows the mail shows of its lists. The JSON and the attached tables hold more."""

    topics: int = 10
    gaps: int = 8
    rows: int = 5


WHOLE: Final = Room()


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The whole mail, in reading order."""

    subject: str
    preheader: str
    project: str
    title: str
    days: str
    alarm: bool
    verdict: tuple[str, ...]
    heroes: tuple[Figure, ...]
    ledger: tuple[Figure, ...]
    legend: str
    todos: tuple[Todo, ...]
    sections: tuple[Section, ...]
    footer: tuple[str, ...] = field(default=())
