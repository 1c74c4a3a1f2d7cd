"""The event: its fields, its limits, and how one from outside is checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import msgspec

from tuppence.errors import InvalidEvent


class Outcome(StrEnum):
    """How a question ended. Every exit path has exactly one."""

    ANSWERED = "answered"
    NO_MATCH = "no_match"
    REFUSED = "refused"
    ERROR = "error"
    TIMEOUT = "timeout"
    RATE_LIMITED = "rate_limited"
    INVALID = "invalid"
    ABORTED = "aborted"


QUESTION: Final = "question"
FEEDBACK: Final = "feedback"
REQUEST: Final = "request"

MAX_EVENT_BYTES: Final = 16 * 1024
"""One event, encoded. Bounds the time that redaction may take inside a call, too."""
MAX_TEXT: Final = 4_000
"""Characters of one string inside `data`; longer ones are cut and end in an ellipsis."""
MAX_NAME: Final = 200
"""Characters of `id`, `type`, `source`, `user`, `session` and of a key in `data`."""
MAX_KEYS: Final = 64
"""Keys of one mapping, or items of one list, inside `data`."""
MAX_DEPTH: Final = 6
"""Levels of nesting inside `data`."""
MAX_NUMBER: Final = 2**40
"""Tokens or milliseconds of one event. More is nonsense, and sums of such would outgrow 64 bits in time."""

EARLIEST_MS: Final = 0
LATEST_MS: Final = 253_370_764_799_999
"""9998-12-31T23:59:59.999Z: a year before datetimes end, so that every zone and the day after have one."""


class Event(msgspec.Struct, gc=False):
    """One thing that happened.

    Attributes:
        time: when, in milliseconds since 1970 UTC; finer digits are cut.
        type: `question`, `feedback`, `request` or a name of the application's own.
        seq: number within its instance, from 1; 0 for events from outside.
        id: identity given from outside; `None` for captured events, whose identity is `(instance, seq)`.
        source: the channel it came through, such as `web`.
        user: who, as the application names them, or a pseudonym.
        session: the conversation it belongs to.
        data: everything else; `None` values are left out.

    """

    time: int
    type: str
    seq: int = 0
    id: str | None = None
    source: str | None = None
    user: str | None = None
    session: str | None = None
    data: dict[str, Any] = {}


def parse_event(line: bytes | str | Mapping[str, Any]) -> Event:
    """Return the event that one JSON object from outside describes.

    Args:
        line: the JSON text, or the object already decoded. `time` (RFC 3339 with an offset) and `type` are
            required; `id`, `source`, `user`, `session` and `data` are optional; other keys are refused, but
            for those of CloudEvents where there is a `specversion`.

    Raises:
        InvalidEvent: with the reason.

    """
    if isinstance(line, Mapping):
        raw: Any = line
    else:
        if len(line) > MAX_EVENT_BYTES:
            raise InvalidEvent(f"larger than {MAX_EVENT_BYTES} bytes")
        raw = decode_json(line)
    if not isinstance(raw, Mapping):
        raise InvalidEvent("not a JSON object")
    data = raw.get("data")
    if data is not None and not isinstance(data, Mapping):
        raise InvalidEvent("`data` is not an object")
    unknown = sorted(set(raw) - _FIELDS)
    if unknown:
        if "specversion" not in raw:
            raise InvalidEvent(f"unknown key {unknown[0]!r}; your own values belong inside `data`")
        data = _attributes(raw, unknown) | {**(data or {})}
    kind = _name(raw, "type")
    if kind is None:
        raise InvalidEvent("no `type`")
    event = Event(
        time=parse_time(raw.get("time")),
        type=kind,
        id=_name(raw, "id"),
        source=_name(raw, "source"),
        user=_name(raw, "user"),
        session=_name(raw, "session"),
        data={str(key): value for key, value in (data or {}).items() if value is not None},
    )
    _check_data(event)
    return event


def decode_json(text: bytes | str) -> Any:
    r"""Return what a JSON text says. Half of a surrogate pair, such as `\ud83d` alone, becomes U+FFFD.

    JavaScript writes such a half where a string was cut inside an emoji; RFC 8259, section 8.2, allows it.

    Raises:
        InvalidEvent: with the reason.

    """
    try:
        return msgspec.json.decode(text)
    except UnicodeError:
        raise InvalidEvent("not UTF-8") from None
    except RecursionError:
        raise InvalidEvent("not valid JSON: nested too deeply") from None
    except msgspec.DecodeError as error:
        halves = _HALF_PAIR.search(text if isinstance(text, bytes) else text.encode())
        whole = _mended(text) if halves else None
        if whole is None:
            raise InvalidEvent(f"not valid JSON: {error}") from None
        return whole


def _mended(text: bytes | str) -> Any:
    """Return what a JSON text with halves of surrogate pairs says; `None` where more than that is wrong."""
    import json

    try:
        document = json.dumps(json.loads(text), ensure_ascii=False)
        return msgspec.json.decode(_SURROGATE.sub("\ufffd", document))
    except (ValueError, RecursionError, msgspec.DecodeError):
        return None


def parse_time(value: Any) -> int:
    """Return the milliseconds since 1970 UTC that a time with an offset means. Raises `InvalidEvent`."""
    if value is None:
        raise InvalidEvent("no `time`")
    if not isinstance(value, str):
        raise InvalidEvent("`time` is not a string like 2026-11-16T09:00:00Z")
    try:
        at = datetime.fromisoformat(value.upper())  # RFC 3339 allows `t` and `z`
    except ValueError:
        raise InvalidEvent("`time` is not a date and time like 2026-11-16T09:00:00Z") from None
    if at.tzinfo is None:
        raise InvalidEvent("`time` has no offset from UTC; end it with Z or +01:00")
    try:
        time_ms = milliseconds(at)
    except OverflowError:
        time_ms = -1
    if not EARLIEST_MS <= time_ms <= LATEST_MS:
        raise InvalidEvent("`time` lies outside the years 1970 to 9998")
    return time_ms


def captured_id(instance: str, seq: int) -> str:
    """Return the id by which other events, such as feedback, name a captured one."""
    return f"{shown_name(instance)}-{seq}"


def shown_name(instance: str) -> str:
    """Return the part of an instance's name that may be shown.

    What follows a full stop is known to the process and to the owner's store only. So whoever sees the id of
    a question, as a visitor does who rates its answer, can send nothing that counts as that instance's.
    """
    return instance.partition(".")[0]


def hour_of(time_ms: int) -> str:
    """Return the UTC hour of a time as `2026111609`, the form used in keys and headers."""
    return moment(time_ms).strftime("%Y%m%d%H")


def hour_start(hour: str) -> datetime:
    """Return the moment at which an hour such as `2026111609` begins. Raises `ValueError`."""
    if len(hour) != _HOUR_DIGITS or not hour.isdecimal():  # a longer number may be too large for a calendar
        raise ValueError("not an hour of ten digits")
    return datetime(int(hour[:4]), int(hour[4:6]), int(hour[6:8]), int(hour[8:]), tzinfo=UTC)


def moment(time_ms: int) -> datetime:
    """Return a time in milliseconds as a datetime in UTC."""
    return _EPOCH + timedelta(milliseconds=time_ms)


def milliseconds(at: datetime) -> int:
    """Return an aware datetime as milliseconds since 1970 UTC, finer digits cut."""
    return (at - _EPOCH) // _MILLISECOND


_ENVELOPE: Final = frozenset({"specversion", "datacontenttype", "dataschema"})
_ATTRIBUTE: Final = re.compile(r"[a-z0-9]+|data_base64")
_HALF_PAIR: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_HOUR_DIGITS: Final = 10
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_FIELDS: Final = frozenset({"id", "type", "time", "source", "user", "session", "data"})
_OUTCOMES: Final = frozenset(outcome.value for outcome in Outcome)
_PLAIN: Final = (str, int, float, bool, type(None))


def _attributes(raw: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    """Return what CloudEvents says beside our own fields: its `subject` and extensions, for `data`.

    How the event was written (`specversion`, `datacontenttype`, `dataschema`) is no part of what happened.
    Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md
    """
    for name in names:
        if _ATTRIBUTE.fullmatch(name) is None:
            raise InvalidEvent(f"unknown key {name!r}; attributes of CloudEvents are of a-z and 0-9")
    if "data_base64" in names:
        raise InvalidEvent("`data_base64` is not read; write `data` as an object")
    return {name: raw[name] for name in names if name not in _ENVELOPE}


def _name(raw: Mapping[str, Any], field: str) -> str | None:
    value = raw.get(field)
    if value is None or value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise InvalidEvent(f"`{field}` is not a string")
    if len(value) > MAX_NAME:
        raise InvalidEvent(f"`{field}` is longer than {MAX_NAME} characters")
    return value


def _check_data(event: Event) -> None:
    """Hold `data` to its limits, and a question's own fields to their types."""
    _check_value(event.data, 0)
    for field, kinds in _FIELD_TYPES.get(event.type, {}).items():
        value = event.data.get(field)
        if value is not None and type(value) is not kinds and kinds in _LENIENT:
            value = event.data[field] = _LENIENT[kinds](value)
        if value is not None and (not isinstance(value, kinds) or isinstance(value, bool) != (kinds is bool)):
            raise InvalidEvent(f"`{field}` is not {_TYPE_WORDS[kinds]}")
    if event.type == QUESTION:
        outcome = event.data.get("outcome")
        if outcome is not None and outcome not in _OUTCOMES:
            raise InvalidEvent(f"`outcome` is none of {', '.join(sorted(_OUTCOMES))}")
    if len(msgspec.json.encode(event.data)) > MAX_EVENT_BYTES:
        raise InvalidEvent(f"larger than {MAX_EVENT_BYTES} bytes")


