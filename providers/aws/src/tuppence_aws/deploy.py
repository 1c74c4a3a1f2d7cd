"""Deploys to AWS: the Terraform module beside this file, with what configuration and drivers say.

The module holds no second truth: names, sizes and permissions come from the drivers' options and from what
they declare.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

from tuppence.deploy import allowed, drivers_of
from tuppence.drivers import Kind, Role
from tuppence.terraform import TerraformDeployer
from tuppence_aws.errors import PROVIDER
from tuppence_aws.package import PYTHON, build
from tuppence_aws.session import AwsOptions

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
            "permissions": {role.value: allowed(drivers.values(), role) for role in Role},
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
        return drivers_of(self.runtime, PROVIDER, same=AwsOptions.__struct_fields__)
