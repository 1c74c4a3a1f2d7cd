"""What the embedded provider declares."""

from __future__ import annotations

from tuppence.drivers import Kind
from tuppence.hookspecs import API, Provider, hookimpl


@hookimpl
def tuppence_provider() -> Provider:
    """Describe the embedded provider."""
    return Provider(
        name="local",
        api=API,
        drivers={
            Kind.QUEUE: "tuppence.local.queue:LocalQueue",
            Kind.COMPUTE: "tuppence.local.compute:LocalCompute",
            Kind.STORE: "tuppence.local.store:LocalStore",
            Kind.SCHEDULER: "tuppence.local.scheduler:LocalScheduler",
            Kind.MAILER: "tuppence.local.mailer:LocalMailer",
        },
    )
