"""What this provider declares. The drivers, and with them the SDK, load when one is asked for."""

from __future__ import annotations

from tuppence.drivers import Kind
from tuppence.hookspecs import API, Provider, hookimpl


@hookimpl
def tuppence_provider() -> Provider:
    """Describe the provider."""
    return Provider(
        name="aws",
        api=API,
        drivers={
            Kind.QUEUE: "tuppence_aws.queue:SqsQueue",
            Kind.COMPUTE: "tuppence_aws.compute:LambdaCompute",
            Kind.STORE: "tuppence_aws.store:DynamoStore",
            Kind.SCHEDULER: "tuppence_aws.scheduler:EventBridgeScheduler",
            Kind.MAILER: "tuppence_aws.mailer:SesMailer",
        },
        deployer="tuppence_aws.deploy:AwsDeployer",
    )
