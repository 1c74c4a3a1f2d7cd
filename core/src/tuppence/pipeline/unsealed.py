"""Hours and days that could not be counted: set aside with the reason, so that the others go on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec

from tuppence.clock import Clock, Deadline
from tuppence.drivers import Record
from tuppence.errors import TuppenceError
from tuppence.pipeline import layout
from tuppence.store import Store

TOO_LONG: Final = "it takes longer than a run may"
AGAIN: Final = timedelta(days=1)
"""After how long a period is tried again that took too long. Each try costs a whole run."""


class Unsealed(msgspec.Struct, frozen=True, kw_only=True):
    """A period that could not be counted: since when, why, and when it was last tried."""

    since: datetime
    tried: datetime
    reason: str

    def due(self, now: datetime) -> bool:
        """Whether it is worth trying again."""
        return self.reason != TOO_LONG or now - self.tried >= AGAIN


class UnsealedError(TuppenceError):
    """Some periods could not be counted; all others were."""


class Attempts:
    """What one run could not count, beside what earlier ones could not."""

    def __init__(self, store: Store, project: str, clock: Clock, deadline: Deadline) -> None:
        self._store = store
        self._project = project
        self._clock = clock
        self._deadline = deadline
        self._before = read_unsealed(store, project, deadline=deadline)
        self._now: dict[str, Unsealed] = {}

    def failed(self, marker: str) -> bool:
        """Whether this period could not be counted before."""
        return marker in self._before

    def is_due(self, marker: str) -> bool:
        """Whether this period is to be tried now."""
        before = self._before.get(marker)
        return before is None or before.due(self._clock.now())

    def leave(self, marker: str) -> None:
        """Note that this period was not tried, and is as it was."""
        if marker in self._before:
            self._now[marker] = self._before[marker]

    def set_aside(self, marker: str, reason: str) -> None:
        """Note that this period could not be counted."""
        now = self._clock.now()
        before = self._before.get(marker)
        self._now[marker] = Unsealed(since=before.since if before else now, tried=now, reason=reason)

    def settle(self) -> None:
        """Write down what could not be counted. Raises `UnsealedError` if there is anything."""
        if self._now != self._before:
            write_unsealed(self._store, self._project, self._now, deadline=self._deadline)
        if self._now:
            raise error_of(self._now)


def error_of(unsealed: Mapping[str, Unsealed]) -> UnsealedError:
    """Return what is said of periods, given by the names of their markers, `h.2026111609` or `d.20261116`.

    Hours come first: a day cannot be counted because of one of them.
    """
    first, *others = sorted(unsealed, key=lambda marker: (marker.startswith("d"), marker))
    more = f" and {len(others)} more" if others else ""
    return UnsealedError(
        f"{_named(first)}{more} cannot be counted and {'are' if others else 'is'} set aside: "
        f"{unsealed[first].reason}. Everything else is counted"
    )


def read_unsealed(store: Store, project: str, *, deadline: Deadline) -> dict[str, Unsealed]:
    """Return the periods that are set aside, by the name of their marker."""
    record = store.get(layout.state(project, layout.UNSEALED), deadline=deadline)
    if record is None:
        return {}
    try:
        return _read(record.body)
    except msgspec.MsgspecError:
        return {}  # it says only what to try last


def write_unsealed(
    store: Store, project: str, unsealed: Mapping[str, Unsealed], *, deadline: Deadline
) -> None:
    """Write down which periods are set aside."""
    body = msgspec.json.encode(dict(sorted(unsealed.items())))
    store.put(Record(key=layout.state(project, layout.UNSEALED), body=body), deadline=deadline)


_read = msgspec.json.Decoder(dict[str, Unsealed]).decode


def _named(marker: str) -> str:
    kind, _, digits = marker.partition(".")
    day = f"{digits[:4]}-{digits[4:6]}-{digits[6:8]}"
    return f"the day {day}" if kind == "d" else f"the hour {day} {digits[8:]}:00 UTC"
