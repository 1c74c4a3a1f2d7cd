"""What this provider declares. The drivers, and with them Redis' client, load when one is asked for."""

from __future__ import annotations

from tuppence.drivers import Kind
from tuppence.hookspecs import API, Provider, hookimpl


@hookimpl
def tuppence_provider() -> Provider:
    """Describe the provider. Redis has neither a scheduler nor a mailer, so it offers none."""
    return Provider(
        name="redis",
        api=API,
        drivers={
            Kind.QUEUE: "tuppence_redis.queue:RedisQueue",
            Kind.STORE: "tuppence_redis.store:RedisStore",
        },
    )
