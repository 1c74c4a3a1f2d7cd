"""Work of an SDK, given up after a while.

Its own timeouts are of single steps, and some steps have none: azure-servicebus waits without end for the
first words of a service that takes the connection and says nothing (7.15, `SASLTransport.negotiate`), and
azure-core starts anew with every read. So the work is done in a thread that can be left behind: one at most,
since it may never end.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, TypeVar

from tuppence.errors import ErrorCode
from tuppence_azure.errors import failure

Result = TypeVar("Result")


class _Ended(Generic[Result]):
    """How the work ended: with a result, or with a problem."""

    problem: Exception | None = None
    result: Result


class Apart:
    """Does one piece of work at a time.

    Args:
        name: of the thread.
        silent: what is said of work that was given up: who does not answer.

    """

    def __init__(self, name: str, silent: str = "the connection is not answered") -> None:
        self._name = name
        self._silent = silent
        self._left_behind: threading.Thread | None = None

    def call(
        self,
        work: Callable[[], Result],
        operation: str,
        seconds: float,
        *,
        late: Callable[[], Any] | None = None,
    ) -> Result:
        """Return what `work` returns. Raises what it does, and `DriverError` when time is up.

        Args:
            work: what is done.
            operation: kind and method, for errors.
            seconds: how long it may take.
            late: what undoes it, should it end after all.

        """
        if self._left_behind is not None and self._left_behind.is_alive():
            raise failure(ErrorCode.TIMEOUT, operation, f"{self._silent}, since an earlier call")
        ended: queue.SimpleQueue[_Ended[Result]] = queue.SimpleQueue()
        given_up = threading.Event()

        def run() -> None:
            outcome: _Ended[Result] = _Ended()
            try:
                outcome.result = work()
            except Exception as error:  # noqa: BLE001 - it is raised where somebody waits for it
                outcome.problem = error
            ended.put(outcome)
            if given_up.is_set() and late is not None:
                with suppress(Exception):
                    late()

        thread = threading.Thread(target=run, name=self._name, daemon=True)
        thread.start()
        try:
            outcome = ended.get(timeout=seconds)
        except queue.Empty:
            given_up.set()
            self._left_behind = thread
            raise failure(ErrorCode.TIMEOUT, operation, self._silent) from None
        if outcome.problem is not None:
            raise outcome.problem
        return outcome.result
