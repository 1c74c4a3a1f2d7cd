"""The SDK's clients: made when first needed, without its retries, and with timeouts that keep a deadline.

The SDK takes timeouts for a client, not for a call. So there are clients for a few timeouts, each twice the
one before, and a call takes the longest that ends before its deadline.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any, Final
from weakref import finalize

import msgspec

from tuppence.clock import Deadline
from tuppence.errors import ErrorCode
from tuppence_aws.errors import failure, translate
from tuppence_aws.transport import Transport

TIMEOUTS: Final = (32.0, 16.0, 8.0, 4.0, 2.0, 1.0, 0.5, 0.25)
"""Seconds until a call is given up, the longest first."""
CONNECT: Final = 5.0
"""Seconds for making a connection, at most."""


class AwsOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which account and place. The same for all five drivers.

    Attributes:
        region: as in `eu-west-2`; empty asks AWS_REGION and the profile.
        profile: of `~/.aws/config`; empty asks the environment, then the machine's own role.
        endpoint: the address of an emulator, instead of AWS.

    """

    region: str = ""
    profile: str = ""
    endpoint: str = ""


def region_of(options: AwsOptions) -> str:
    """Return the region as far as it is known without the SDK, or nothing."""
    return options.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or ""


class Session:
    """The clients of one service."""

    def __init__(self, service: str, options: AwsOptions) -> None:
        self._service = service
        self._options = options
        self._session: Any = None
        self._clients: dict[float, Any] = {}
        self._transports: list[Transport] = []

    def client(self, operation: str, deadline: Deadline) -> Any:
        """Return a client whose calls end by the deadline. Raises `DriverError`."""
        left = deadline.remaining()
        if left <= 0:
            raise failure(ErrorCode.TIMEOUT, operation, "no time is left")
        timeout = next((span for span in TIMEOUTS if span <= left), TIMEOUTS[-1])
        if timeout not in self._clients:
            with translate(operation):
                self._clients[timeout] = self._build(timeout)
        return self._clients[timeout]

    def close(self) -> None:
        """Let the connections go. The next call makes new ones."""
        clients, self._clients, self._session = self._clients, {}, None
        for client in clients.values():
            client.close()
        transports, self._transports = self._transports, []
        for transport in transports:
            transport.close()

    def _build(self, timeout: float) -> Any:
        import botocore.session
        from botocore.config import Config

        options = self._options
        if self._session is None:
            self._session = botocore.session.Session(profile=options.profile or None)
            self._session.register_component("data_loader", _descriptions())
        config = Config(
            connect_timeout=min(CONNECT, timeout),
            read_timeout=timeout,
            retries={"total_max_attempts": 1, "mode": "standard"},  # core retries, within one deadline
            max_pool_connections=1,  # core calls a driver from one thread at a time
        )
        client = self._session.create_client(
            self._service,
            region_name=options.region or os.environ.get("AWS_REGION"),  # which the SDK itself does not read
            endpoint_url=options.endpoint or None,
            config=config,
        )
        transport = Transport(timeout)
        client.meta.events.register("before-send", transport.send)
        finalize(client, transport.close)  # a client may be dropped with its driver, and closed by nobody
        self._transports.append(transport)
        return client


@cache
def _descriptions() -> Any:
    """Return what reads the SDK's descriptions of the services, once for a process: it takes long."""
    from botocore.loaders import create_loader

    return create_loader()
