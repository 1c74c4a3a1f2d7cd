"""Calls on Google's services, each one request in JSON and nothing else.

An application that sends a message a minute should not load a client library for it, nor should a function
that starts cold every quarter of an hour: `docs/explanation/decisions.md` has what that costs. Beside
gRPC the services speak JSON over HTTP in the same words: https://cloud.google.com/apis/docs/http (read
November 2026).
"""

from __future__ import annotations

import http.client
import os
from collections.abc import Mapping
from typing import Final, TypeVar

import msgspec

from tuppence.clock import Clock, Deadline
from tuppence.connection import Answer, Connection, unreached
from tuppence.errors import ErrorCode
from tuppence_gcp.credentials import Tokens, told_project
from tuppence_gcp.errors import PROVIDER, failure, is_check, refused

Result = TypeVar("Result")

_EMULATOR: Final = {"authorization": "Bearer owner"}
"""Who calls an emulator: one who may do all."""
_JSON: Final = "application/json"
_PATIENCE: Final = "x-server-timeout"
"""https://cloud.google.com/apis/docs/system-parameters, read November 2026."""
_UNAUTHENTICATED: Final = 401


class GcpOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which project and place. The same for all drivers.

    Attributes:
        project_id: Google's id of the project; empty asks GOOGLE_CLOUD_PROJECT, then the credentials.
        endpoint: the address of the service in one region, or of an emulator.

    """

    project_id: str = ""
    endpoint: str = ""


def beside(options: GcpOptions) -> GcpOptions:
    """Return what leads to the other services of a part: an emulator stands for all of them."""
    endpoint = options.endpoint if options.endpoint.startswith("http://") else ""
    return GcpOptions(project_id=options.project_id, endpoint=endpoint)


class Session:
    """One service of a project. The first call makes the connection.

    Args:
        service: the usual address.
        emulator: the environment variable that names an emulator's host and port.
        options: which project and place.
        clock: what tokens expire by.

    """

    def __init__(self, service: str, emulator: str, options: GcpOptions, clock: Clock) -> None:
        self._service = service
        self._emulator = emulator
        self._options = options
        self._tokens = Tokens(clock)
        self._connection: Connection | None = None
        self._project = ""

    def project(self, operation: str, deadline: Deadline) -> str:
        """Return Google's id of the project. Raises `DriverError`."""
        if not self._project:
            known = self._options.project_id or told_project()
            self._project = known or self._tokens.project(operation, deadline)
        return self._project

    def call(
        self,
        operation: str,
        method: str,
        path: str,
        request: object,
        answer: type[Result],
        *,
        deadline: Deadline,
        patience: float | None = None,
    ) -> Result:
        """Make one call; return what came back. Raises `DriverError`.

        Args:
            operation: kind and method, for errors.
            method: of HTTP.
            path: with what follows a question mark.
            request: what is sent, as JSON; `None` sends nothing.
            answer: the type of what comes back.
            deadline: by when.
            patience: seconds after which the service itself is to give up, where it would wait longer.

        """
        headers = {"content-type": _JSON}
        if patience is not None:
            headers[_PATIENCE] = f"{patience:.3f}"
        body = b"" if request is None else msgspec.json.encode(request)
        got = self.send(operation, method, path, headers, body, deadline=deadline)
        try:
            return msgspec.json.decode(got.body, type=answer)
        except msgspec.MsgspecError as error:
            raise failure(ErrorCode.UNAVAILABLE, operation, "the answer cannot be read") from error

    def send(
        self,
        operation: str,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes = b"",
        *,
        deadline: Deadline,
    ) -> Answer:
        """Make one request; return an answer that is no refusal. Raises `DriverError`."""
        if deadline.expired:
            raise failure(ErrorCode.TIMEOUT, operation, "no time is left")
        connection = self._connect()
        who = _EMULATOR if self.emulated else self._tokens.headers(operation, deadline)
        told = {"host": connection.host, **headers, **who}
        try:
            got = connection.request(method, path, told, body, deadline=deadline)
        except (OSError, http.client.HTTPException) as error:
            raise unreached(error, operation=operation, provider=PROVIDER) from error
        if not http.client.OK <= got.status < http.client.MULTIPLE_CHOICES:
            if got.status == _UNAUTHENTICATED:
                self._tokens.forget()
            raise refused(operation, got, private=bool(body) and not is_check(operation))
        return got

    @property
    def address(self) -> str:
        """Where the service is: an emulator's address, or one of Google's."""
        named = os.environ.get(self._emulator, "")
        if named and "://" not in named:
            named = f"http://{named}"
        return self._options.endpoint or named or self._service

    @property
    def emulated(self) -> bool:
        """Whether it is an emulator: a token is sent nowhere unencrypted."""
        return self.address.startswith("http://")

    def close(self) -> None:
        """Let the connection go. The next call makes a new one."""
        if self._connection is not None:
            self._connection.close()

    def _connect(self) -> Connection:
        if self._connection is None:
            self._connection = Connection(self.address.rstrip("/"))
        return self._connection
