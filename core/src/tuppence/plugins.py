"""Finds providers and builds their drivers. The only file that touches pluggy's manager.

A plugin that fails to load is set aside with its error, and named when someone asks for it or lists
providers; the others go on working.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

import pluggy

from tuppence import hookspecs
from tuppence.drivers import Context, Driver, Kind
from tuppence.errors import PluginError
from tuppence.hookspecs import API, Provider

if TYPE_CHECKING:
    from tuppence.config import Config
    from tuppence.deploy import Deployer

GROUP = "tuppence"
BLOCK_VARIABLE = "TUPPENCE_BLOCK_PLUGINS"
_A_SLIP = 0.65
"""How alike two names are where one may be a slip of the pen, as `asw` of `aws`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugins:
    """The providers of this installation: those that work, and those that do not with the reason."""

    providers: Mapping[str, Provider]
    broken: Mapping[str, BaseException]

    def provider(self, name: str) -> Provider:
        """Return the provider of this name, or say why it cannot be had."""
        if name in self.providers:
            return self.providers[name]
        if name in self.broken:
            reason = self.broken[name]
            raise PluginError(
                f"provider {name!r} is installed but broken: {type(reason).__name__}: {reason}"
            ) from reason
        if name in _blocked():
            raise PluginError(f"provider {name!r} is blocked by {BLOCK_VARIABLE}")
        known = ", ".join(sorted(self.providers)) or "none"
        meant = self.nearest(name)
        hint = f"did you mean {meant!r}? If not, " if meant else ""
        raise PluginError(
            f"provider {name!r} is not installed (installed: {known}); "
            f"{hint}install it with `pip install tuppence-{name}`, or choose another with `provider = …`"
        )

    def nearest(self, name: str) -> str:
        """Return the installed provider whose name this looks like a slip of, or nothing."""
        import difflib

        return next(iter(difflib.get_close_matches(name, self.providers, n=1, cutoff=_A_SLIP)), "")

    def driver_class(self, kind: Kind, name: str, service: str = "") -> type[Driver]:
        """Import and return the driver class of one kind; this is where an SDK is first loaded.

        Args:
            kind: of driver.
            name: of the provider.
            service: which of its services, where there are several; empty means the first.

        """
        provider = self.provider(name)
        services = provider.services(kind)
        if not services:
            others = sorted(p.name for p in self.providers.values() if kind in p.drivers)
            raise PluginError(
                f"{name} has no {kind.value}; installed providers with one: {', '.join(others) or 'none'}. "
                f'Write `[{kind.value}]` with `provider = "…"`'
            )
        chosen = service or next(iter(services))
        if chosen not in services:
            known = ", ".join(f'"{one}"' for one in services)
            raise PluginError(f"{name} has no {kind.value} on {chosen!r}; write `service =` one of {known}")
        driver: type[Driver] = _class(name, kind.value, services[chosen], Driver)
        return driver

    def deployer_class(self, name: str) -> type[Deployer]:
        """Import and return the class that makes and removes a provider's resources."""
        from tuppence.deploy import Deployer

        target = self.provider(name).deployer
        if target is None:
            raise PluginError(f"{name} has nothing to deploy")
        deployer: type[Deployer] = _class(name, "deployer", target, Deployer)
        return deployer

    def driver(self, kind: Kind, config: Config, context: Context) -> Any:
        """Build the driver the configuration chooses for `kind`, from its table of options."""
        name = config.provider_of(kind)
        if "" in self.provider(name).services(kind):
            cls = self.driver_class(kind, name)
            return _made(cls, config.options(kind, cls.Options), context)
        cls = self.driver_class(kind, name, config.service_of(kind))
        return _made(cls, config.options(kind, cls.Options, chosen_by=("provider", "service")), context)


def load(found: Iterable[EntryPoint] | None = None) -> Plugins:
    """Load every installed provider (or those given), each on its own."""
    blocked = _blocked()
    candidates = entry_points(group=GROUP) if found is None else found
    providers: dict[str, Provider] = {}
    broken: dict[str, BaseException] = {}
    # A folder that is on the path twice shows each of its distributions twice.
    for entry in sorted(dict.fromkeys(candidates), key=lambda entry: (entry.name, entry.value)):
        if entry.name in blocked:
            continue
        try:
            provider = _load_one(entry)
            if provider.name in providers:
                raise PluginError(f"{entry.value}: the name {provider.name!r} is taken by another plugin")
            providers[provider.name] = provider
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a stranger's module does is its own
            broken[entry.name if entry.name not in broken else entry.value] = error
    return Plugins(providers=providers, broken=broken)


def _class(name: str, part: str, target: str, base: type) -> Any:
    """Import what a provider declares as `module:Class`."""
    module, _, attribute = target.partition(":")
    try:
        found = getattr(import_module(module), attribute)
    except (Exception, SystemExit) as error:
        raise PluginError(f"{name}: cannot load its {part} ({target}): {error}") from error
    if not (isinstance(found, type) and issubclass(found, base)):
        raise PluginError(f"{name}: {target} is no {base.__name__.lower()}")
    return found


def _made(cls: type[Driver], options: Any, context: Context) -> Driver:
    try:
        return cls(options, context)
    except SystemExit as error:
        raise PluginError(f"{cls.__module__}:{cls.__qualname__} ended the process (SystemExit)") from error


def _blocked() -> set[str]:
    return {name.strip() for name in os.environ.get(BLOCK_VARIABLE, "").split(",")}


def _load_one(entry: EntryPoint) -> Provider:
    """Register one plugin with a manager of its own, so that its mistakes are its own too."""
    manager = pluggy.PluginManager("tuppence")
    manager.add_hookspecs(hookspecs)
    manager.register(entry.load(), name=entry.name)
    manager.check_pending()
    answers = manager.hook.tuppence_provider()
    if len(answers) != 1 or not isinstance(answers[0], Provider):
        raise PluginError(f"{entry.value} must return one Provider from tuppence_provider()")
    provider: Provider = answers[0]
    _check_declaration(entry, provider)
    if provider.api != API:
        raise PluginError(
            f"{entry.value} was written for interface version {provider.api}, this tuppence speaks {API}; "
            f"install matching versions"
        )
    return provider


def _check_declaration(entry: EntryPoint, provider: Provider) -> None:
    """Refuse a declaration that could only fail later, far from the plugin that made it."""
    if not isinstance(provider.name, str) or not provider.name:
        raise PluginError(f"{entry.value}: a provider's name must be a string that is not empty")
    if not isinstance(provider.drivers, Mapping):
        raise PluginError(f"{entry.value}: `drivers` must be a mapping of kinds to `module:Class`")
    for kind, services in provider.drivers.items():
        targets = services.values() if isinstance(services, Mapping) else [services]
        if not isinstance(kind, Kind) or not targets or not all(isinstance(one, str) for one in targets):
            raise PluginError(f"{entry.value}: `drivers[{kind!r}]` must be a kind with its `module:Class`")
