"""A question on its way to an outcome. Every way out of the `with` block gives it exactly one."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from tuppence.capture.outcome import departure
from tuppence.event import Outcome

if TYPE_CHECKING:
    from tuppence.capture.client import Client
    from tuppence.capture.instance import Instance


class Question:
    """What `Client.question()` returns; use it with `with` or `async with`.

    Leaving the block without stating an outcome means `answered`. An exception that leaves it means `error`,
    `timeout`, `rate_limited` or, where the caller went away, `aborted`. An outcome stated before stands, but
    for `answered` followed by an error. A process that dies inside the block leaves `aborted`.

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
        if kind is not None:
            self._leave_by(kind, error)
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

    def _leave_by(self, kind: type[BaseException], error: BaseException | None) -> None:
        """Let an exception that leaves the block have its say, where what was stated does not stand."""
        if self._outcome not in (None, Outcome.ANSWERED):
            return
        left = departure(kind, error)
        if left.outcome is Outcome.ABORTED:
            self._outcome = self._outcome or Outcome.ABORTED
            return
        self._outcome = left.outcome
        self._end = {**self._end, "cause": left.cause}

    def _state(self, outcome: Outcome, data: dict[str, Any], cause: str = "") -> None:
        self._outcome = outcome
        self._end = {**data, "cause": cause} if cause else data
