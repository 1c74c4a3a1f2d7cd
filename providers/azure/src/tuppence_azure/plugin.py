"""What this provider declares. The drivers, and with them the SDK, load when one is asked for."""

from __future__ import annotations

from tuppence.drivers import Kind
from tuppence.hookspecs import API, Provider, hookimpl


@hookimpl
def tuppence_provider() -> Provider:
    """Describe the provider."""
    return Provider(
        name="azure",
        api=API,
        drivers={
            Kind.QUEUE: {
                "service_bus": "tuppence_azure.queue:ServiceBusQueue",
                "storage": "tuppence_azure.storage_queue:StorageQueue",
            },
            Kind.COMPUTE: "tuppence_azure.compute:FunctionsCompute",
            Kind.STORE: "tuppence_azure.store:TableStore",
            Kind.SCHEDULER: "tuppence_azure.scheduler:TimerScheduler",
            Kind.MAILER: {
                "communication": "tuppence_azure.mailer:AcsMailer",
                "logic_apps": "tuppence_azure.logic_apps:LogicAppsMailer",
            },
        },
        deployer="tuppence_azure.deploy:AzureDeployer",
    )
