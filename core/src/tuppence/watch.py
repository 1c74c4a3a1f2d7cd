"""Someone who waits for a command: told at once what is tried again, and not kept waiting for long.

A platform's function and a worker try a call again for as long as their step may take, and nobody looks. Who
has typed a command looks, and does better with an error that says what to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Final

from tuppence.clock import Clock
from tuppence.errors import DriverError

BY_HAND: Final = timedelta(seconds=30)
"""How long the calls of one kind of driver may go on failing under a command, without one that succeeds."""


class Watch:
    """What is known of the calls that fail while someone waits.

    Args:
        tell: takes a sentence, as soon as a call has failed that is tried again; once for each kind of driver
            and code, until a call succeeds.
        patience: how long a kind of driver may go on failing; `None` for as long as the step may take.

    """

    def __init__(self, tell: Callable[[str], None], patience: timedelta | None = BY_HAND) -> None:
        self._tell = tell
        self.patience = patience
        self._since: dict[str, float] = {}
        self._failing: set[str] = set()
        self._told: set[tuple[str, str]] = set()

    def time_left(self, name: str, clock: Clock, remaining: float) -> float:
        """Return for how many of the `remaining` seconds a call that has just failed may be tried again."""
        since = self._since.setdefault(_kind(name), clock.monotonic())
        self._failing.add(name)
        if self.patience is None:
            return remaining
        return min(remaining, since + self.patience.total_seconds() - clock.monotonic())

    def tell(self, name: str, error: DriverError, until: datetime) -> None:
        """Say that a call failed and is tried again, unless that has been said."""
        said = (_kind(name), error.code.value)
        if said not in self._told:
            self._told.add(said)
            self._tell(f"{error}. Tried again until {until:%H:%M:%S} UTC; Ctrl-C ends it at once.")

    def succeeded(self, name: str) -> None:
        """Forget that this call failed, and its kind of driver once none of its calls does."""
        kind = _kind(name)
        self._failing.discard(name)
        if kind not in map(_kind, self._failing):
            self._since.pop(kind, None)
            self._told = {said for said in self._told if said[0] != kind}


@contextmanager
def watched(watch: Watch | None) -> Iterator[None]:
    """Let the calls within know that someone waits, or that nobody does."""
    token = _current.set(watch)
    try:
        yield
    finally:
        _current.reset(token)


def current() -> Watch | None:
    """Return who waits for the calls of this thread, if anyone does."""
    return _current.get()


_current: Final[ContextVar[Watch | None]] = ContextVar("tuppence_watch", default=None)


def _kind(name: str) -> str:
    return name.partition(".")[0]
