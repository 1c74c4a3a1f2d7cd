"""Work of an SDK that can be abandoned when time is up.

The timeouts of SDKs are of single steps, and some steps have none: azure-servicebus waits without end for the
first words of a service that takes the connection and says nothing (7.15, `SASLTransport.negotiate`),
azure-core starts anew with every read, and botocore waits a minute for each of several requests for
credentials, or without end for a program that is to print them. So the work is done in a thread that can be
left behind: one at most, since it may never end.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, TypeVar

from tuppence.errors import DriverError, ErrorCode

Result = TypeVar("Result")


class _Ended(Generic[Result]):
    """How the work ended: with a result, or with a problem."""

    problem: Exception | None = None
    result: Result


class AbandonableCall:
    """Makes one call at a time.

    Args:
        name: of the thread.
        provider: for errors.
        silent: what is said of a call that was abandoned: who does not answer.

    """

    def __init__(self, name: str, provider: str, silent: str = "the connection is not answered") -> None:
        self._name = name
        self._provider = provider
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
            raise self._timeout(operation, f"{self._silent}, since an earlier call")
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
            raise self._timeout(operation, self._silent) from None
        if outcome.problem is not None:
            raise outcome.problem
        return outcome.result

    def _timeout(self, operation: str, message: str) -> DriverError:
        return DriverError(ErrorCode.TIMEOUT, operation=operation, provider=self._provider, message=message)
