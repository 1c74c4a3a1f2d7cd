"""Service Bus: where it is, who calls, and what its SDK's errors mean."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import msgspec

from tuppence.clock import Deadline
from tuppence.errors import DriverError, ErrorCode
from tuppence.settings import Secret
from tuppence_azure.credentials import Identity, revealed
from tuppence_azure.errors import failure

SCOPE: Final = "https://servicebus.azure.net/.default"
DOMAIN: Final = "servicebus.windows.net"
OPENING: Final = 30.0
"""Seconds for opening a link, which nobody may be waiting for any more."""
_NAMESPACE: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{4,48}[A-Za-z0-9]|[A-Za-z0-9.-]+\.[A-Za-z]+")

_ERRORS: Final[Mapping[str, tuple[ErrorCode, str]]] = {
    "MessageLockLostError": (ErrorCode.NOT_FOUND, "the lease was lost"),
    "MessageNotFoundError": (ErrorCode.NOT_FOUND, "the lease was lost"),
    "MessageAlreadySettled": (ErrorCode.NOT_FOUND, "the message was settled before"),
    "MessagingEntityNotFoundError": (ErrorCode.NOT_FOUND, "there is no such queue"),
    "MessagingEntityDisabledError": (ErrorCode.FORBIDDEN, "the queue is disabled"),
    "MessageSizeExceededError": (ErrorCode.TOO_LARGE, "too large for the queue"),
    "ServiceBusQuotaExceededError": (ErrorCode.THROTTLED, "the queue is full"),
    "ServiceBusServerBusyError": (ErrorCode.THROTTLED, "the namespace is busy"),
    "ServiceBusAuthenticationError": (ErrorCode.UNAUTHENTICATED, "the credentials are refused"),
    "ServiceBusAuthorizationError": (ErrorCode.FORBIDDEN, "the credentials do not allow it"),
    "ClientAuthenticationError": (ErrorCode.UNAUTHENTICATED, "no credentials were found; try `az login`"),
    "OperationTimeoutError": (
        ErrorCode.TIMEOUT,
        "did not answer in time; the call may have been carried out",
    ),
    "ServiceBusConnectionError": (ErrorCode.UNAVAILABLE, "the connection failed"),
    "ServiceBusCommunicationError": (ErrorCode.UNAVAILABLE, "cannot be reached"),
    "AMQPException": (ErrorCode.UNAVAILABLE, "the connection failed"),
    "OSError": (ErrorCode.UNAVAILABLE, "the connection failed"),
}
"""By the names of `azure.servicebus.exceptions`, the most special first in a class's own order of bases."""
_CONNECTED: Final = frozenset({"MessageLockLostError", "MessageNotFoundError", "MessageAlreadySettled"})
"""What is wrong with one message alone: the connection goes on."""


class ServiceBusOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which namespace.

    Attributes:
        namespace: its name, or its whole host name in a cloud that is not Azure's public one.
        connection_string: with a key in it; without one, the identity that calls must be allowed to. Where
            neither is given, AZURE_SERVICEBUS_CONNECTION_STRING is asked.

    """

    namespace: str = ""
    connection_string: Secret | None = None

    def __post_init__(self) -> None:
        """Refuse what the service would."""
        if self.namespace and not _NAMESPACE.fullmatch(self.namespace):
            raise ValueError(
                f"{self.namespace!r} cannot be a namespace, which is 6 to 50 letters, digits and dashes"
            )


class Namespace:
    """Makes the SDK's clients of one namespace, without the SDK's retries."""

    def __init__(self, options: ServiceBusOptions) -> None:
        self._options = options
        self._identity = Identity(SCOPE)

    def end_by(self, deadline: Deadline) -> None:
        """Set by when tokens are there that the SDK asks for."""
        self._identity.end_by(deadline)

    def client(self, operation: str) -> Any:
        """Return a client for one link. Raises `DriverError`."""
        from azure.servicebus import ServiceBusClient

        text, host = self._place(operation)
        more: Any = {"retry_total": 0, "try_timeout": OPENING}  # core retries, within one deadline
        try:
            if text:
                return ServiceBusClient.from_connection_string(text, **more)
            return ServiceBusClient(host, self._identity.credential(operation), **more)
        except ValueError:
            words = "the connection string cannot be read"
            raise failure(ErrorCode.UNAUTHENTICATED, operation, words) from None

    def close(self) -> None:
        """Let the credentials' connections go."""
        self._identity.close()

    def _place(self, operation: str) -> tuple[str, str]:
        """Return a connection string, or a host."""
        options = self._options
        if options.connection_string is not None:
            return revealed(options.connection_string, operation), ""
        if options.namespace:
            host = options.namespace if "." in options.namespace else f"{options.namespace}.{DOMAIN}"
            return "", host
        text = os.environ.get("AZURE_SERVICEBUS_CONNECTION_STRING", "")
        if not text:
            words = "no namespace is known; set `namespace`, or AZURE_SERVICEBUS_CONNECTION_STRING"
            raise failure(ErrorCode.INVALID, operation, words)
        return text, ""


@contextmanager
def translated(operation: str) -> Iterator[None]:
    """Turn what the SDK raises into `DriverError`."""
    try:
        yield
    except DriverError:
        raise
    except Exception as error:
        inner = getattr(error, "inner_exception", None)  # what the SDK wraps, as of our own credential
        if isinstance(inner, DriverError):
            raise inner from error
        kinds = [kind.__name__ for kind in type(error).__mro__]
        known = next((_ERRORS[kind] for kind in kinds if kind in _ERRORS), None)
        if known is not None:
            raise failure(known[0], operation, known[1]) from error
        if "ServiceBusError" in kinds or "AzureError" in kinds:
            raise failure(ErrorCode.UNKNOWN, operation, kinds[0]) from error
        raise


def is_of_one_message(error: DriverError) -> bool:
    """Whether an error is of one message and says nothing of the connection, or of the next message."""
    return type(error.__cause__).__name__ in _CONNECTED
