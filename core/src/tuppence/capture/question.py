"""A question on its way to an outcome. Every way out of the `with` block gives it exactly one."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from tuppence.event import Outcome

if TYPE_CHECKING:
    from tuppence.capture.client import Client
    from tuppence.capture.instance import Instance

_GONE: Final = frozenset(
    {"CancelledError", "GeneratorExit", "KeyboardInterrupt", "SystemExit", "ClientDisconnect"}
)
_LATE: Final = frozenset({"TimeoutError", "Timeout", "ReadTimeout", "ConnectTimeout", "APITimeoutError"})


class Question:
    """What `Client.question()` returns; use it with `with` or `async with`.

    Leaving the block without a word means `answered`. An exception that leaves it means `error`, a timeout
    `timeout` and a cancellation `aborted`, unless an outcome other than `answered` was stated before. A
    process that dies inside the block leaves `aborted`.

    Attributes:
        id: names the question to `Client.feedback`, also from another process; empty before the block is
            entered and where nothing is recorded.

    """

    def __init__(self, client: Client, text: Any, fields: dict[str, Any], data: dict[str, Any]) -> None:
        self.id = ""
        self._client = client
        self._text = text
        self._fields = fields
        self._data = data
        self._outcome: Outcome | None = None
        self._end: dict[str, Any] = {}
        self._seq = 0
        self._instance: Instance | None = None
        self._started = 0.0

    def answered(self, **data: Any) -> None:
        """State that an answer was given.

        Args:
            **data: what is known of it. The report reads `model`, `input_tokens`, `output_tokens`, `score`
                (0 to 1) and `sources` (a list of names); anything else is kept beside them.

        """
        self._state(Outcome.ANSWERED, data)

    def no_match(self, **data: Any) -> None:
        """State that nothing was found to answer with."""
        self._state(Outcome.NO_MATCH, data)

    def refused(self, cause: str = "", **data: Any) -> None:
        """State that a rule forbade an answer; `cause` names the rule."""
        self._state(Outcome.REFUSED, data, cause)

    def error(self, cause: str = "", **data: Any) -> None:
        """State that something broke; `cause` says what, in a word."""
        self._state(Outcome.ERROR, data, cause)

    def timeout(self, cause: str = "", **data: Any) -> None:
        """State that it took too long."""
        self._state(Outcome.TIMEOUT, data, cause)

    def rate_limited(self, cause: str = "", **data: Any) -> None:
        """State that too much was asked."""
        self._state(Outcome.RATE_LIMITED, data, cause)

    def invalid(self, cause: str = "", **data: Any) -> None:
        """State that the question could not be understood as one."""
        self._state(Outcome.INVALID, data, cause)

    def aborted(self, cause: str = "", **data: Any) -> None:
        """State that the asker went away."""
        self._state(Outcome.ABORTED, data, cause)

    def __enter__(self) -> Self:
        self._started = time.perf_counter()
        self.id, self._seq, self._instance = self._client.open_question(self._text, self._fields, self._data)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None and self._outcome in (None, Outcome.ANSWERED):
            self._outcome = _outcome_of(kind)
            if self._outcome is not Outcome.ABORTED:
                self._end = {**self._end, "cause": kind.__name__}
        end = {
            "latency_ms": round((time.perf_counter() - self._started) * 1000),
            **self._end,
            "outcome": (self._outcome or Outcome.ANSWERED).value,
        }
        instance, self._instance = self._instance, None
        if instance is not None:
            self._client.close_question(instance, self._seq, end)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def _state(self, outcome: Outcome, data: dict[str, Any], cause: str = "") -> None:
        self._outcome = outcome
        self._end = {**data, "cause": cause} if cause else data


def _outcome_of(kind: type[BaseException]) -> Outcome:
    """Return the outcome an exception's type stands for. Names are compared, so that nothing is imported."""
    names = {base.__name__ for base in kind.__mro__}
    if names & _GONE:
        return Outcome.ABORTED
    return Outcome.TIMEOUT if names & _LATE else Outcome.ERROR
