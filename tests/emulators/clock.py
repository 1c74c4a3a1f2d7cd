"""The time of services that are started for tests."""

from __future__ import annotations

import mmap
import struct
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

AHEAD = Path(__file__).parents[1] / "ahead"


class ServiceClock:
    """The clock of services that were started with `environment`, and of whoever is to agree with them.

    It goes on by itself, and to wait is to move it on: for the services too, so that nobody waits.
    """

    def __init__(self, file: Path) -> None:
        file.write_bytes(struct.pack("d", 0.0))
        with file.open("r+b") as opened:
            self._seconds = mmap.mmap(opened.fileno(), 8)
        self._passed = 0.0
        self._lock = threading.Lock()
        self.environment = {"TIME_AHEAD": str(file), "PYTHONPATH": str(AHEAD)}

    def now(self) -> datetime:
        """Return the wall-clock time, in UTC."""
        return datetime.now(UTC) + timedelta(seconds=self._ahead())

    def monotonic(self) -> float:
        """Return seconds that never run backwards, not even when the clock is put right."""
        return time.monotonic() + self._passed

    def sleep(self, seconds: float) -> None:
        """Move on at once."""
        self.advance(timedelta(seconds=seconds))

    def advance(self, span: timedelta) -> None:
        """Let time pass."""
        with self._lock:
            self._passed += span.total_seconds()
            self._set(self._ahead() + span.total_seconds())

    def put_right(self) -> None:
        """Show the time of the machine again: what is stored then lies in the past."""
        self._set(0.0)

    def _ahead(self) -> float:
        seconds: float = struct.unpack("d", self._seconds)[0]
        return seconds

    def _set(self, seconds: float) -> None:
        self._seconds[:] = struct.pack("d", seconds)
