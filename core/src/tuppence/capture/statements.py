"""What an application states of a question or an answer, checked, so that the report can read it.

A value the report could not read is left out, and the rest of the event stands. No code of the application's
runs: only types are looked at, and values turned into plain ones as everything that is captured.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from typing import Any, Final

from tuppence.capture.encode import plain
from tuppence.event import MAX_KEYS, MAX_NUMBER

_DECIMAL: Final = ("decimal", "Decimal")
"""What a database such as DynamoDB returns for a number, named here so as not to import it."""
_NAMES: Final = (list, tuple, set, frozenset)


class WrongValueError(ValueError):
    """A value that the report cannot read; its argument is what of the value can be recorded."""


def gather(
    data: dict[str, Any],
    model: Any,
    input_tokens: Any,
    output_tokens: Any,
    score: Any,
    sources: Any,
) -> list[str]:
    """Add what an outcome's method was told to the data beside it; returns as `check`.

    The usual case, the right types and no more, is told apart here, since every answer comes this way.
    """
    usual = not data
    if model is not None:
        data["model"] = model
        usual = usual and type(model) is str
    if input_tokens is not None:
        data["input_tokens"] = input_tokens
        usual = usual and type(input_tokens) is int and 0 <= input_tokens <= MAX_NUMBER
    if output_tokens is not None:
        data["output_tokens"] = output_tokens
        usual = usual and type(output_tokens) is int and 0 <= output_tokens <= MAX_NUMBER
    if score is not None:
        data["score"] = score
        usual = usual and type(score) is float and 0 <= score <= 1
    if sources is not None:
        data["sources"] = sources
        usual = usual and type(sources) is list and _are_names(sources)
    return [] if usual else check(data)


def check(data: dict[str, Any]) -> list[str]:
    """Mend what is stated of a question, in place, and take out what cannot be recorded.

    Returns:
        The names of what was taken out, in whole or in part; an empty list where all is well.

    """
    wrong: list[str] = []
    for key in [key for key in data if key in _CHECKS]:
        value = data.pop(key)
        try:
            mended = None if value is None else _CHECKS[key](value)
        except Exception as error:  # noqa: BLE001 - nothing an application hands in may raise here
            wrong.append(key)
            mended = error.args[0] if type(error) is WrongValueError and error.args else None
        if mended is not None:
            data[key] = mended
    return wrong


def rate(data: dict[str, Any], question: Any, useful: Any) -> list[str]:
    """Add to the data of feedback which question it is about and what it says. Returns as `check`."""
    if type(question) is str and question and type(useful) is bool:
        data["question"], data["useful"] = question, useful
        return []
    wrong: list[str] = []
    for key, value in (("question", question), ("useful", useful)):
        try:
            data[key] = _RATINGS[key](value)
        except Exception:  # noqa: BLE001 - nothing an application hands in may raise here
            data.pop(key, None)
            wrong.append(key)
    return wrong


def _text(value: Any) -> str:
    if type(value) is str:
        return value
    if issubclass(type(value), (str, Enum)):
        text = plain(value)
        if type(text) is str:
            return text
    raise WrongValueError


def _within(most: float) -> Callable[[Any], float]:
    """Return the check of a number from 0 to `most`."""

    def number(value: Any) -> float:
        found = _number(value)
        if 0 <= found <= most:  # which nothing is that is no number
            return found
        raise WrongValueError

    return number


def _number(value: Any) -> float:
    kind = type(value)
    number: Any = value if kind is int or kind is float else plain(value)
    if (kind.__module__, kind.__name__) == _DECIMAL:
        with suppress(ValueError):
            number = float(number)
    if type(number) is not int and type(number) is not float:
        raise WrongValueError
    plain_number: float = number
    return plain_number


def _names(value: Any) -> list[str]:
    kind = type(value)
    if kind is list and _are_names(value):
        names: list[str] = value
        return names
    if issubclass(kind, (str, Enum)):
        return [_text(value)]
    if not issubclass(kind, _NAMES):
        raise WrongValueError
    items = plain(value)[:MAX_KEYS] if kind is not list else value[:MAX_KEYS]
    found = [item if type(item) is str else _named(item) for item in items]
    right = [name for name in found if name is not None]
    if len(right) < len(found):
        raise WrongValueError(right or None)
    return right


def _are_names(value: list[Any]) -> bool:
    return len(value) <= MAX_KEYS and _TEXT.issuperset(map(type, value))


def _named(value: Any) -> str | None:
    if type(value) is int:
        return str(plain(value))
    try:
        return _text(value)
    except WrongValueError:
        return None


def _truth(value: Any) -> bool:
    """Return true or false; 1 and 0 mean the same. Raises `WrongValueError` for anything else."""
    if type(value) is bool:
        return value
    bit = plain(value)
    if type(bit) not in (bool, int) or bit not in (0, 1):
        raise WrongValueError
    return bool(bit)


def _cause(value: Any) -> str:
    """Return a cause: a string, a number such as an HTTP status, or the name of an exception's class."""
    kind = type(value)
    if issubclass(kind, BaseException):
        return kind.__name__
    if issubclass(kind, type) and issubclass(value, BaseException):
        return str(type.__dict__["__name__"].__get__(value))
    return str(plain(value)) if kind is int else _text(value)


def _identity(value: Any) -> str:
    """Return the id of a question as feedback names it. Raises `WrongValueError` where it is none."""
    text = str(plain(value)) if type(value) is int else _text(value)
    if not text:
        raise WrongValueError
    return text


def _never(_: Any) -> None:
    raise WrongValueError


_MOST: Final = {"input_tokens": MAX_NUMBER, "output_tokens": MAX_NUMBER, "latency_ms": MAX_NUMBER, "score": 1}
_TEXT: Final = frozenset({str})
_CHECKS: Final[dict[str, Callable[[Any], Any]]] = {
    "model": _text,
    **{name: _within(most) for name, most in _MOST.items()},
    "sources": _names,
    "useful": _truth,
    "cause": _cause,
    "outcome": _never,
    "text": _never,
}
_RATINGS: Final[dict[str, Callable[[Any], Any]]] = {"question": _identity, "useful": _truth}
