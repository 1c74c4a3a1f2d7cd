"""tuppence, sending to an address that speaks SQS."""

from __future__ import annotations

from functools import partial
from typing import Any


class Tuppence:
    """`Client()` with its defaults: the journal in the user's state directory, and AWS's queue."""

    def __init__(self, url: str, **settings: Any) -> None:
        import tuppence

        self._client = tuppence.Client(project="bench", queue={"endpoint": url}, **settings)
        self.capture = partial(self._client.capture, "question")

    def close(self) -> None:
        self._client.close()


class Eager(Tuppence):
    """The same with a short timer."""

    def __init__(self, url: str) -> None:
        super().__init__(url, capture={"flush_interval": "1s"})
