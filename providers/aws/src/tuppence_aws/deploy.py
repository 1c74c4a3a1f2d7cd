"""Deploys to AWS: the Terraform module beside this file, with what configuration and drivers say.

The module holds no second truth: names, sizes and permissions come from the drivers' options and from what
they declare.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

from tuppence.drivers import Driver, Kind, Permission, Role
from tuppence.errors import ConfigError
from tuppence.terraform import TerraformDeployer
from tuppence_aws.errors import PROVIDER
from tuppence_aws.package import PYTHON, build
from tuppence_aws.session import AwsOptions

TOGETHER: Final = (Kind.QUEUE, Kind.STORE, Kind.COMPUTE, Kind.SCHEDULER)
"""What has to be on AWS for the functions to run there. Mail may go another way."""
_SERVICES: Final = (
    "cloudwatch",
    "dynamodb",
    "iam",
    "lambda",
    "logs",
    "scheduler",
    "sesv2",
    "sqs",
    "sts",
)
_SHARED: Final = AwsOptions.__struct_fields__


class AwsDeployer(TerraformDeployer):
    """Makes queue, table, functions, roles and alarms."""

    module: ClassVar[Path] = Path(__file__).with_name("terraform")
    holding: ClassVar[frozenset[str]] = frozenset({"aws_dynamodb_table", "aws_sqs_queue"})

    def settings(self) -> Mapping[str, Any]:
        """Return where to deploy, and as whom."""
        options = self._drivers()[Kind.COMPUTE].options
        chosen = {key: getattr(options, key) for key in ("region", "profile") if getattr(options, key)}
        if options.endpoint:
            chosen["endpoints"] = dict.fromkeys(_SERVICES, options.endpoint)
            chosen["skip_metadata_api_check"] = True
        return {"aws": chosen}

    def variables(self, folder: Path, *, destroy: bool) -> Mapping[str, Any]:
        """Return the module's variables; the functions' package is built in `folder`."""
        config, drivers = self.runtime.config, self._drivers()
        queue, store, compute = (drivers[kind] for kind in (Kind.QUEUE, Kind.STORE, Kind.COMPUTE))
        return {
            "project": config.project,
            "queue": queue.name,
            "dead_letters": queue.dead_letters().name,
            "table": store.name,
            "read_units": store.options.read_units,
            "write_units": store.options.write_units,
            "schedule_group": drivers[Kind.SCHEDULER].group("deploy"),
            "permissions": {role.value: _allowed(drivers.values(), role) for role in Role},
            "package": "none" if destroy else str(self._package(folder, compute.options.architecture)),
            "runtime": f"python{PYTHON}",
            "architecture": compute.options.architecture,
            "memory": compute.options.memory,
            "timeout": int(compute.options.timeout.total_seconds()),
            "trigger": config.pipeline.trigger,
            "mail_identity": drivers[Kind.MAILER].options.identity if Kind.MAILER in drivers else "",
        }

    def kept(self) -> Sequence[str]:
        """Say what is left."""
        return (
            f"Terraform's record of what there was stays in {self.folder}; delete it when you like.",
            "What applications have not sent yet stays in their journals.",
        )

    def _package(self, folder: Path, architecture: str) -> Path:
        return build(folder, self.runtime.config, architecture)

    def _drivers(self) -> dict[Kind, Any]:
        """Return the drivers that are AWS's. Refuses what could not work together."""
        config, runtime = self.runtime.config, self.runtime
        for kind in TOGETHER:
            if config.provider_of(kind) != PROVIDER:
                raise ConfigError(
                    f"{config.origin}: {kind.value} comes from {config.provider_of(kind)!r}; functions on "
                    f"AWS need queue, store, compute and scheduler there: leave out its `provider`"
                )
        drivers: dict[Kind, Any] = {
            kind: getattr(part, "driver", part)  # queue and store come wrapped in core's policy
            for kind in Kind
            if config.provider_of(kind) == PROVIDER
            for part in [getattr(runtime, kind.value)]
        }
        for key in _SHARED:
            values = {kind.value: getattr(drivers[kind].options, key) for kind in TOGETHER}
            if len(set(values.values())) > 1:
                told = ", ".join(f"{kind} {value!r}" for kind, value in values.items())
                raise ConfigError(f"{config.origin}: `{key}` must be the same for all four: {told}")
        return drivers


def _allowed(drivers: Iterable[Driver], role: Role) -> list[dict[str, str]]:
    """Return what the drivers say a role must be allowed to do, each thing once and in order."""
    permissions: set[tuple[str, str]] = set()
    for driver in drivers:
        permissions |= {_pair(permission) for permission in driver.permissions(role)}
    return [{"action": action, "resource": resource} for action, resource in sorted(permissions)]


def _pair(permission: Permission) -> tuple[str, str]:
    return permission.action, permission.resource
