"""The outcome that an exception stands for. Names of classes are compared, so that nothing is imported."""

from __future__ import annotations

from typing import Final, NamedTuple

from tuppence.event import Outcome

_NAMES: Final[tuple[tuple[Outcome, frozenset[str]], ...]] = (
    (
        Outcome.ABORTED,
        frozenset({"CancelledError", "GeneratorExit", "KeyboardInterrupt", "SystemExit", "ClientDisconnect"}),
    ),
    (
        Outcome.RATE_LIMITED,
        frozenset({"RateLimitError", "TooManyRequests", "TooManyRequestsError", "ThrottlingException"}),
    ),
    (
        Outcome.TIMEOUT,
        frozenset(
            {
                "TimeoutError",
                "Timeout",
                "TimeoutException",
                "ReadTimeout",
                "ReadTimeoutError",
                "ConnectTimeout",
                "ConnectTimeoutError",
                "APITimeoutError",
                "DeadlineExceeded",
            }
        ),
    ),
)
"""Outcomes by the names of exception classes, of Python and of the libraries that chatbots and APIs call."""
_SEVERITY: Final = (Outcome.ERROR, Outcome.TIMEOUT, Outcome.RATE_LIMITED, Outcome.ABORTED)
"""Which outcome a group of exceptions has: the first of these that any of its leaves has."""
_MAX_LEAVES: Final = 256
"""Exceptions of a group that are looked at, nested groups included; bounds the time of a call."""


class Departure(NamedTuple):
    """How an exception that left a block ended the question: an outcome, and the name of its class."""

    outcome: Outcome
    cause: str


def departure(kind: type[BaseException], error: BaseException | None = None) -> Departure:
    """Return what an exception that leaves a block says of the question.

    A group is judged by its leaves: by the most severe among them, an error before a timeout before a rate
    limit before a cancellation.

    Args:
        kind: the exception's class.
        error: the exception; without it a group cannot be looked into.

    """
    found: dict[Outcome, str] = {}
    for leaf in _leaves(error) if issubclass(type(error), BaseExceptionGroup) else [kind]:
        found.setdefault(_outcome_of(leaf), leaf.__name__)
    outcome = next(one for one in _SEVERITY if one in found)
    return Departure(outcome, found[outcome])


def _leaves(group: BaseException | None) -> list[type[BaseException]]:
    """Return the classes of the exceptions in a group and in the groups within it, in order."""
    leaves: list[type[BaseException]] = []
    waiting: list[object] = [group]
    for _ in range(_MAX_LEAVES):
        if not waiting:
            break
        error = waiting.pop()
        kind = type(error)
        if issubclass(kind, BaseExceptionGroup):
            waiting.extend(reversed(_exceptions_of(error)[:_MAX_LEAVES]))
        elif issubclass(kind, BaseException):
            leaves.append(kind)
    return leaves or [BaseExceptionGroup]


_exceptions_of: Final = BaseExceptionGroup.__dict__["exceptions"].__get__
"""Reads the attribute as the interpreter has it: a subclass may have a property of that name."""


def _outcome_of(kind: type[BaseException]) -> Outcome:
    names = {base.__name__ for base in kind.__mro__}
    return next((outcome for outcome, known in _NAMES if names & known), Outcome.ERROR)
