"""The configuration in effect, for deployed functions: what files, environment and arguments add up to.

Comments do not go with it, and neither does what only this machine has, such as a profile: a function's
credentials are its role's.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any, Final

import msgspec

from tuppence.config import Config

TABLES: Final = ("capture", "pipeline", "retention", "report", "budget")
_MILLISECOND: Final = timedelta(milliseconds=1)


def settled(config: Config, *, without: Collection[str] = ()) -> str:
    """Return the text of a `tuppence.toml`, leaving out these keys of the five kinds."""
    lines = [f"{key} = {_value(getattr(config, key))}" for key in ("provider", "project", "timezone")]
    tables = {name: msgspec.structs.asdict(getattr(config, name)) for name in TABLES}
    tables |= {
        kind.value: {key: value for key, value in table.items() if key not in without}
        for kind, table in config.kinds.items()
    }
    for name, table in tables.items():
        lines += ["", f"[{name}]", *(f"{key} = {_value(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    """Return a value as TOML writes it. JSON's texts, numbers and lists of them are TOML's too."""
    if isinstance(value, timedelta):
        return f'"{value // _MILLISECOND}ms"'
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_value(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
