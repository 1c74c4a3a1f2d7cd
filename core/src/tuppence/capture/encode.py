"""Turns whatever an application hands in into bytes, in bounded time, without running its code.

The common case, a flat mapping of plain values, is encoded as it is. Anything else is first copied into plain
values: bounded in depth, items and length; strangers named by their type. No `__str__`, `__repr__`,
`__iter__` or property of the application's is called.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from enum import Enum
from itertools import islice
from typing import Any, Final

import msgspec

from tuppence.event import MAX_DEPTH, MAX_EVENT_BYTES, MAX_KEYS, MAX_NAME, MAX_TEXT
from tuppence.redact import may_identify, pseudonym, redact, shortened

_SHORTER: Final = (200, 20)
"""Characters kept of each string when an event is over its limit with longer ones."""
_MAX_ITEMS: Final = 512
"""Values copied of one event, at all levels together."""
_PLAIN: Final = frozenset({int, float, bool, type(None)})
_BITS: Final = 63
_REMEMBERED: Final = 4_096
"""Names kept; a busy application sees the same people again within a few thousand events."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


class TooLarge(Exception):  # noqa: N818 - internal: the call is refused and counted
    """An event that is over its limit however much is cut."""


def encode_data(data: dict[str, Any], *, redacted: bool) -> bytes:
    """Return the values of an event as MessagePack, redacted where asked. Raises `TooLarge`."""
    encoded = _encode_plain(data)
    if len(encoded) > MAX_EVENT_BYTES:
        encoded = _cut(encoded)
    if redacted and may_identify(encoded):
        encoded = _encode(redact(_decode(encoded)))
    return encoded


def _cut(encoded: bytes) -> bytes:
    """Return encoded data with its texts cut until it is within the limit."""
    for longest in _SHORTER:
        encoded = _encode(_Copy(longest).of(_decode(encoded), 0))
        if len(encoded) <= MAX_EVENT_BYTES:
            return encoded
    raise TooLarge


class Names:
    """Turns users, sessions and sources into bounded strings, and remembers those it met."""

    def __init__(self, *, redacted: bool) -> None:
        self._redacted = redacted
        self._known: dict[str, str] = {}

    def __call__(self, value: Any) -> str | None:
        """Return the name to record; strangers are named by their type, the empty name is none."""
        if type(value) is str:
            known = self._known.get(value)
            if known is not None:
                return known
        text = self._checked(value)
        if type(value) is str and len(value) <= MAX_NAME:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[value] = text
        return text or None

    def _checked(self, value: Any) -> str:
        plain = _Copy(MAX_TEXT).of(value, 0)
        text = plain if type(plain) is str else f"{plain}"
        return shortened(pseudonym(text) if self._redacted else text, MAX_NAME)


def _encode_plain(data: dict[str, Any]) -> bytes:
    if len(data) <= MAX_KEYS:
        for key, value in data.items():
            kind = type(value)
            if kind is str:
                if len(value) > MAX_TEXT:
                    break
            elif kind not in _PLAIN:
                break
            if type(key) is not str or len(key) > MAX_NAME:
                break
        else:
            try:
                return _encode(data)
            except (UnicodeError, OverflowError, msgspec.MsgspecError, ValueError):
                pass
    return _encode(_Copy(MAX_TEXT).of(data, 0))


class _Copy:
    """One bounded copy of a value from outside, made of plain values only."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._left = _MAX_ITEMS

    def of(self, value: Any, depth: int) -> Any:
        """Return the copy of `value`, which lies `depth` levels deep."""
        self._left -= 1
        kind = type(value)
        if value is None or kind is bool:
            return value
        if issubclass(kind, Enum):
            return self.of(object.__getattribute__(value, "_value_"), depth)
        for base, convert in self._CONVERSIONS:
            if issubclass(kind, base):
                return convert(self, value, depth)
        if (kind.__module__, kind.__name__) in _WRITTEN:
            return str(value)
        if kind.__module__ == "numpy" and hasattr(kind, "item") and depth <= MAX_DEPTH:
            return self._scalar(value, depth)
        return f"<{kind.__name__[:MAX_NAME]}>"

    def _text(self, value: str, _: int) -> str:
        return _cleaned(value, self._longest)

    def _whole(self, value: int, _: int) -> int | str:
        plain = int.__add__(value, 0)
        bits = plain.bit_length()
        return plain if bits <= _BITS else f"<whole number of {bits} bits>"

    def _real(self, value: float, _: int) -> float:
        return float.__add__(value, 0.0)

    def _binary(self, value: bytes, _: int) -> str:
        return f"<{len(value)} bytes>"

    def _mapping(self, value: dict[Any, Any], depth: int) -> dict[str, Any] | str:
        if depth >= MAX_DEPTH:
            return "<nested too deeply>"
        copy: dict[str, Any] = {}
        for key, inner in islice(
            list(dict.items(value)) if len(value) <= _MAX_ITEMS else _head(value), MAX_KEYS
        ):
            if self._left <= 0:
                break
            copy[self._key(key)] = self.of(inner, depth + 1)
        return copy

    def _key(self, key: Any) -> str:
        plain = self.of(key, MAX_DEPTH)
        return _cleaned(plain if type(plain) is str else f"{plain}", MAX_NAME)

    def _items(self, value: Any, depth: int) -> list[Any] | str:
        if depth >= MAX_DEPTH:
            return "<nested too deeply>"
        iterate = next(
            base.__iter__ for base in (list, tuple, set, frozenset) if issubclass(type(value), base)
        )
        copy: list[Any] = []
        for inner in islice(iterate(value), MAX_KEYS):
            if self._left <= 0:
                break
            copy.append(self.of(inner, depth + 1))
        return copy

    def _moment(self, value: Any, _: int) -> str:
        if type(value) is dt.datetime and type(value.tzinfo) not in (type(None), dt.timezone):
            value = dt.datetime.replace(value, tzinfo=None)  # another's tzinfo is another's code
        return str(type(value).isoformat(value)) if type(value) in _MOMENTS else f"<{type(value).__name__}>"

    def _scalar(self, value: Any, depth: int) -> Any:
        """Return a NumPy number as Python's own; NumPy's `item` is no code of the application's."""
        if getattr(value, "ndim", 1):
            return f"<{type(value).__name__}>"
        return self.of(value.item(), depth + 1)

    _CONVERSIONS: Final[tuple[tuple[Any, Callable[..., Any]], ...]] = (
        (str, _text),
        (int, _whole),
        (float, _real),
        (dict, _mapping),
        ((list, tuple, set, frozenset), _items),
        ((bytes, bytearray), _binary),
        ((dt.date, dt.time), _moment),
    )


_WRITTEN: Final = frozenset({("decimal", "Decimal"), ("uuid", "UUID"), ("pathlib", "PosixPath")})
"""Types of the standard library that are what they print, named here so as not to import them."""
_MOMENTS: Final = (dt.datetime, dt.date, dt.time)


def _head(value: dict[Any, Any]) -> list[tuple[Any, Any]]:
    """Return the first items of a large dict without copying it all."""
    return list(islice(dict.items(value), MAX_KEYS))


def _cleaned(text: str, longest: int) -> str:
    """Return a plain string of at most `longest` characters that UTF-8 has a form for."""
    short = str.__len__(text) <= longest
    plain = str.__getitem__(text, slice(None) if short else slice(longest - 1))
    if not short:
        plain += "…"
    if not plain.isascii():
        plain = plain.encode("utf-8", "replace").decode("utf-8")
    return plain
