"""The events of one type in a batch, seen column by column."""

from __future__ import annotations

from functools import cached_property
from itertools import compress
from typing import Any, Literal

from tuppence.batch import Columns

Field = Literal["time", "seq", "id", "source", "user"]


class Rows:
    """Those rows of columns that are of one type. A column is cut when it is asked for, and most never are.

    Args:
        columns: of which some are taken.
        kind: their type.
        count: how many have it.

    """

    def __init__(self, columns: Columns, kind: str, count: int) -> None:
        self.count = count
        self._columns = columns
        self._keep = None if count == len(columns.type) else [each == kind for each in columns.type]

    def field(self, name: Field) -> list[Any]:
        """Return a field of the events; an empty list where none of the batch has it."""
        return self._cut(getattr(self._columns, name))

    def data(self, key: str) -> list[Any]:
        """Return the values of one key of `data`, `None` where an event lacks it."""
        values = self._columns.data.get(key)
        if values is not None:
            return self._cut(values) or [None] * self.count
        return [rest.get(key) if rest else None for rest in self._rest] or [None] * self.count

    @cached_property
    def _rest(self) -> list[Any]:
        """What stands in no column; an empty list where these rows have nothing there."""
        rest = self._cut(self._columns.rest)
        return rest if any(rest) else []

    def _cut(self, values: list[Any]) -> list[Any]:
        return values if self._keep is None else list(compress(values, self._keep))
