"""A question on its way to an outcome. Every way out of the `with` block gives it exactly one."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Never, Self

from tuppence.capture import misuse, statements
from tuppence.capture.outcome import Departure, departure
from tuppence.capture.signature import never_raises
from tuppence.event import Outcome

if TYPE_CHECKING:
    from tuppence.capture.client import Client
    from tuppence.capture.instance import Instance

_Facts = tuple[str | None, int | None, int | None, float | None, Sequence[str] | None]
"""Model, tokens read and written, score and sources; `None` where nothing was said."""


_ANSWERED: Final = Outcome.ANSWERED.value
"""As plain text: to look an outcome up in its enumeration takes a tenth of what a whole question does."""


class Question:
    """What `Client.question()` returns; use it with `with` or `async with`.

    Leaving the block without stating an outcome means `answered`. An exception that leaves it means `error`,
    `timeout`, `rate_limited` or, where the caller went away, `aborted`. An outcome stated before stands, but
    for `answered` followed by an error. A process that dies inside the block leaves `aborted`.

    Every method that states an outcome takes the same: `model`, what answered or tried to; `input_tokens` and
    `output_tokens`, what it used; `score`, how sure the search was, from 0 to 1; `sources`, the names of what
    the answer rests on; and anything else under a name of your own. Those of an outcome other than `answered`
    take a `cause`, too: why, in a word or two. Of several statements the last one's outcome counts, and what
    the others said is kept. None of them raises, whatever it is called with.

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
        self._outcome = ""
        self._stated: dict[str, Any] = {}
        self._cause = ""
        self._left_by: Departure | None = None
        self._seq = 0
        self._open = False
        self._instance: Instance | None = None
        self._started = 0.0
        self._latency_ms: int | None = None

    def answered(
        self,
        /,
        *surplus: Never,  # an error to type checkers, left out at run time
        model: str | None = None,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        score: float | None = None,
        sources: Sequence[str] | None = None,
        **data: Any,
    ) -> None:
        """State that an answer was given."""
        if surplus:
            self.note_misfit("answered")
        self._state(_ANSWERED, None, (model, input_tokens, output_tokens, score, sources), data)

    @never_raises
    def no_match(
        self,
        /,
        cause: str | BaseException = "",
        *,
        model: str | None = None,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        score: float | None = None,
        sources: Sequence[str] | None = None,
        **data: Any,
    ) -> None:
        """State that nothing was found to answer with."""
        self._state(Outcome.NO_MATCH.value, cause, (model, input_tokens, output_tokens, score, sources), data)

    @never_raises
    def refused(
        self,
        /,
        cause: str | BaseException = "",
        *,
        model: str | None = None,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        score: float | None = None,
        sources: Sequence[str] | None = None,
        **data: Any,
    ) -> None:
        """State that a rule forbade an answer; `cause` names the rule."""
        self._state(Outcome.REFUSED.value, cause, (model, input_tokens, output_tokens, score, sources), data)

    @never_raises
    def error(
        self,
        /,
        cause: str | BaseException = "",
        *,
        model: str | None = None,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        score: float | None = None,
        sources: Sequence[str] | None = None,
        **data: Any,
    ) -> None:
        """State that something broke; `cause` says what, and may be the exception."""
        self._state(Outcome.ERROR.value, cause, (model, input_tokens, output_tokens, score, sources), data)

    @never_raises
    def timeout(
        self,
        /,
        cause: str | BaseException = "",
        *,
        model: str | None = None,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        score: float | None = None,
        sources: Sequence[str] | None = None,
        **data: Any,
    ) -> None:
        """State that it took too long."""
        self._state(Outcome.TIMEOUT.value, cause, (model, input_tokens, output_tokens, score, sources), data)

    @never_raises
    def rate_limited(
        self,
        /,
        cause: str | BaseException = "",
        *,
        model: str | None = None,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        score: float | None = None,
        sources: Sequence[str] | None = None,
        **data: Any,
    ) -> None:
        """State that too much was asked."""
        self._state(
            Outcome.RATE_LIMITED.value, cause, (model, input_tokens, output_tokens, score, sources), data
        )

    @never_raises
    def invalid(
        self,
        /,
        cause: str | BaseException = "",
        *,
        model: str | None = None,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        score: float | None = None,
        sources: Sequence[str] | None = None,
        **data: Any,
    ) -> None:
        """State that the question could not be understood as one."""
        self._state(Outcome.INVALID.value, cause, (model, input_tokens, output_tokens, score, sources), data)

    @never_raises
    def aborted(
        self,
        /,
        cause: str | BaseException = "",
        *,
        model: str | None = None,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        score: float | None = None,
        sources: Sequence[str] | None = None,
        **data: Any,
    ) -> None:
        """State that the asker went away."""
        self._state(Outcome.ABORTED.value, cause, (model, input_tokens, output_tokens, score, sources), data)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> Never:
        raise TypeError(
            "a question ends in the process that asked it and cannot be pickled; hand over its `id`, which "
            "`Client.feedback` takes in any process"
        )

    def __enter__(self) -> Self:
        if self._open:
            self._client.ignore(misuse.ENTERED_TWICE)
            return self
        if self._latency_ms is not None:
            self._outcome, self._stated, self._cause, self._left_by = "", {}, "", None
            self._latency_ms = None
        self._open = True
        self._started = time.perf_counter()
        wrong = statements.check(self._data)
        self.id, self._seq, self._instance = self._client.open_question(self._text, self._fields, self._data)
        if wrong:
            self._note_wrong(wrong)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._open:
            return
        self._open = False
        if kind is not None:
            self._left_by = _departure(kind, error)
        self._latency_ms = round((time.perf_counter() - self._started) * 1000)
        if self._instance is not None:
            self._client.close_question(self._instance, self._seq, self._end())

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def note_misfit(self, method: str) -> None:
        """Count that a method was called with arguments that do not fit it."""
        self._client.note_misfit(f"question.{method}")

    def note_failure(self, method: str, error: Exception) -> None:
        """Warn that a method failed."""
        self._client.note_failure(f"question.{method}", error)

    def _state(self, outcome: str, cause: Any, facts: _Facts, data: dict[str, Any]) -> None:
        if cause is not None:
            data["cause"] = cause
        wrong = statements.gather(data, *facts)
        self._outcome, self._cause = outcome, data.pop("cause", "")
        self._stated = {**self._stated, **data} if self._stated else data
        if wrong:
            self._note_wrong(wrong)
        if self._latency_ms is not None:
            self._state_late(outcome)
        elif not self._started:
            self._client.warn(misuse.early(outcome))

    def _state_late(self, outcome: str) -> None:
        """Amend a question whose block has ended."""
        if self._instance is not None:
            self._client.warn(misuse.late(outcome))
            self._client.amend_question(self._instance, self._seq, self._end())

    def _note_wrong(self, names: Sequence[str]) -> None:
        if self._seq or not self._started:
            for name in names:
                self._client.ignore(misuse.wrong_value(name))

    def _end(self) -> dict[str, Any]:
        """Return how the question ended, by what was stated and how its block was left."""
        outcome, cause, left = self._outcome or _ANSWERED, self._cause, self._left_by
        if left is not None and outcome == _ANSWERED:
            if left.outcome is not Outcome.ABORTED:
                outcome, cause = left.outcome.value, left.cause
            elif not self._outcome:
                outcome = Outcome.ABORTED.value
        end = {"latency_ms": self._latency_ms, **self._stated, "outcome": outcome}
        if cause:
            end["cause"] = cause
        return end


def _departure(kind: type[BaseException], error: BaseException | None) -> Departure:
    try:
        return departure(kind, error)
    except Exception:  # noqa: BLE001 - a class that runs code of its own when it is looked at
        return Departure(Outcome.ERROR, "")
