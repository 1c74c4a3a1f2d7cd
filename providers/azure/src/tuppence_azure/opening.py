"""Opening a link of Service Bus, given up after a while.

The SDK waits without end for the first words of a service that takes the connection and says nothing
(azure-servicebus 7.15, `SASLTransport.negotiate`). So a link is opened in a thread that can be left behind:
one at most, since it may never end.
"""

from __future__ import annotations

import queue
import threading
from contextlib import suppress
from typing import Any

from tuppence.errors import ErrorCode
from tuppence_azure.errors import failure


class Opener:
    """Opens links, one at a time."""

    def __init__(self) -> None:
        self._left_behind: threading.Thread | None = None

    def open(self, link: Any, operation: str, seconds: float) -> Any:
        """Return the link once it is open. Raises what the SDK does, and `DriverError` when time is up."""
        if self._left_behind is not None and self._left_behind.is_alive():
            raise failure(ErrorCode.TIMEOUT, operation, "an earlier connection is still not answered")
        ended: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()
        given_up = threading.Event()

        def work() -> None:
            problem = None
            try:
                link.__enter__()
            except Exception as error:  # noqa: BLE001 - it is raised where somebody waits for it
                problem = error
            ended.put(problem)
            if given_up.is_set():
                with suppress(Exception):
                    link.close()

        thread = threading.Thread(target=work, name="tuppence-azure-opening", daemon=True)
        thread.start()
        try:
            problem = ended.get(timeout=seconds)
        except queue.Empty:
            given_up.set()
            self._left_behind = thread
            raise failure(ErrorCode.TIMEOUT, operation, "the connection is not answered") from None
        if problem is not None:
            raise problem
        return link
