"""Deploys to Google Cloud: the Terraform module beside this file, with what configuration and drivers say.

The module holds no second truth: names, sizes and permissions come from the drivers' options and from what
they declare. Google's Terraform provider could not be had where this was written, so the module has been
checked only as text (`tests/gcp/deploy`), and never been applied.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

from tuppence.clock import Deadline
from tuppence.deploy import allowed, drivers_of
from tuppence.drivers import Kind, Role
from tuppence.errors import ConfigError
from tuppence.terraform import TerraformDeployer
from tuppence_gcp.compute import CONSUME, CONSUMES, FUNCTIONS, INVOKE, function_url
from tuppence_gcp.errors import PROVIDER
from tuppence_gcp.names import account_named, bucket_named, function_named
from tuppence_gcp.package import PYTHON, build
from tuppence_gcp.session import Session

BUILD: Final = "build"
"""The account as which Google builds the functions."""
LONGEST_CALL: Final = 10.0
ROLES: Final[Mapping[str, Role]] = {
    "drain": Role.PROCESSOR,
    "seal": Role.PROCESSOR,
    "report": Role.REPORTER,
    CONSUME: Role.PROCESSOR,
}
"""Which permissions each function has."""
KEYS: Final = {"SendGridMailer": "SENDGRID_API_KEY", "ResendMailer": "RESEND_API_KEY"}
"""What holds the key of a mailer whose options name no other place."""
_RESOURCE: Final = re.compile(r"projects/[^/]+(?:/(topic|subscription|database|bucket)s/(.+))?")


class GcpDeployer(TerraformDeployer):
    """Makes topics, database, buckets, functions and the accounts they run as."""

    module: ClassVar[Path] = Path(__file__).with_name("terraform")
    holding: ClassVar[frozenset[str]] = frozenset(
        {
            "google_firestore_database",
            "google_pubsub_subscription",
            "google_pubsub_topic",
            "google_storage_bucket",
        }
    )

    def settings(self) -> Mapping[str, Any]:
        """Return where to deploy. As whom, Google's own credentials say."""
        return {"google": {"project": self._place(), "region": self._drivers()[Kind.COMPUTE].options.region}}

    def variables(self, folder: Path, *, destroy: bool) -> Mapping[str, Any]:
        """Return the module's variables; the functions' source is built in `folder`."""
        config, drivers = self.runtime.config, self._drivers()
        queue, store, compute = (drivers[kind] for kind in (Kind.QUEUE, Kind.STORE, Kind.COMPUTE))
        options, project, place = compute.options, config.project, self._place()
        parts = [
            *dict.fromkeys(FUNCTIONS.values()),
            *([CONSUME] if config.pipeline.trigger == "event" else []),
        ]
        return {
            "project": project,
            "project_id": place,
            "region": options.region,
            "queue": queue.name,
            "dead_letters": queue.dead_letters().name,
            "ordered": queue.options.ordered,
            "database": store.options.database,
            "create_database": options.create_database,
            "collection": store.name,
            "native_ttl": store.options.native_ttl,
            "blobs": store.options.blobs.removeprefix("gs://").partition("/")[0],
            "permissions": {role.value: grants(allowed(drivers.values(), role)) for role in Role},
            "functions": {
                part: {
                    "name": function_named(project, part, "deploy"),
                    "account": account_named(project, part),
                    "role": ROLES[part].value,
                    "url": function_url(options, project, part, place, "deploy"),
                }
                for part in parts
            },
            "secrets": self._secrets(drivers),
            "invoke_account": account_named(project, INVOKE),
            "build_account": account_named(project, BUILD),
            "source_bucket": bucket_named(project, "source", place),
            "package": "none" if destroy else str(build(folder, config)),
            "runtime": f"python{PYTHON.replace('.', '')}",
            "memory": options.memory,
            "timeout": int(options.timeout.total_seconds()),
            "consume_timeout": int(CONSUMES.total_seconds()),
        }

    def kept(self) -> Sequence[str]:
        """Say what is left."""
        return (
            f"Terraform's record of what there was stays in {self.folder}; delete it when you like.",
            "The services that were enabled in the project stay enabled, which costs nothing.",
            "Secrets that you put into Secret Manager stay there.",
            "What applications have not sent yet stays in their journals.",
        )

    def _secrets(self, drivers: Mapping[Kind, Any]) -> dict[str, str]:
        """Return what the report's function has to know and a configuration does not hold.

        By the environment variable that it is read from, the name of the secret in Secret Manager.
        """
        config = self.runtime.config
        if not config.report.to:
            return {}
        named = [one.get("env", "") for one in config.kinds[Kind.MAILER].values() if isinstance(one, Mapping)]
        mailer = drivers.get(Kind.MAILER)
        if mailer is not None and mailer.options.api_key is None:
            named.append(KEYS[type(mailer).__name__])
        return {
            variable: f"tuppence-{config.project}-{variable.lower().replace('_', '-')}"
            for variable in filter(None, named)
        }

    def _place(self) -> str:
        """Return Google's id of the project."""
        options = self._drivers()[Kind.COMPUTE].options
        session = Session("https://cloudfunctions.googleapis.com", "", options, self.runtime.clock)
        try:
            return session.project("deploy", Deadline.after(LONGEST_CALL, self.runtime.clock))
        finally:
            session.close()

    def _drivers(self) -> dict[Kind, Any]:
        """Return the drivers that are Google's. Refuses what could not work together."""
        drivers = drivers_of(self.runtime, PROVIDER, same=["project_id"])
        compute, scheduler = (drivers[kind].options for kind in (Kind.COMPUTE, Kind.SCHEDULER))
        origin = self.runtime.config.origin
        for key in ("region", "function_url", "invoker"):
            if getattr(compute, key) != getattr(scheduler, key):
                told = f"compute {getattr(compute, key)!r}, scheduler {getattr(scheduler, key)!r}"
                raise ConfigError(f"{origin}: `{key}` must be the same for both: {told}")
        if compute.certificates:
            raise ConfigError(f"{origin}: `certificates` are an emulator's; leave them out to deploy")
        if compute.invoker:
            raise ConfigError(f"{origin}: `invoker` is made by `tuppence deploy`; leave it out to deploy")
        return drivers


def grants(permissions: Iterable[Mapping[str, str]]) -> list[dict[str, Any]]:
    """Return what is allowed, by the resources it is bound to: their kind and their name."""
    found: dict[tuple[str, str], list[str]] = {}
    for one in permissions:
        match = _RESOURCE.fullmatch(one["resource"])
        if match is None:
            raise ValueError(f"{one['resource']} is no resource that anything can be bound to")
        found.setdefault((match[1] or "project", match[2] or ""), []).append(one["action"])
    return [
        {"kind": kind, "name": name, "actions": sorted(actions)}
        for (kind, name), actions in sorted(found.items())
    ]
