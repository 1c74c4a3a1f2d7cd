"""The configuration: what may be set, where it is read from, and what is said about mistakes.

Precedence: arguments > environment (`TUPPENCE_STORE__PATH=…`) > file > defaults. The file is `tuppence.toml`,
or `[tool.tuppence]` in `pyproject.toml`, in the working directory or the nearest folder above it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from tuppence.errors import ConfigError
from tuppence.kinds import Kind
from tuppence.settings import coerce

ENV_PREFIX: Final = "TUPPENCE_"
ENV_FILE: Final = "TUPPENCE_CONFIG"
ENV_OTHER: Final = frozenset({ENV_FILE, "TUPPENCE_DISABLED", "TUPPENCE_BLOCK_PLUGINS"})
"""Variables with the prefix that are no settings."""

Options = TypeVar("Options")


class Capture(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[capture]`: what happens inside the application."""

    flush_interval: timedelta = timedelta(minutes=2)
    """How long events may wait in the journal before a batch that is not full is sent."""
    directory: str = ""
    """Where journals live; the default is the user's state directory."""
    journal_bytes: int = 64 * 1024 * 1024
    """How much one process may hold unsent; beyond it the oldest events go first, counted."""
    orphan_age: timedelta = timedelta(days=14)
    """How long a dead process's unsent journal is kept where no sender comes."""
    redact: bool = True
    """Whether addresses, numbers and secrets in texts are replaced before they are written anywhere."""


