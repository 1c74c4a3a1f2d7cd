"""Whether an event that comes again says the same as before, or someone writes under another's identity."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Final

import msgspec

from tuppence.batch import Columns, Header, to_events, unpack
from tuppence.event import Event

COMPARED: Final = 500_000
"""Events of an hour that are compared, at most: some 100 MB. Others that come again count as the same."""


class Contents:
    """What was counted under each identity, of those instances of which something came again.

    That is rare, so nothing is kept until then. Then the instance's segments are read once more.

    Args:
        read_again: returns the body of a segment that was added before, or `None` if it is gone.

    """

    def __init__(self, read_again: Callable[[str], bytes | None]) -> None:
        self._read_again = read_again
        self._parts: dict[str, list[str]] = {}
        self._said: dict[str, dict[Hashable, int]] = {}
        self._left = COMPARED

    def add(self, part: str, header: Header, columns: Columns, fresh: Sequence[bool] | None) -> int:
        """Take note of a segment; return how many of its events differ from the first of their identity.

        Args:
            part: its id.
            header: of it.
            columns: all of them, also of events that came before.
            fresh: which events are new, or `None` if all are.

        """
        instance = header.instance
        if fresh is not None and instance not in self._said:
            self._said[instance] = {}
            for earlier in self._parts.get(instance, ()):
                body = self._read_again(earlier)
                if body is not None:
                    self._compare(*unpack(body))
        self._parts.setdefault(instance, []).append(part)
        return self._compare(header, columns) if instance in self._said else 0

    def _compare(self, header: Header, columns: Columns) -> int:
        said = self._said[header.instance]
        others = 0
        for event in to_events(columns):
            identity = event.seq if header.instance else (event.id, event.time)
            content = _hash_of(event)
            first = said.get(identity)
            if first is not None:
                others += first != content
            elif self._left > 0:
                said[identity] = content
                self._left -= 1
        return others


_encoder = msgspec.msgpack.Encoder(order="deterministic")


def _hash_of(event: Event) -> int:
    """Return a number that stands for all that an event says, in this process."""
    return hash(_encoder.encode(event))
