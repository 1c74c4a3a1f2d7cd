"""The configuration: what may be set, where it is read from, and what is said about mistakes.

Precedence: arguments > environment (`TUPPENCE_STORE__PATH=…`) > file > defaults. The file is `tuppence.toml`,
or `[tool.tuppence]` in `pyproject.toml`, in the working directory or the nearest folder above it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Mapping
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from tuppence.config_sources import (
    ENV_FILE,
    find_file,
    from_variable,
    is_disabled,
    is_service_link,
    merge,
    read_file,
    variables_in,
    working_directory,
)
from tuppence.errors import ConfigError
from tuppence.kinds import Kind
from tuppence.settings import coerce

Options = TypeVar("Options")
DESTINATION: Final = ("provider", "project", "queue")
"""The settings that say where events go."""
NEAR_MISS: Final = 0.85
"""How alike an unknown name and one of `DESTINATION` are where one is probably a misspelling of the other."""

log = logging.getLogger("tuppence")


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
        ignored: environment variables with the prefix that other programs set.
        problem: why an application cannot use what was found, so that these are the defaults; or empty.

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
    ignored: tuple[str, ...] = ()
    problem: str = ""

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
            name: str(self.resolve(value, f"{kind.value}.{name}"))
            for name in _PATHS
            if isinstance(value := getattr(options, name, None), str) and value
        }
        checked: Options = msgspec.structs.replace(options, **absolute)
        return checked

    def resolve(self, path: str, key: str) -> Path:
        """Return a path of the configuration as an absolute one, `~` being the user's home folder.

        Raises:
            ConfigError: where there is none, as for a container's user that no file lists.

        """
        expanded = os.path.expanduser(path)  # noqa: PTH111 - Path.expanduser raises where there is no home
        if expanded.startswith("~"):
            raise ConfigError(
                f"{self.origin}: {key} = {path!r}: there is no home folder; write the whole path, or set HOME"
            )
        return self.folder / expanded

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
    return _load(file, environ, folder, overrides, unknown=None)


def load_for_application(
    file: str | os.PathLike[str] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
    **overrides: Any,
) -> Config:
    """Read the configuration for an application, which no file and no variable keeps from starting.

    What names no setting is left out, and so is what is wrong with settings that a client does not use. Where
    it is uncertain which queue is meant, nothing is guessed: events must not reach another project's queue.
    Either is logged once, unless clients are switched off.

    Args:
        file: as for `load`, and so on.
        environ: instead of the process's environment.
        folder: where to search from.
        overrides: settings that the application itself gives.

    Raises:
        ConfigError: the overrides are wrong, which is a mistake in the application's code.

    """
    environ = os.environ if environ is None else environ
    given = _build(dict(overrides), "the arguments", None, folder or Path(), unknown=None)
    unknown: list[str] = []
    log_once = _log_nothing if is_disabled(environ) else _log_once
    try:
        config = _load(file, environ, folder, overrides, unknown=unknown)
    except ConfigError as error:
        log_once(
            logging.ERROR, f"{error}. Nothing is captured until this is corrected; run `tuppence doctor`"
        )
        return msgspec.structs.replace(given, problem=str(error))
    if config.ignored:
        names = ", ".join(config.ignored)
        log_once(logging.WARNING, f"ignored: {names}, which Kubernetes sets for a Service")
    for mistake in unknown:
        log_once(logging.WARNING, f"ignored: {mistake}")
    return config


def _log_nothing(_level: int, _message: str) -> None:
    """Stand in for `_log_once` where clients are switched off."""


@lru_cache(maxsize=64)
def _log_once(level: int, message: str) -> None:
    """Log a message once in a process, however many clients are made with this configuration."""
    log.log(level, "tuppence: %s", message)


def _load(
    file: str | os.PathLike[str] | None,
    environ: Mapping[str, str] | None,
    folder: Path | None,
    overrides: Mapping[str, Any],
    *,
    unknown: list[str] | None,
) -> Config:
    """Merge file, environment and overrides. Where `unknown` is given, mistakes to be ignored go there."""
    environ = os.environ if environ is None else environ
    folder = working_directory() if folder is None else folder
    given = file or environ.get(ENV_FILE)
    source = Path(given).absolute() if given else find_file(folder)
    merged = _checked(read_file(source), str(source), unknown) if source else {}
    named = variables_in(environ)
    variables = [name for name in named if not is_service_link(name, environ[name])]
    for name in variables:
        merge(merged, _checked(from_variable(name, environ[name]), name, unknown))
    merge(merged, overrides)
    origin = ", ".join([str(source)] * bool(source) + variables) or "the arguments"
    config = _build(merged, origin, source, source.parent if source else folder, unknown=unknown)
    return msgspec.structs.replace(config, ignored=tuple(name for name in named if name not in variables))


def _checked(tables: dict[str, Any], origin: str, unknown: list[str] | None) -> dict[str, Any]:
    """Return the settings of one source; an error about them names it alone."""
    kinds = [kind.value for kind in Kind]
    right: dict[str, Any] = {}
    for key, value in tables.items():
        if key in kinds:
            right[key] = _table(value, key, origin)
            continue
        mistakes: list[str] | None = None if unknown is None else []
        try:
            coerce({key: value}, _Settings, where="", source=origin, also=kinds, unknown=mistakes)
        except ConfigError as error:
            if mistakes is None or key not in _UNUSED_BY_CLIENTS:
                raise
            mistakes.append(str(error))
        else:
            right[key] = value
        if unknown is not None and mistakes:
            if key not in _Settings.__struct_fields__ and _may_mean_destination(key):
                raise ConfigError(mistakes[0])
            unknown += mistakes
    return right


def _may_mean_destination(key: str) -> bool:
    from difflib import get_close_matches

    return bool(get_close_matches(key, DESTINATION, cutoff=NEAR_MISS))


def _build(
    merged: dict[str, Any], origin: str, source: Path | None, folder: Path, *, unknown: list[str] | None
) -> Config:
    """Check the merged settings and return them as a configuration."""
    kinds = {kind: _table(merged.pop(kind.value, {}), kind.value, origin) for kind in Kind}
    also = [kind.value for kind in Kind]
    ignored: list[str] | None = None if unknown is None else []  # named with their sources by now
    settings = coerce(merged, _Settings, where="", source=origin, also=also, unknown=ignored)
    try:
        _check(settings, origin)
    except ConfigError as error:
        if unknown is None:
            raise
        defaults = {name: getattr(_Settings(), name) for name in _UNUSED_BY_CLIENTS}
        settings = msgspec.structs.replace(settings, **defaults)
        _check(settings, origin)
        unknown.append(str(error))
    return Config(
        **{name: getattr(settings, name) for name in _Settings.__struct_fields__},
        kinds=kinds,
        source=source,
        origin=origin,
        folder=folder,
    )


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


_UNUSED_BY_CLIENTS: Final = frozenset({"timezone", "pipeline", "retention", "report", "budget"})
"""Settings that matter to commands and jobs alone."""
_PROJECT_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")
_PROJECT_LENGTH: Final = 48
_LEAST_JOURNAL: Final = 2 * 1024 * 1024  # two segments: one to write and one to send
_PATHS: Final = ("path", "directory", "ca_file")
"""Options of drivers that name a file or folder, relative to the configuration's own folder."""
