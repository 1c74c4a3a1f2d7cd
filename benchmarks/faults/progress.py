"""What a process says of itself in a mapped file, which outlives it however it ends."""

from __future__ import annotations

import mmap
import os
import time
from pathlib import Path
from typing import Final

_FIELDS: Final = ("calls", "raised", "longest", "entered", "done", "ending", "begun")
_SLOTS: Final = 2
"""The process's own, and its forked child's."""
_SIZE: Final = 8 * len(_FIELDS)


class Progress:
    """One process's lines in the file. Times are CLOCK_MONOTONIC's seconds, which all processes share.

    Attributes:
        calls: that have returned.
        raised: those of them that raised.
        longest: the longest that one took, in seconds.
        entered: when the call that is under way began; 0 where none is.
        done: whether all events were captured.
        ending: when the process began to end.
        begun: when the first call was made.

    """

    def __init__(self, path: Path, slot: int = 0) -> None:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.ftruncate(file, _SLOTS * _SIZE)
        self._view = memoryview(mmap.mmap(file, _SLOTS * _SIZE)).cast("d")
        os.close(file)
        self._at = slot * len(_FIELDS)

    def get(self, name: str) -> float:
        """Return a line."""
        return float(self._view[self._at + _FIELDS.index(name)])

    def set(self, name: str, value: float) -> None:
        """Write a line."""
        self._view[self._at + _FIELDS.index(name)] = value

    def enter(self) -> None:
        """Begin a call."""
        now = time.monotonic()
        self.set("entered", now)
        if not self.get("begun"):
            self.set("begun", now)

    def leave(self, *, raised: bool) -> None:
        """End a call."""
        self.set("longest", max(self.get("longest"), time.monotonic() - self.get("entered")))
        self.set("entered", 0.0)
        self.set("raised", self.get("raised") + raised)
        self.set("calls", self.get("calls") + 1)

    def longest(self) -> float:
        """Return the longest call so far, the one under way included."""
        entered = self.get("entered")
        return max(self.get("longest"), time.monotonic() - entered if entered else 0.0)
