"""What this provider declares. The drivers load when one is asked for."""

from __future__ import annotations

from tuppence.drivers import Kind
from tuppence.hookspecs import API, Provider, hookimpl


@hookimpl
def tuppence_provider() -> Provider:
    """Describe the provider."""
    return Provider(
        name="gcp",
        api=API,
        drivers={
            Kind.QUEUE: "tuppence_gcp.queue:PubSubQueue",
            Kind.COMPUTE: "tuppence_gcp.compute:CloudRunCompute",
            Kind.STORE: "tuppence_gcp.store:FirestoreStore",
            Kind.SCHEDULER: "tuppence_gcp.scheduler:CloudScheduler",
            Kind.MAILER: {
                "sendgrid": "tuppence_gcp.mailer:SendGridMailer",
                "resend": "tuppence_gcp.resend:ResendMailer",
            },
        },
        deployer="tuppence_gcp.deploy:GcpDeployer",
    )
