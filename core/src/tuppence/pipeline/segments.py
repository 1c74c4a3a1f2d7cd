"""The segments of an hour, read in the order in which they count."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Final

from tuppence.clock import Deadline
from tuppence.drivers import Record
from tuppence.pipeline import layout
from tuppence.store import Store

HELD: Final = 32 * 1024 * 1024
"""Bytes of an hour's segments held in memory. An hour of a hundred million events a month has some 4 MiB."""


class Segments:
    """What was stored of one UTC hour.

    Args:
        store: where.
        project: whose.
        hour: which, as `2026111609`.
        deadline: when to give up.

    """

    def __init__(self, store: Store, project: str, hour: str, deadline: Deadline) -> None:
        self._store = store
        self._project = project
        self._hour = hour
        self._deadline = deadline
        self._bodies: dict[str, bytes] = {}

    def __iter__(self) -> Iterator[Record]:
        """Yield all of them, by id."""
        return self._store.query(layout.segments(self._project, self._hour), deadline=self._deadline)

    def in_order(self, counted: Collection[str]) -> Iterator[Record]:
        """Yield those first that have been counted before, and each as it was received before the others.

        Of a very full hour not all are held in memory, and the rest is read once more.
        """
        found = []
        held = 0
        for segment in self:
            held += len(segment.body)
            if held <= HELD:
                self._bodies[segment.key.sort] = segment.body
            found.append(replace(segment, body=b""))
        found.sort(key=lambda one: (one.key.sort not in counted, one.attributes["received"], one.key.sort))
        for segment in found:
            body = self.body(segment.key.sort)
            if body is not None:
                yield replace(segment, body=body)

    def body(self, part: str) -> bytes | None:
        """Return what a segment holds, or `None` if it is gone."""
        if part in self._bodies:
            return self._bodies[part]
        segment = self._store.get(layout.segment(self._project, self._hour, part), deadline=self._deadline)
        return segment.body if segment is not None else None
