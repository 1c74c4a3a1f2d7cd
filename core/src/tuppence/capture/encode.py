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

from tuppence.capture.misuse import MisuseWarnings
from tuppence.event import MAX_DEPTH, MAX_EVENT_BYTES, MAX_KEYS, MAX_NAME, MAX_TEXT
from tuppence.redact import may_identify, pseudonym, redact, redact_text, shortened

_SHORTER: Final = (200, 20)
"""Characters kept of each string when an event is over its limit with longer ones."""
_MAX_ITEMS: Final = 512
"""Values copied of one event, at all levels together."""
_PLAIN: Final = frozenset({float, bool, type(None)})
_TEXT: Final = frozenset({str})
_LEAST: Final = -(2**63)
_LARGEST: Final = 2**64 - 1
"""What MessagePack has a form for."""
_BITS: Final = 63
_REMEMBERED: Final = 4_096
"""Names kept; a busy application sees the same people again within a few thousand events."""
_SHORT: Final = 32
"""Characters of a text that may come again, such as the name of a model or a plan."""
_FEW: Final = 512
"""Such texts kept."""

_encode = msgspec.msgpack.Encoder().encode


class TooLarge(Exception):  # noqa: N818 - internal: the call is refused and counted
    """An event that is over its limit however much is cut."""


class Cleaner:
    """Makes what an application hands in fit to be encoded.

    Args:
        redacted: whether what identifies people is replaced.
        misuse: where to warn of keywords that look misspelt.

    Attributes:
        names: those met before, as they are recorded; the empty one is none. Look here before calling `name`.

    """

    def __init__(self, *, redacted: bool, misuse: MisuseWarnings | None = None) -> None:
        self._redacted = redacted
        self._misuse = misuse
        self._suspicious = may_identify if redacted else _beyond_ascii
        self.names: dict[str, str] = {}
        self._harmless: set[str] = set()
        self._shapes: set[tuple[str, ...]] = set()

    def name(self, value: Any) -> str | None:
        """Return the name to record; strangers are named by their type, the empty name is none."""
        name = self._named(value)
        if type(value) is str and len(value) <= MAX_NAME:
            if len(self.names) >= _REMEMBERED:
                self.names.clear()
            self.names[value] = name
        return name or None

    def settled(self, data: dict[str, Any]) -> dict[str, Any]:  # noqa: C901 - in every call: one walk, no calls
        """Return data fit to be encoded, the same where it is flat and small. Raises `TooLarge`.

        What was handed in is changed: it is the keywords of a call.
        """
        shape = tuple(data)
        if shape not in self._shapes and not self._takes(shape):
            return self._copied(data)
        harmless, suspicious = self._harmless, self._suspicious
        left = MAX_TEXT
        for key, value in data.items():
            kind = type(value)
            if kind is str:
                if value in harmless:
                    continue
                left -= len(value)
                if left < 0:
                    return self._copied(data)
                if suspicious(value):
                    data[key] = self._text(value)
                elif len(value) <= _SHORT:
                    self._remember(value)
            elif kind is int:
                if value >> _BITS and not _LEAST <= value <= _LARGEST:
                    return self._copied(data)
            elif kind is list:
                texts = self._texts(value, left)
                if texts is None:
                    return self._copied(data)
                data[key] = texts
                left -= sum(map(len, texts))
            elif kind not in _PLAIN:
                return self._copied(data)
        return data

    def _takes(self, shape: tuple[Any, ...]) -> bool:
        """Whether these keys are few, short and plain. Calls of one place have the same, so they are kept."""
        fits = len(shape) <= MAX_KEYS and all(
            type(key) is str and len(key) <= MAX_NAME and key.isascii() for key in shape
        )
        if fits:
            if len(self._shapes) >= _FEW:
                self._shapes.clear()
            self._shapes.add(shape)
            if self._misuse is not None:
                self._misuse.check_names(shape)
        return fits

    def _named(self, value: Any) -> str:
        copy = plain(value) if type(value) is not str or not value.isascii() else value
        text = copy if type(copy) is str else f"{copy}"
        if self._redacted and may_identify(text):
            text = pseudonym(text)
        return shortened(text, MAX_NAME)

    def _texts(self, value: list[Any], most: int) -> list[str] | None:
        """Return texts redacted; `None` where there is anything else, or more than `most` characters."""
        items = value[: MAX_KEYS + 1]  # a copy, since another thread may change the list
        if len(items) > MAX_KEYS or not _TEXT.issuperset(map(type, items)) or sum(map(len, items)) > most:
            return None
        return [item if item in self._harmless else self._text(item) for item in items]

    def _text(self, value: str) -> str:
        """Return a text redacted, and such that UTF-8 has a form for it."""
        clean = value if value.isascii() else _cleaned(value, MAX_TEXT)
        if self._redacted and may_identify(clean):
            clean = redact_text(clean)
        if clean == value:
            self._remember(value)
        return clean

    def _remember(self, value: str) -> None:
        """Keep a text that is harmless, if it is short: such ones come again and again."""
        if len(value) <= _SHORT:
            if len(self._harmless) >= _FEW:
                self._harmless.clear()
            self._harmless.add(value)

    def _copied(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return a copy of data of any kind: plain, within its limits, redacted. Raises `TooLarge`."""
        copy = _Copy(MAX_TEXT).of(data, 0)
        for longest in _SHORTER:
            if len(_encode(copy)) <= MAX_EVENT_BYTES:
                break
            copy = _Copy(longest).of(copy, 0)
        if len(_encode(copy)) > MAX_EVENT_BYTES:
            raise TooLarge
        safe: dict[str, Any] = redact(copy) if self._redacted else copy
        return safe


def plain(value: Any) -> Any:
    """Return a bounded copy of a value made of plain values only; a stranger is named by its type."""
    return _Copy(MAX_TEXT).of(value, 0)


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


def _beyond_ascii(text: str) -> bool:
    """Whether a text has to be looked at closely even where nothing is redacted."""
    return not text.isascii()


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
