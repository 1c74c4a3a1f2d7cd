"""Turns raw tables into frozen structs, with errors that a person can act on.

Used for the configuration itself and for every driver's options alike.
"""

from __future__ import annotations

import os
import re
import types
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from tuppence.errors import ConfigError

Target = TypeVar("Target")

_SPAN: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)")
_SECONDS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


class Secret(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A secret by reference: `{ env = "NAME" }` or `{ file = "/path" }`. Its value is never stored."""

    env: str = ""
    file: str = ""

    def __post_init__(self) -> None:
        if bool(self.env) == bool(self.file):
            raise ValueError('a secret is { env = "NAME" } or { file = "/path" }')

    def reveal(self) -> str:
        """Return the secret itself. Raises `ConfigError` naming the reference, never the value."""
        if self.env:
            value = os.environ.get(self.env)
            if value is None:
                raise ConfigError(f"the environment variable {self.env} is not set; it should hold a secret")
            return value
        try:
            return Path(self.file).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConfigError(f"the secret file {self.file} cannot be read: {error.strerror}") from error
        except UnicodeDecodeError:
            raise ConfigError(f"the secret file {self.file} is not UTF-8") from None


def coerce(
    table: Mapping[str, Any],
    into: type[Target],
    *,
    where: str,
    source: str,
    also: Sequence[str] = (),
    unknown: list[str] | None = None,
) -> Target:
    """Return `table` as the struct `into`.

    Args:
        table: raw values: TOML's types, or strings from the environment.
        into: a `msgspec.Struct` class.
        where: the table's dotted name, for errors.
        source: the file it came from, for errors.
        also: further names that would be right here, for suggestions.
        unknown: where given, keys that there are none of are left out, and what is wrong with them is added
            here; otherwise they raise.

    Raises:
        ConfigError: naming the key, the file and the nearest key there is.

    """
    prepared = _prepared(table, into, where, source, also, unknown)
    try:
        return msgspec.convert(prepared, into, strict=False, builtin_types=(timedelta,))
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        inside = path.strip("`.")
        key = _join(where, inside) if inside else where  # what a struct's own check says is about all of it
        raise ConfigError(f"{source}: {key}: {message[:1].lower()}{message[1:]}") from None


def parse_span(text: str) -> timedelta:
    """Return the timedelta that `60s`, `15m`, `1.5h`, `30d` or `2w` means. Raises `ValueError`."""
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise ValueError(
            f'{text!r} is no length of time; write a number and ms, s, m, h, d or w, as in "15m"'
        )
    try:
        return timedelta(seconds=float(match[1]) * _SECONDS[match[2]])
    except OverflowError:
        raise ValueError(f"{text!r} is longer than can be kept") from None


def _prepared(
    table: Mapping[str, Any],
    into: type,
    where: str,
    source: str,
    also: Sequence[str],
    unknown: list[str] | None,
) -> dict[str, Any]:
    """Check the names of the keys and turn values into what msgspec converts."""
    hints = get_type_hints(into)
    prepared: dict[str, Any] = {}
    for key, value in table.items():
        name = _join(where, key)
        if key not in hints:
            problem = _unknown(name, key, [*hints, *also], source)
            if unknown is None:
                raise ConfigError(problem)
            unknown.append(problem)
            continue
        kinds = _choices(hints[key])
        if Secret in kinds and not isinstance(value, Mapping):
            raise ConfigError(
                f'{source}: {name}: give secrets by reference, as in {key} = {{ env = "NAME" }}'
            )
        struct = next((k for k in kinds if isinstance(k, type) and issubclass(k, msgspec.Struct)), None)
        if struct is not None:
            if not isinstance(value, Mapping):
                raise ConfigError(f"{source}: {name} must be a table: write [{name}] and its keys below it")
            prepared[key] = _prepared(value, struct, name, source, (), unknown)
        elif timedelta in kinds:
            prepared[key] = _span(value, name, source)
        elif isinstance(value, str) and any(get_origin(kind) is list for kind in kinds):
            prepared[key] = [part.strip() for part in value.split(",") if part.strip()]
        else:
            prepared[key] = value
    return prepared


def _choices(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def _span(value: Any, name: str, source: str) -> timedelta:
    if isinstance(value, timedelta):
        return value
    try:
        return parse_span(str(value))
    except ValueError as error:
        raise ConfigError(f"{source}: {name}: {error}") from None


def _unknown(name: str, key: str, known: Sequence[str], source: str) -> str:
    import difflib

    close = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    if close:
        return f"{source}: unknown key `{name}`; did you mean `{close[0]}`?"
    return f"{source}: unknown key `{name}`; known here: {', '.join(sorted(known))}"


def _join(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key
