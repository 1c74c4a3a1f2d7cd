"""Clients that send nothing: what no other can undercut."""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import Any


class Nothing:
    """A call and no more."""

    def __init__(self, url: str) -> None:  # noqa: ARG002 - it sends nothing
        self.capture = partial(_nothing, "question")

    def close(self) -> None:
        pass


def _nothing(type_: str, /, *, user: str, session: str, **data: Any) -> None:
    """Do nothing, with the keywords of `tuppence.Client.capture`."""


class Deque:
    """A dict appended to a deque, the thinnest buffer there is."""

    def __init__(self, url: str) -> None:  # noqa: ARG002 - it sends nothing
        self._kept: deque[object] = deque()

    def capture(self, **event: Any) -> None:
        self._kept.append(event)

    def close(self) -> None:
        pass
