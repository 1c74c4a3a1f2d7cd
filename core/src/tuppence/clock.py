"""Time as something that is handed in, so that tests own it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What time it is. Everything in tuppence that waits or dates asks one of these."""

    def now(self) -> datetime:
        """Return the wall-clock time, in UTC."""

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the wall-clock time, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class Deadline:
    """The moment by which a call, with all its retries, must be over."""

    __slots__ = ("_clock", "_end")

    def __init__(self, end: float, clock: Clock) -> None:
        self._end = end
        self._clock = clock

    @classmethod
    def after(cls, span: timedelta | float, clock: Clock | None = None) -> Deadline:
        """Return the deadline that lies `span` (a timedelta, or seconds) from now."""
        clock = clock or SystemClock()
        seconds = span.total_seconds() if isinstance(span, timedelta) else span
        return cls(clock.monotonic() + seconds, clock)

    def within(self, seconds: float) -> Deadline:
        """Return the deadline of a part: in so many seconds, and no later than this one."""
        return Deadline(min(self._end, self._clock.monotonic() + seconds), self._clock)

    def remaining(self) -> float:
        """Return the seconds left, never below 0."""
        return max(0.0, self._end - self._clock.monotonic())

    @property
    def expired(self) -> bool:
        """Whether no time is left."""
        return self.remaining() <= 0
