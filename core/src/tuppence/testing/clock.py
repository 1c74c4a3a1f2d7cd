"""Time that moves when a test says so."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Final

from tuppence.clock import SystemClock

START: Final = datetime(2026, 11, 16, 9, 30, tzinfo=UTC)
"""A Monday, in the examples' week 2026-W47."""


class ManualClock:
    """A clock that stands still until it is advanced, or slept on."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start
        self._passed = timedelta(0)
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return the wall-clock time, in UTC."""
        return self._start + self._passed

    def monotonic(self) -> float:
        """Return the seconds that have passed since the clock was made."""
        return self._passed.total_seconds()

    def sleep(self, seconds: float) -> None:
        """Move on at once."""
        self.advance(timedelta(seconds=seconds))

    def advance(self, span: timedelta) -> None:
        """Let time pass."""
        with self._lock:
            self._passed += span


class WaitingClock(SystemClock):
    """The machine's own clock, for a service that runs on real time: to advance it is to wait."""

    def advance(self, span: timedelta) -> None:
        """Wait."""
        time.sleep(max(0.0, span.total_seconds()))
