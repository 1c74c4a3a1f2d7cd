"""Azure Resource Manager: what of it scheduler, compute and the doctor call, each one request.

https://learn.microsoft.com/rest/api/appservice/web-apps, read November 2026. It knows tokens alone, and a
caller who may do what is asked.
"""

from __future__ import annotations

import http.client
import os
from typing import Any, Final
from urllib.parse import quote, urlsplit

import msgspec

from tuppence.clock import Deadline
from tuppence.connection import Connection, unreached
from tuppence.errors import DriverError, ErrorCode
from tuppence_azure.credentials import Identity
from tuppence_azure.errors import PROVIDER, answered, failure
from tuppence_azure.names import app_named

ENDPOINT: Final = "https://management.azure.com"
VERSION: Final = "2024-04-01"
"""Of the interface of Microsoft.Web."""
_LOCAL: Final = frozenset({"127.0.0.1", "localhost"})
_LONGEST_APP: Final = 50
"""Letters, so that with `-processor` it is a function app's name, of 60 at most.

https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules, read November 2026.
"""


class AzureOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the function apps are.

    Attributes:
        subscription: its id; empty means that of AZURE_SUBSCRIPTION_ID.
        resource_group: its name; empty means `tuppence-<project>`.
        app: with what the function apps' names begin, which nobody else on Azure may have; empty means
            `tuppence-<project>`.
        endpoint: Resource Manager's address in another cloud than Azure's public one.

    """

    subscription: str = ""
    resource_group: str = ""
    app: str = ""
    endpoint: str = ""


class Management:
    """Calls on the function apps of a project. The first call makes the connection.

    Args:
        options: where they are.
        project: whose they are.

    """

    def __init__(self, options: AzureOptions, project: str) -> None:
        self._options = options
        self._endpoint = (options.endpoint or ENDPOINT).rstrip("/")
        self._connection = Connection(self._endpoint)
        self._identity = Identity(f"{self._endpoint if not self._local else ENDPOINT}/.default")
        self.group = options.resource_group or app_named(project)
        self.app = options.app or app_named(project)

    def site(self, part: str, operation: str) -> str:
        """Return the name of the function app of a part. Raises `DriverError` where it cannot be one."""
        if len(self.app) > _LONGEST_APP:
            words = f"{self.app!r} is over {_LONGEST_APP} letters; choose a shorter `app`"
            raise failure(ErrorCode.INVALID, operation, words)
        return f"{self.app}-{part}"

    def subscription(self, operation: str) -> str:
        """Return the subscription's id. Raises `DriverError` where none is known."""
        found = self._options.subscription or os.environ.get("AZURE_SUBSCRIPTION_ID", "")
        if not found:
            words = "no subscription is known; set `subscription`, or AZURE_SUBSCRIPTION_ID"
            raise failure(ErrorCode.INVALID, operation, words)
        return found

    def call(
        self,
        operation: str,
        method: str,
        part: str,
        path: str = "",
        *,
        body: Any = None,
        deadline: Deadline,
    ) -> Any:
        """Make one call on the function app of a part; return its answer. Raises `DriverError`."""
        if deadline.expired:
            raise failure(ErrorCode.TIMEOUT, operation, "no time is left")
        site = self.site(part, operation)
        group = f"/subscriptions/{quote(self.subscription(operation))}/resourceGroups/{quote(self.group)}"
        content = b"" if body is None else msgspec.json.encode(body)
        headers = {
            "host": self._connection.host,
            "authorization": f"Bearer {self._token(operation, deadline)}",
            "content-type": "application/json",
            "content-length": str(len(content)),
        }
        whole = f"{group}/providers/Microsoft.Web/sites/{site}{path}?api-version={VERSION}"
        try:
            got = self._connection.request(method, whole, headers, content, deadline=deadline)
        except (OSError, http.client.HTTPException) as error:
            raise unreached(error, operation=operation, provider=PROVIDER) from error
        if got.status == http.client.NOT_FOUND:
            words = f"there is no function app {site} in {self.group}; `tuppence deploy` makes it"
            raise failure(ErrorCode.NOT_FOUND, operation, words) from answered(operation, got)
        if not http.client.OK <= got.status < http.client.MULTIPLE_CHOICES:
            raise answered(operation, got)
        try:
            return msgspec.json.decode(got.body) if got.body else None
        except msgspec.DecodeError as error:
            words = "the answer cannot be read"
            raise failure(ErrorCode.UNAVAILABLE, operation, words) from error

    def close(self) -> None:
        """Let the connections go. The next call makes new ones."""
        self._identity.close()
        self._connection.close()

    @property
    def _local(self) -> bool:
        """Whether this is a stand-in on this machine."""
        return urlsplit(self._endpoint).hostname in _LOCAL

    def _token(self, operation: str, deadline: Deadline) -> str:
        if not self._local and not self._endpoint.startswith("https://"):
            error: DriverError = failure(
                ErrorCode.UNAUTHENTICATED, operation, "a token is sent nowhere unencrypted"
            )
            raise error
        return self._identity.token(operation, deadline)
