"""Who calls: a connection string, or an identity that Azure's own library finds.

The library (azure-identity) is imported when there is no key, and not before.
https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string, read November 2026.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any, Final

from tuppence.abandonable import AbandonableCall
from tuppence.clock import Deadline
from tuppence.errors import ConfigError, DriverError, ErrorCode
from tuppence.settings import Secret
from tuppence_azure.errors import PROVIDER, failure

REQUESTS_TIMEOUT_S: Final = 30.0
"""For all requests for one token, where no deadline is set."""
_SILENT: Final = "the identity service does not answer"
_REFUSAL: Final = re.compile(r"AADSTS\d+:[^\r\n]*")
"""How Microsoft Entra begins to say why it refuses.

https://learn.microsoft.com/entra/identity-platform/reference-error-codes, read November 2026.
"""
_WORDS: Final = 300
_NONE: Final = (
    "no credentials were found; `az login` makes some, a function app has an identity of its own, "
    "and `connection_string` names a key"
)


def parts_of(text: str) -> Mapping[str, str]:
    """Return what a connection string says, by names in small letters."""
    pairs = (part.partition("=") for part in text.split(";") if part.strip())
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def revealed(secret: Secret, operation: str) -> str:
    """Return a secret. Raises `DriverError` naming where it should have been."""
    try:
        return secret.reveal()
    except ConfigError as error:
        raise failure(ErrorCode.UNAUTHENTICATED, operation, str(error)) from error


class Identity:
    """Tokens for one service of Azure's, found and kept by azure-identity.

    Args:
        scope: what they are for.

    """

    def __init__(self, scope: str) -> None:
        self._scope = scope
        self._credential: Any = None
        self._transport: Any = None
        self._apart = AbandonableCall("tuppence-azure-identity", PROVIDER, _SILENT)
        self._deadline: Deadline | None = None

    def token(self, operation: str, deadline: Deadline) -> str:
        """Return a token that is valid now. Raises `DriverError`."""
        return str(self._get(operation, deadline, (self._scope,), {}).token)

    def credential(self, operation: str) -> Any:
        """Return what an SDK gets its tokens from, within the deadline that was set by `end_by`."""
        return _Credential(self, operation)

    def end_by(self, deadline: Deadline) -> None:
        """Set by when an SDK's requests for tokens end."""
        self._deadline = deadline

    def for_sdk(self, operation: str, scopes: tuple[str, ...], options: Mapping[str, Any]) -> Any:
        """Return a token as an SDK wants it. Raises `DriverError`."""
        deadline = self._deadline or Deadline.after(REQUESTS_TIMEOUT_S)
        return self._get(operation, deadline, scopes, options)

    def close(self) -> None:
        """Let the library's connections go."""
        credential, self._credential = self._credential, None
        if credential is not None:
            credential.close()

    def _get(
        self, operation: str, deadline: Deadline, scopes: tuple[str, ...], options: Mapping[str, Any]
    ) -> Any:
        """Return a token of azure-core's by the deadline, which the library itself knows nothing of."""
        from azure.core.exceptions import AzureError

        credential = self._found()
        self._transport.deadline = deadline
        try:
            return self._apart.call(
                lambda: credential.get_token(*scopes, **options), operation, max(0.0, deadline.remaining())
            )
        except AzureError as error:
            raise self._refused(operation, error) from error

    def _found(self) -> Any:
        """Return the library's own object."""
        if self._credential is None:
            logger = logging.getLogger("azure.identity")
            if logger.level == logging.NOTSET:  # its warnings are many lines that our errors say in one
                logger.setLevel(logging.CRITICAL)
            from azure.identity import DefaultAzureCredential

            from tuppence_azure.identity_transport import IdentityTransport

            self._transport = IdentityTransport()
            self._credential = DefaultAzureCredential(retry_total=0, transport=self._transport)
        return self._credential

    def _refused(self, operation: str, error: Exception) -> DriverError:
        """Return why there is no token: the service refuses, cannot be reached, or there is nobody to be."""
        text = str(error)
        refusal = _REFUSAL.search(text)
        transport = self._transport
        if refusal is not None:
            words = f"Microsoft Entra refuses the credentials: {refusal[0].strip()[:_WORDS]}"
            return failure(ErrorCode.UNAUTHENTICATED, operation, words)
        # The library also asks whether this machine has an identity; it does not quote that no answer came.
        if transport.failure is not None and str(transport.failure) in text:
            if transport.timed_out:
                return failure(ErrorCode.TIMEOUT, operation, _SILENT)
            words = f"the identity service cannot be reached: {str(transport.failure)[:_WORDS]}"
            if "CERTIFICATE_VERIFY_FAILED" in words:
                words += "; REQUESTS_CA_BUNDLE names others to trust"
            return failure(ErrorCode.UNAVAILABLE, operation, words)
        if transport.is_failing:
            words = f"the identity service answers with status {transport.status}"
            return failure(ErrorCode.UNAVAILABLE, operation, words)
        return failure(ErrorCode.UNAUTHENTICATED, operation, _NONE)


class _Credential:
    """A credential for an SDK, as azure-core knows one."""

    def __init__(self, identity: Identity, operation: str) -> None:
        self._identity = identity
        self._operation = operation

    def get_token(self, *scopes: str, **options: Any) -> Any:
        """Return a token. Raises `DriverError`, which is not one of the SDK's errors."""
        return self._identity.for_sdk(self._operation, scopes, options)
