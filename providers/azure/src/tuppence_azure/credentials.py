"""Who calls: a connection string, or an identity that Azure's own library finds.

The library (azure-identity) is imported when there is no key, and not before.
https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string, read November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tuppence.errors import ConfigError, ErrorCode
from tuppence.settings import Secret
from tuppence_azure.errors import failure

PATIENCE: Final = 10.0
"""Seconds for one request of the library's."""
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

    def token(self, operation: str) -> str:
        """Return a token that is valid now. Raises `DriverError`."""
        from azure.core.exceptions import AzureError, ClientAuthenticationError

        try:
            return str(self.credential().get_token(self._scope).token)
        except ClientAuthenticationError as error:
            raise failure(ErrorCode.UNAUTHENTICATED, operation, _NONE) from error
        except AzureError as error:
            words = "the credentials' service cannot be reached"
            raise failure(ErrorCode.UNAVAILABLE, operation, words) from error

    def credential(self) -> Any:
        """Return the library's own object, for an SDK."""
        if self._credential is None:
            from azure.identity import DefaultAzureCredential

            self._credential = DefaultAzureCredential(
                retry_total=0, connection_timeout=PATIENCE, read_timeout=PATIENCE
            )
        return self._credential

    def close(self) -> None:
        """Let the library's connections go."""
        credential, self._credential = self._credential, None
        if credential is not None:
            credential.close()
