"""Communication Services: which resource, who calls, and what its SDK's errors mean."""

from __future__ import annotations

import http.client
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from tuppence.errors import DriverError, ErrorCode
from tuppence.settings import Secret
from tuppence_azure.credentials import Identity, parts_of, revealed
from tuppence_azure.errors import failure, refused

VERSION: Final = "2023-03-31"
"""Of the service's interface: the first that is no preview."""
SCOPE: Final = "https://communication.azure.com/.default"
VARIABLE: Final = "AZURE_COMMUNICATION_CONNECTION_STRING"
"""Which Azure's command line asks too."""
_ENDPOINT: Final = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]+)?/?")

_ERRORS: Final[Mapping[str, tuple[ErrorCode, str]]] = {
    "ClientAuthenticationError": (ErrorCode.UNAUTHENTICATED, "no credentials were found; try `az login`"),
    "ServiceResponseTimeoutError": (ErrorCode.TIMEOUT, "did not answer in time"),
    "ServiceResponseError": (ErrorCode.UNAVAILABLE, "closed the connection"),
    "ServiceRequestError": (ErrorCode.UNAVAILABLE, "cannot be reached; is the `endpoint` right?"),
    "IncompleteReadError": (ErrorCode.UNAVAILABLE, "closed the connection"),
    "HttpResponseError": (ErrorCode.UNAVAILABLE, "the answer cannot be read"),
}
"""By the names of `azure.core.exceptions`, the most special first in a class's own order of bases."""


class CommunicationOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which resource.

    Attributes:
        endpoint: its address, as in `https://mine.communication.azure.com`; empty asks `connection_string`,
            then AZURE_COMMUNICATION_CONNECTION_STRING.
        connection_string: with a key in it; without one, the identity that calls must be allowed to.

    """

    endpoint: str = ""
    connection_string: Secret | None = None

    def __post_init__(self) -> None:
        """Refuse what the service would."""
        if self.endpoint and not _ENDPOINT.fullmatch(self.endpoint):
            raise ValueError(
                f"{self.endpoint!r} cannot be an endpoint; write it as in https://mine.communication.azure.com"
            )


class Resource:
    """Makes the SDK's client of one resource, without the SDK's retries."""

    def __init__(self, options: CommunicationOptions) -> None:
        self._options = options
        self._identity = Identity(SCOPE)
        self._client: Any = None

    def client(self, operation: str) -> Any:
        """Return the client. Raises `DriverError`."""
        if self._client is None:
            endpoint, key = self._place(operation)
            from azure.communication.email import EmailClient
            from azure.core.credentials import AzureKeyCredential

            credential = AzureKeyCredential(key) if key else self._identity.credential(operation)
            # core retries what may be, within one deadline
            self._client = EmailClient(endpoint, credential, api_version=VERSION, retry_total=0)
        return self._client

    def close(self) -> None:
        """Let the connections go. The next call makes new ones."""
        client, self._client = self._client, None
        if client is not None:
            client.close()
        self._identity.close()

    def _place(self, operation: str) -> tuple[str, str]:
        """Return the endpoint, and a key where there is one."""
        options, text = self._options, ""
        if options.connection_string is not None:
            text = revealed(options.connection_string, operation)
        elif not options.endpoint:
            text = os.environ.get(VARIABLE, "")
        told = parts_of(text)
        endpoint, key = options.endpoint or told.get("endpoint", ""), told.get("accesskey", "")
        if not endpoint:
            words = f"no resource is known; set `endpoint`, or {VARIABLE}"
            raise failure(ErrorCode.INVALID, operation, words)
        if options.connection_string is not None and not key:
            words = "the connection string cannot be read"
            raise failure(ErrorCode.UNAUTHENTICATED, operation, words)
        if not key and urlsplit(endpoint).scheme != "https":
            words = "a token is sent nowhere unencrypted; give a `connection_string` with a key"
            raise failure(ErrorCode.UNAUTHENTICATED, operation, words)
        return endpoint, key


@contextmanager
def translated(operation: str) -> Iterator[None]:
    """Turn what the SDK raises into `DriverError`, which is `Refused` where the service answered."""
    try:
        yield
    except DriverError:
        raise
    except Exception as error:
        kinds = [kind.__name__ for kind in type(error).__mro__]
        response = getattr(error, "response", None)
        if response is not None and response.status_code >= http.client.BAD_REQUEST:
            raise answered(operation, response) from error
        known = next((_ERRORS[kind] for kind in kinds if kind in _ERRORS), None)
        if known is not None:
            raise failure(known[0], operation, known[1]) from error
        if "AzureError" in kinds:
            raise failure(ErrorCode.UNKNOWN, operation, kinds[0]) from error
        raise


def answered(operation: str, response: Any) -> DriverError:
    """Return an answer that was an error as an error of this provider."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    return refused(operation, response.status_code, headers, response.content)
