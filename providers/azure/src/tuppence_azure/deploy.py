"""Deploys to Azure: the Terraform module beside this file, with what configuration and drivers say.

The module holds no second truth: names, sizes and permissions come from the drivers' options and from what
they declare.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar, Final

from tuppence.deploy import allowed, drivers_of
from tuppence.drivers import Kind, Role
from tuppence.errors import ConfigError
from tuppence.schedules import schedules
from tuppence.terraform import TerraformDeployer
from tuppence_azure.compute import PARTS, part_of
from tuppence_azure.errors import PROVIDER
from tuppence_azure.management import AzureOptions
from tuppence_azure.package import build, python
from tuppence_azure.storage_queue import StorageQueue
from tuppence_azure.timers import timer_setting

LONGEST: Final = timedelta(days=1)
_OPERATION: Final = "deploy"
_MAIL: Final = "/Microsoft.Communication/"
_ANYWHERE: Final = "/resourceGroups/*/"


class AzureDeployer(TerraformDeployer):
    """Makes queue, table, function apps, identities and roles."""

    module: ClassVar[Path] = Path(__file__).with_name("terraform")
    holding: ClassVar[frozenset[str]] = frozenset(
        {
            "azurerm_resource_group",
            "azurerm_servicebus_namespace",
            "azurerm_servicebus_queue",
            "azurerm_storage_account",
            "azurerm_storage_queue",
            "azurerm_storage_table",
        }
    )

    def settings(self) -> Mapping[str, Any]:
        """Return where to deploy. As whom, Azure's command line and environment say."""
        management = self._drivers()[Kind.COMPUTE].management
        return {"azurerm": {"features": {}, "subscription_id": management.subscription(_OPERATION)}}

    def variables(self, folder: Path, *, destroy: bool) -> Mapping[str, Any]:
        """Return the module's variables; the functions' package is built in `folder`."""
        config, drivers = self.runtime.config, self._drivers()
        queue, store, compute = (drivers[kind] for kind in (Kind.QUEUE, Kind.STORE, Kind.COMPUTE))
        storage = isinstance(queue, StorageQueue)
        timeout = compute.options.timeout
        return {
            "project": config.project,
            "location": compute.options.location,
            "resource_group": compute.management.group,
            "apps": {part: compute.management.site(part, _OPERATION) for part in PARTS},
            "timers": {
                part: [timer_setting(one.name) for one in schedules(config) if part_of(one.job) == part]
                for part in PARTS
            },
            "account": store.options.account,
            "table": store.name,
            "queue": queue.name,
            "set_aside": storage and queue.options.set_aside,
            "namespace": "" if storage else queue.options.namespace,
            "detects_duplicates": not storage and queue.options.detects_duplicates,
            "permissions": {role.value: self._allowed(drivers, role) for role in Role},
            "package": "none" if destroy else str(self._package(folder, timeout)),
            "python": python(),
            "memory": compute.options.memory,
        }

    def kept(self) -> Sequence[str]:
        """Say what is left."""
        return (
            f"Terraform's record of what there was stays in {self.folder}; delete it when you like.",
            "What applications have not sent yet stays in their journals.",
        )

    def _package(self, folder: Path, timeout: timedelta) -> Path:
        return build(folder, self.runtime.config, timeout)

    def _allowed(self, drivers: Mapping[Kind, Any], role: Role) -> list[dict[str, str]]:
        """Return what a role may do; the resource that mails has a group of its own, or a key is enough."""
        group = drivers[Kind.COMPUTE].options.mail_group
        return [
            {**one, "resource": one["resource"].replace(_ANYWHERE, f"/resourceGroups/{group}/")}
            if _MAIL in one["resource"]
            else one
            for one in allowed(drivers.values(), role)
            if group or _MAIL not in one["resource"]
        ]

    def _drivers(self) -> dict[Kind, Any]:
        """Return the drivers that are Azure's. Refuses what could not work together."""
        config, drivers = self.runtime.config, drivers_of(self.runtime, PROVIDER, same=())
        queue, store, compute = (drivers[kind].options for kind in (Kind.QUEUE, Kind.STORE, Kind.COMPUTE))
        for key in AzureOptions.__struct_fields__:
            values = [getattr(drivers[kind].options, key) for kind in (Kind.COMPUTE, Kind.SCHEDULER)]
            if len(set(values)) > 1:
                raise ConfigError(f"{config.origin}: `{key}` must be the same for compute and scheduler")
        for table, key, value in (
            ("store", "account", store.account),
            ("compute", "location", compute.location),
            ("queue", "namespace", getattr(queue, "namespace", store.account)),
        ):
            if not value or "." in value:
                raise ConfigError(f"{config.origin}: [{table}] needs `{key}`, so that it can be deployed")
        if isinstance(drivers[Kind.QUEUE], StorageQueue):
            if queue.account != store.account:
                raise ConfigError(f"{config.origin}: `account` must be the same for queue and store")
            if queue.set_aside != (config.pipeline.trigger == "event"):
                told = "needs" if not queue.set_aside else 'without `trigger = "event"` must not have'
                raise ConfigError(f"{config.origin}: [queue] {told} `set_aside = true`")
        if not timedelta(seconds=1) <= compute.timeout < LONGEST:
            raise ConfigError(f"{config.origin}: compute.timeout must be at least a second, below a day")
        return drivers
