"""What makes a method take whatever it is called with, and raise nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, Protocol, TypeVar

_KEYWORDS: Final = 0x08
"""The flag of code that takes any keywords: `inspect.CO_VARKEYWORDS`, without loading `inspect`."""
MAX_TIMEOUT_S: Final = 3_600.0
"""What a call waits at most, whatever is asked for."""

P = ParamSpec("P")
R = TypeVar("R")


class _Noting(Protocol):
    def note_misfit(self, method: str) -> None:
        """Count that a method was called with arguments that do not fit it."""

    def note_failure(self, method: str, error: Exception) -> None:
        """Warn that a method failed."""


Owner = TypeVar("Owner", bound=_Noting)


def never_raises(
    method: Callable[Concatenate[Owner, P], R],
) -> Callable[Concatenate[Owner, P], R]:
    """Make a method take any arguments, so that a wrong call does not fail in the application.

    What does not fit its signature is left out, what is missing is `None`, and the owner notes it. Type
    checkers see the signature as it is written.
    """
    loosely: Callable[..., R] = method
    code = method.__code__
    positional = code.co_varnames[1 : code.co_argcount]
    named = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    optional = {
        *positional[len(positional) - len(method.__defaults__ or ()) :],
        *(method.__kwdefaults__ or {}),
    }
    accepted = (*positional, *named)
    required = [name for name in accepted if name not in optional]
    takes_all = bool(code.co_flags & _KEYWORDS)

    def fitting(args: Sequence[Any], keywords: Mapping[str, Any]) -> dict[str, Any]:
        known = {name: keywords[name] for name in keywords if takes_all or name in accepted}
        return {**dict.fromkeys(required), **known, **dict(zip(positional, args, strict=False))}

    @wraps(method)
    def call(self: Owner, /, *args: P.args, **keywords: P.kwargs) -> R:
        try:
            return method(self, *args, **keywords)
        except TypeError as error:
            if error.__traceback__ is None or error.__traceback__.tb_next is not None:
                raise  # it comes from within the method, which has run
        self.note_misfit(method.__name__)
        return loosely(self, **fitting(args, keywords))

    return call


def returns_on_failure(
    value: R,
) -> Callable[[Callable[Concatenate[Owner, P], R]], Callable[Concatenate[Owner, P], R]]:
    """Make a method return `value` where anything fails inside it, and the owner note it."""

    def decorate(method: Callable[Concatenate[Owner, P], R]) -> Callable[Concatenate[Owner, P], R]:
        @wraps(method)
        def call(self: Owner, /, *args: P.args, **keywords: P.kwargs) -> R:
            try:
                return method(self, *args, **keywords)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is not the application's
                self.note_failure(method.__name__, error)
                return value

        return call

    return decorate


def bounded_timeout(timeout: Any, default: float) -> float:
    """Return a timeout as it can be waited for, in seconds: `default` for what is no number."""
    kind = type(timeout)
    if (kind is int or kind is float) and timeout == timeout:  # noqa: PLR0124 - NaN is not
        return float(min(max(timeout, 0), MAX_TIMEOUT_S))
    return default
