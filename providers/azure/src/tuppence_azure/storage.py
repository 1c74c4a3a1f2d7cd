"""Calls on Azure Storage, each one signed request and nothing else.

An application that sends a message a minute should not load an SDK for it, and here every call ends by its
deadline, which an SDK's timeouts for single reads do not see to.
"""

from __future__ import annotations

import binascii
import http.client
import os
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from email.utils import format_datetime
from types import MappingProxyType
from typing import Final, Literal
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from tuppence.clock import Clock, Deadline
from tuppence.connection import Answer, Connection, unreached
from tuppence.errors import DriverError, ErrorCode
from tuppence.settings import Secret
from tuppence_azure.credentials import Identity, parts_of, revealed
from tuppence_azure.errors import PROVIDER, answered, failure
from tuppence_azure.signature import authorization, of_queues, of_tables

VERSION: Final = "2020-12-06"
"""Of the services' interface: the first in which tables take tokens."""
SCOPE: Final = "https://storage.azure.com/.default"
SUFFIX: Final = "core.windows.net"
_ACCOUNT: Final = re.compile(r"[a-z0-9]{3,24}")
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
_SIGNED: Final[Mapping[str, Callable[..., str]]] = {"queue": of_queues, "table": of_tables}


class StorageOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which storage account.

    Attributes:
        account: its name; empty asks `connection_string`, then AZURE_STORAGE_CONNECTION_STRING and
            AZURE_STORAGE_ACCOUNT, as the command line of Azure does.
        connection_string: with the account's key or a shared access signature in it; without one, the
            identity that calls must be allowed to.

    """

    account: str = ""
    connection_string: Secret | None = None

    def __post_init__(self) -> None:
        """Refuse what the service would."""
        if self.account and not _ACCOUNT.fullmatch(self.account):
            raise ValueError(f"{self.account!r} cannot be an account's name, which is 3 to 24 of a-z 0-9")


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a service is, and what proves who calls."""

    account: str
    address: str
    key: bytes = b""
    signature: str = ""  # a shared access signature, as a query


class Storage:
    """The queues or the tables of one storage account. The first call makes the connection.

    Args:
        service: which of the two.
        options: which account.
        clock: what dates the signatures.

    """

    def __init__(self, service: Literal["queue", "table"], options: StorageOptions, clock: Clock) -> None:
        self._service = service
        self._options = options
        self._clock = clock
        self._place: Place | None = None
        self._connection: Connection | None = None
        self._identity = Identity(SCOPE)

    def call(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] = _NOTHING,
        headers: Mapping[str, str] = _NOTHING,
        body: bytes = b"",
        deadline: Deadline,
    ) -> Answer:
        """Make one call; return its answer. Raises `DriverError`, which is `Refused` where there was one.

        Args:
            operation: kind and method, for errors.
            method: of HTTP.
            path: within the account, quoted.
            query: names in small letters, unless they begin with `$`.
            headers: names in small letters.
            body: what is sent.
            deadline: by when.

        """
        if deadline.expired:
            raise failure(ErrorCode.TIMEOUT, operation, "no time is left")
        place, connection = self._connect(operation)
        whole = urlsplit(place.address).path.rstrip("/") + path
        told = {
            **headers,
            "host": connection.host,
            "content-length": str(len(body)) if body else "",
            "x-ms-date": format_datetime(self._clock.now(), usegmt=True),
            "x-ms-version": VERSION,
        }
        told |= self._proof(operation, place, method, whole, query, told, deadline)
        asked = "&".join(filter(None, (urlencode(query, quote_via=quote, safe="$"), place.signature)))
        told["content-length"] = str(len(body))
        try:
            got = connection.request(
                method, f"{whole}?{asked}" if asked else whole, told, body, deadline=deadline
            )
        except (OSError, http.client.HTTPException) as error:
            raise unreached(error, operation=operation, provider=PROVIDER) from error
        if not http.client.OK <= got.status < http.client.MULTIPLE_CHOICES:
            raise answered(operation, got)
        return got

    def address(self, operation: str) -> str:
        """Return where the service is. Raises `DriverError` where no account is known."""
        return self._found(operation).address

    def close(self) -> None:
        """Let the connections go. The next call makes new ones."""
        self._identity.close()
        if self._connection is not None:
            self._connection.close()

    def _proof(
        self,
        operation: str,
        place: Place,
        method: str,
        path: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        deadline: Deadline,
    ) -> Mapping[str, str]:
        """Return the header that says who calls, where the query does not."""
        if place.key:
            to_sign = _SIGNED[self._service](place.account, method, path, query, headers)
            return {"authorization": authorization(place.account, place.key, to_sign)}
        if place.signature:
            return {}
        if not place.address.startswith("https://"):
            words = "a token is sent nowhere unencrypted; give a `connection_string` with a key"
            raise failure(ErrorCode.UNAUTHENTICATED, operation, words)
        return {"authorization": f"Bearer {self._identity.token(operation, deadline)}"}

    def _connect(self, operation: str) -> tuple[Place, Connection]:
        place = self._found(operation)
        if self._connection is None:
            found = urlsplit(place.address)
            self._connection = Connection(f"{found.scheme}://{found.netloc}")
        return place, self._connection

    def _found(self, operation: str) -> Place:
        if self._place is None:
            self._place = _placed(self._service, self._options, operation)
        return self._place


def _placed(service: str, options: StorageOptions, operation: str) -> Place:
    """Return where a service is, by the options or by the environment. Raises `DriverError`."""
    text = ""
    if options.connection_string is not None:
        text = revealed(options.connection_string, operation)
    elif not options.account:
        text = os.environ.get("AZURE_STORAGE_CONNECTION_STRING", "")
    told = parts_of(text)
    account = options.account or told.get("accountname") or os.environ.get("AZURE_STORAGE_ACCOUNT", "")
    address = told.get(f"{service}endpoint", "").rstrip("/")
    if not account and not address:
        words = "no storage account is known; set `account`, or AZURE_STORAGE_ACCOUNT"
        raise failure(ErrorCode.INVALID, operation, words)
    suffix, scheme = told.get("endpointsuffix", SUFFIX), told.get("defaultendpointsprotocol", "https")
    return Place(
        account=account,
        address=address or f"{scheme}://{account}.{service}.{suffix}",
        key=_key(told.get("accountkey", ""), operation),
        signature=told.get("sharedaccesssignature", "").lstrip("?"),
    )


def _key(text: str, operation: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except binascii.Error:
        words = "the connection string's AccountKey is cut short or mistyped"
        error: DriverError = failure(ErrorCode.UNAUTHENTICATED, operation, words)
        raise error from None
