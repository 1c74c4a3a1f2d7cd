"""Where settings are read from: configuration files and environment variables."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tuppence.errors import ConfigError

ENV_PREFIX: Final = "TUPPENCE_"
ENV_FILE: Final = "TUPPENCE_CONFIG"
ENV_OTHER: Final = frozenset({ENV_FILE, "TUPPENCE_DISABLED", "TUPPENCE_BLOCK_PLUGINS"})
"""Variables with the prefix that are no settings."""


def is_disabled(environ: Mapping[str, str]) -> bool:
    """Whether clients are switched off."""
    return environ.get("TUPPENCE_DISABLED", "").lower() in {"1", "true", "yes", "on"}


def variables_in(environ: Mapping[str, str]) -> list[str]:
    """Return the names of the variables that are to be settings, those that Kubernetes sets included."""
    return sorted(name for name in environ if name.startswith(ENV_PREFIX) and name not in ENV_OTHER)


def is_service_link(name: str, value: str) -> bool:
    """Whether Kubernetes sets this variable for a Service whose name begins with `tuppence`.

    Source: https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
    """
    if "__" in name:
        return False
    return _SERVICE_LINK.fullmatch(name) is not None or (name.endswith("_PORT") and "://" in value)


def working_directory() -> Path:
    """Return the working directory; another process may have removed it."""
    try:
        return Path.cwd()
    except OSError as error:
        raise ConfigError(
            f"the working directory is gone ({error.strerror}); name the configuration with {ENV_FILE}"
        ) from error


def find_file(folder: Path) -> Path | None:
    """Return the nearest configuration file, upwards from `folder`."""
    for place in (folder, *folder.parents):
        own = place / "tuppence.toml"
        project = place / "pyproject.toml"
        try:
            # A folder too, which a container's mount of a missing file makes, or a link to nowhere: say so.
            if os.path.lexists(own):
                return own
            if project.is_file() and b"tuppence" in project.read_bytes() and read_file(project):
                return project
        except OSError as error:
            raise ConfigError(
                f"{error.filename}: cannot be read: {error.strerror}; name another file with {ENV_FILE}"
            ) from error
    return None


def read_file(source: Path) -> dict[str, Any]:
    """Return the settings in a file. A byte order mark, as some editors write it, is no part of them."""
    import tomllib

    try:
        document = tomllib.loads(source.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ConfigError(
            f"{source}: no such file; `tuppence init` writes one, or give its place with --config FILE"
        ) from None
    except IsADirectoryError:
        raise ConfigError(
            f"{source}: a folder, not a file; a container's mount of a missing file makes one"
        ) from None
    except OSError as error:
        raise ConfigError(f"{source}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise ConfigError(f"{source}: not UTF-8; save it in that encoding") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source}: not valid TOML: {error}") from error
    if source.name == "pyproject.toml":
        tools = document.get("tool", {})
        document = tools.get("tuppence", {}) if isinstance(tools, dict) else {}
        if not isinstance(document, dict):
            raise ConfigError(f"{source}: `tool.tuppence` must be a table: write [tool.tuppence]")
    return document


def from_variable(name: str, value: str) -> dict[str, Any]:
    """Turn `TUPPENCE_STORE__PATH=x` into `{"store": {"path": "x"}}`."""
    *tables, key = name.removeprefix(ENV_PREFIX).lower().split("__")
    nested: dict[str, Any] = {key: value}
    for table in reversed(tables):
        nested = {table: nested}
    return nested


def merge(base: dict[str, Any], over: Mapping[str, Any]) -> None:
    """Put the settings of `over` into `base`, table by table."""
    for key, value in over.items():
        if isinstance(value, Mapping):
            inner = base.setdefault(key, {})
            if isinstance(inner, dict):
                merge(inner, value)
                continue
        base[key] = value


_SERVICE_LINK: Final = re.compile(
    r"TUPPENCE_(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT_\d+_[A-Z]+(?:_(?:PROTO|PORT|ADDR))?)"
)