class Pipeline(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[pipeline]`: how events move from the queue to the store."""

    trigger: str = "schedule"
    every: timedelta = timedelta(minutes=15)


class Retention(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[retention]`: how long things are kept, counted from receipt."""

    events: timedelta = timedelta(days=30)
    rollups: timedelta = timedelta(days=800)


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[report]`: when the weekly mail is sent, and to whom."""

    schedule: str = "0 7 * * MON"
    to: list[str] = []
    sender: str = ""


class Budget(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[budget]`: what a month may cost."""

    monthly: float = 0.0
    currency: str = "GBP"


class _Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything at the top of the file but the tables of the five kinds."""

    provider: str = "aws"
    project: str = "default"
    timezone: str = "UTC"
    capture: Capture = Capture()
    pipeline: Pipeline = Pipeline()
    retention: Retention = Retention()
    report: Report = Report()
    budget: Budget = Budget()


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """A checked configuration.

    Attributes:
        source: the file it came from, or `None` when there is none.
        origin: the file and the environment variables it came from, for errors.
        folder: what relative paths in it are relative to.
        kinds: the raw tables of the five kinds; a driver's own options check the rest.

    """

    provider: str
    project: str
    timezone: str
    capture: Capture
    pipeline: Pipeline
    retention: Retention
    report: Report
    budget: Budget
    kinds: dict[Kind, dict[str, Any]]
    source: Path | None
    origin: str
    folder: Path

    def provider_of(self, kind: Kind) -> str:
        """Return the name of the provider chosen for `kind`."""
        return str(self.kinds[kind].get("provider", self.provider))

    def service_of(self, kind: Kind) -> str:
        """Return which of its provider's services is chosen for `kind`; empty leaves it to the provider."""
        return str(self.kinds[kind].get("service", ""))

    def options(
        self, kind: Kind, into: type[Options], *, chosen_by: Collection[str] = ("provider",)
    ) -> Options:
        """Return the options of `kind`'s driver as its own struct. Relative paths become absolute.

        Args:
            kind: of driver.
            into: the struct.
            chosen_by: the keys that chose the driver, which are none of its own.

        """
        table = {key: value for key, value in self.kinds[kind].items() if key not in chosen_by}
        options: Any = coerce(table, into, where=kind.value, source=self.origin)
        absolute = {
            name: str(self.folder / Path(value).expanduser())
            for name in _PATHS
            if isinstance(value := getattr(options, name, None), str) and value
        }
        checked: Options = msgspec.structs.replace(options, **absolute)
        return checked

    @property
    def configured(self) -> bool:
        """Whether anyone has said where events should go."""
        return (
            self.source is not None or bool(self.kinds[Kind.QUEUE]) or self.provider != _Settings().provider
        )


def load(
    file: str | os.PathLike[str] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
    **overrides: Any,
) -> Config:
    """Read the configuration.

    Args:
        file: the file to read instead of searching for one.
        environ: instead of the process's environment.
        folder: where to search from, instead of the working directory.
        overrides: settings that win over everything, nested tables as dicts.

    Raises:
        ConfigError: naming the key, the file and the nearest key there is.

    """
    environ = os.environ if environ is None else environ
    folder = Path.cwd() if folder is None else folder
    given = file or environ.get(ENV_FILE)
    source = Path(given).absolute() if given else _search(folder)
    merged = _read(source) if source else {}
    variables = sorted(name for name in environ if name.startswith(ENV_PREFIX) and name not in ENV_OTHER)
    for name in variables:
        _merge(merged, _from_variable(name, environ[name]))
    _merge(merged, overrides)
    origin = ", ".join([str(source)] * bool(source) + variables) or "the arguments"
    kinds = {kind: _table(merged.pop(kind.value, {}), kind.value, origin) for kind in Kind}
    settings = coerce(merged, _Settings, where="", source=origin, also=[kind.value for kind in Kind])
    _check(settings, origin)
    return Config(
        **{name: getattr(settings, name) for name in _Settings.__struct_fields__},
        kinds=kinds,
        source=source,
        origin=origin,
        folder=source.parent if source else folder,
    )


def _search(folder: Path) -> Path | None:
    """Return the nearest configuration file, upwards from `folder`."""
    for place in (folder, *folder.parents):
        if (place / "tuppence.toml").is_file():
            return place / "tuppence.toml"
        project = place / "pyproject.toml"
        if project.is_file() and _OURS.search(project.read_bytes()):
            return project
    return None


def _read(source: Path) -> dict[str, Any]:
    import tomllib

    try:
        document = tomllib.loads(source.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            f"{source}: no such file; `tuppence init` writes one, or give its place with --config FILE"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{source}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source}: not valid TOML: {error}") from error
    if source.name == "pyproject.toml":
        document = document.get("tool", {}).get("tuppence", {})
    return document


def _from_variable(name: str, value: str) -> dict[str, Any]:
    """Turn `TUPPENCE_STORE__PATH=x` into `{"store": {"path": "x"}}`."""
    *tables, key = name.removeprefix(ENV_PREFIX).lower().split("__")
    nested: dict[str, Any] = {key: value}
    for table in reversed(tables):
        nested = {table: nested}
    return nested


def _merge(base: dict[str, Any], over: Mapping[str, Any]) -> None:
    for key, value in over.items():
        if isinstance(value, Mapping):
            inner = base.setdefault(key, {})
            if isinstance(inner, dict):
                _merge(inner, value)
                continue
        base[key] = value


def _table(value: Any, name: str, source: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(f"{source}: `{name}` must be a table: write [{name}] and its keys below it")
    return value


def _check(settings: _Settings, source: str) -> None:
    """Refuse values that have the right type and still cannot work."""
    if settings.timezone != _Settings().timezone:  # who has none to check spares loading what does
        from tuppence.schedule import check_timezone

        check_timezone(settings.timezone, f"{source}: timezone")
    if settings.report.schedule != Report().schedule:
        from tuppence.schedule import check_cron

        check_cron(settings.report.schedule, f"{source}: report.schedule")
    if not _PROJECT_LETTERS.issuperset(settings.project) or not 0 < len(settings.project) <= _PROJECT_LENGTH:
        raise ConfigError(
            f"{source}: project = {settings.project!r}: use 1 to {_PROJECT_LENGTH} of a-z, 0-9, - and _"
        )
    if settings.pipeline.trigger not in {"schedule", "event"}:
        raise ConfigError(f'{source}: pipeline.trigger must be "schedule" or "event"')
    for name, span, least in (
        ("capture.flush_interval", settings.capture.flush_interval, timedelta(milliseconds=100)),
        ("capture.orphan_age", settings.capture.orphan_age, timedelta(hours=1)),
        ("pipeline.every", settings.pipeline.every, timedelta(minutes=1)),
        ("retention.events", settings.retention.events, timedelta(days=1)),
        ("retention.rollups", settings.retention.rollups, settings.retention.events),
    ):
        if span < least:
            raise ConfigError(f"{source}: {name} = {span} is too short; the least is {least}")
    if settings.capture.journal_bytes < _LEAST_JOURNAL:
        raise ConfigError(f"{source}: capture.journal_bytes must be {_LEAST_JOURNAL} or more, which is 2 MiB")
    if not settings.budget.monthly >= 0:
        raise ConfigError(f"{source}: budget.monthly must be 0 or more")


_PROJECT_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")
_PROJECT_LENGTH: Final = 48
_LEAST_JOURNAL: Final = 2 * 1024 * 1024  # two segments: one to write and one to send
_PATHS: Final = ("path", "directory", "ca_file")
"""Options of drivers that name a file or folder, relative to the configuration's own folder."""
_OURS: Final = re.compile(rb"(?m)^\s*\[tool\.tuppence[\].]")