_NUMBER: Final = (int, float)
_FIELD_TYPES: Final[dict[str, dict[str, Any]]] = {
    QUESTION: {
        "text": str,
        "outcome": str,
        "cause": str,
        "model": str,
        "latency_ms": _NUMBER,
        "input_tokens": int,
        "output_tokens": int,
        "score": _NUMBER,
        "useful": bool,
    },
    FEEDBACK: {"useful": bool},
}
_TRUTHS: Final = {
    **dict.fromkeys(("true", "yes", "1", "1.0"), True),
    **dict.fromkeys(("false", "no", "0", "0.0"), False),
}


def _whole(value: Any) -> Any:
    """Return 210 for 210.0, as programs write it that know one kind of number."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _truth(value: Any) -> Any:
    """Return what stands for yes or no as such: 1, 1.0, "True", "yes", and their opposites."""
    if isinstance(value, int | float):
        return bool(value) if value in (0, 1) else value
    return _TRUTHS.get(value.strip().lower(), value) if isinstance(value, str) else value


_LENIENT: Final[dict[Any, Callable[[Any], Any]]] = {int: _whole, bool: _truth}
_TYPE_WORDS: Final[dict[Any, str]] = {
    str: "a string",
    int: "a whole number",
    _NUMBER: "a number",
    bool: "true or false",
}


def _check_value(value: Any, depth: int) -> None:  # noqa: C901 - one walk, one kind of value a branch
    if depth > MAX_DEPTH:
        raise InvalidEvent(f"`data` is nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, Mapping):
        if len(value) > MAX_KEYS:
            raise InvalidEvent(f"`data` holds a mapping of more than {MAX_KEYS} keys")
        for key, inner in value.items():
            if len(str(key)) > MAX_NAME:
                raise InvalidEvent(f"`data` holds a key longer than {MAX_NAME} characters")
            _check_value(inner, depth + 1)
    elif isinstance(value, list):
        if len(value) > MAX_KEYS:
            raise InvalidEvent(f"`data` holds a list of more than {MAX_KEYS} items")
        for inner in value:
            _check_value(inner, depth + 1)
    elif not isinstance(value, _PLAIN):
        raise InvalidEvent("`data` holds something JSON has no form for")
    elif isinstance(value, int) and not -(2**63) <= value < 2**64:
        raise InvalidEvent("`data` holds a whole number of more than 64 bits")
