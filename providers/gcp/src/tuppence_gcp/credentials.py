"""Who calls: tokens as Google's library would find them, without the library where that is possible.

Its order is kept. Where neither GOOGLE_APPLICATION_CREDENTIALS nor a sign-in of gcloud's says otherwise, a
function, a container or a machine at Google has an account of its own, whose tokens its metadata server hands
out: that is asked here. All else is left to google-auth, which is imported then and not before.
https://cloud.google.com/docs/authentication/application-default-credentials, read November 2026.
"""

from __future__ import annotations

import http.client
import os
import socket
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from tuppence.clock import Clock, Deadline
from tuppence.connection import Answer, Connection
from tuppence.errors import DriverError, ErrorCode
from tuppence_gcp.errors import failure

SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
METADATA: Final = "metadata.google.internal"
EARLY: Final = timedelta(minutes=4)
"""How long before they expire tokens are fetched anew: a minute after the metadata server has new ones."""
AGAIN: Final = timedelta(minutes=1)
"""For how long a token is kept at least."""
PATIENCE: Final = 3.0
"""Seconds for one request to the metadata server, as in google-auth."""
_PROJECTS: Final = ("GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "GCP_PROJECT")
_NONE: Final = (
    "no credentials were found; `gcloud auth application-default login` makes some, or "
    "GOOGLE_APPLICATION_CREDENTIALS names a file of them"
)
_OK: Final = 200
_SERVER: Final = 500

Headers = Mapping[str, str]


class _Told(msgspec.Struct):
    """What the metadata server hands out."""

    access_token: str
    expires_in: int = 0


class Tokens:
    """Finds tokens, and keeps one until shortly before it expires.

    Args:
        clock: what they expire by.

    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: Headers | None = None
        self._until: datetime | None = None
        self._library: Any = None
        self._project = ""

    def headers(self, operation: str, deadline: Deadline) -> Headers:
        """Return what a request says of who makes it. Raises `DriverError`."""
        if self._kept is not None and self._until is not None and self._clock.now() < self._until:
            return self._kept
        if _elsewhere():
            self._kept, self._until = self._by_library(operation, deadline)
        else:
            self._kept, self._until = self._by_machine(operation, deadline)
        return self._kept

    def project(self, operation: str, deadline: Deadline) -> str:
        """Return the id of the project that the credentials belong to. Raises `DriverError`."""
        if not self._project and _elsewhere():
            self._find(operation)
        elif not self._project:
            self._project = _metadata("project/project-id", operation, deadline).decode()
        if not self._project:
            words = "no project is known; set `project_id`, or GOOGLE_CLOUD_PROJECT"
            raise failure(ErrorCode.INVALID, operation, words)
        return self._project

    def forget(self) -> None:
        """Fetch one anew next time: a service has refused the one that is kept."""
        self._kept = None

    def _by_machine(self, operation: str, deadline: Deadline) -> tuple[Headers, datetime]:
        """Return a token of the account that this machine, container or function runs under."""
        body = _metadata("instance/service-accounts/default/token", operation, deadline)
        try:
            told = msgspec.json.decode(body, type=_Told)
        except msgspec.MsgspecError as error:
            raise failure(ErrorCode.UNAVAILABLE, operation, "the metadata server cannot be read") from error
        until = self._clock.now() + timedelta(seconds=told.expires_in) - EARLY
        return {"authorization": f"Bearer {told.access_token}"}, until

    def _by_library(self, operation: str, deadline: Deadline) -> tuple[Headers, datetime]:
        """Return a token of what google-auth finds: a file, a sign-in, another cloud's identity."""
        from google.auth.exceptions import GoogleAuthError, TransportError

        found = self._find(operation)
        try:
            found.refresh(Request(deadline))
        except TransportError as error:
            code = ErrorCode.TIMEOUT if deadline.expired else ErrorCode.UNAVAILABLE
            raise failure(
                code, operation, f"the service that gives tokens cannot be used: {error}"
            ) from error
        except GoogleAuthError as error:
            code = ErrorCode.UNAVAILABLE if error.retryable else ErrorCode.UNAUTHENTICATED
            words = "the credentials are refused; `gcloud auth application-default login` makes new ones"
            raise failure(code, operation, words) from error
        headers: dict[str, str] = {}
        found.apply(headers)
        now = self._clock.now()
        until = found.expiry.replace(tzinfo=UTC) - EARLY if found.expiry else now
        return headers, max(until, now + AGAIN)

    def _find(self, operation: str) -> Any:
        """Return the credentials that google-auth finds."""
        if self._library is None:
            import google.auth
            from google.auth.exceptions import GoogleAuthError

            try:
                self._library, project = google.auth.default(scopes=[SCOPE])
            except (GoogleAuthError, ValueError) as error:
                file = os.environ.get("GOOGLE_APPLICATION_CREDENTIALS")
                words = f"the file of credentials {file} cannot be used" if file else _NONE
                raise failure(ErrorCode.UNAUTHENTICATED, operation, words) from error
            self._project = project or ""
        return self._library


class _Answered:
    """An answer as google-auth wants it."""

    def __init__(self, answer: Answer) -> None:
        self.status = answer.status
        self.headers = answer.headers
        self.data = answer.body


class Request:
    """What google-auth makes its requests with: a connection that ends by the deadline."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline

    def __call__(  # noqa: D102 - google-auth's interface says it
        self,
        url: str,
        method: str = "GET",
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,  # noqa: ARG002 - google-auth names it; the deadline is nearer or as near
        **_: Any,
    ) -> _Answered:
        from google.auth.exceptions import TransportError

        found = urlsplit(url)
        path = f"{found.path or '/'}?{found.query}" if found.query else found.path or "/"
        sent = body.encode() if isinstance(body, str) else body or b""
        told = {"host": found.netloc, **(headers or {})}
        connection = Connection(f"{found.scheme}://{found.netloc}")
        try:
            answer = connection.request(method, path, told, sent, deadline=self._deadline)
        except (OSError, http.client.HTTPException) as error:
            raise TransportError(error) from error  # type: ignore[no-untyped-call]  # google-auth's own gap
        finally:
            connection.close()
        if (
            answer.status >= _SERVER
        ):  # google-auth would try again, and sleep before it; core does that in time
            raise TransportError(f"status {answer.status}")  # type: ignore[no-untyped-call]  # as above
        return _Answered(answer)


def told_project() -> str:
    """Return the project that the environment names, or nothing."""
    return next((value for name in _PROJECTS if (value := os.environ.get(name))), "")


def _elsewhere() -> bool:
    """Whether credentials are to be had elsewhere than from the machine."""
    if os.environ.get("GOOGLE_APPLICATION_CREDENTIALS"):
        return True
    usual = os.path.expanduser("~/.config/gcloud")  # noqa: PTH111 - Path.home raises where there is no home
    folder = os.environ.get("CLOUDSDK_CONFIG") or usual
    return (Path(folder) / "application_default_credentials.json").is_file()


def _metadata(name: str, operation: str, deadline: Deadline) -> bytes:
    """Return what the metadata server says."""
    host = os.environ.get("GCE_METADATA_HOST") or METADATA
    connection = Connection(f"http://{host}")
    limited = Deadline.after(min(PATIENCE, deadline.remaining()))
    try:
        answer = connection.request(
            "GET",
            f"/computeMetadata/v1/{name}",
            {"host": host, "metadata-flavor": "Google"},
            deadline=limited,
        )
    except socket.gaierror as error:
        raise failure(ErrorCode.UNAUTHENTICATED, operation, _NONE) from error
    except (OSError, http.client.HTTPException) as error:
        raise _silent(operation, deadline) from error
    finally:
        connection.close()
    if answer.status >= _SERVER:
        raise _silent(operation, deadline)
    if answer.status != _OK:
        raise failure(ErrorCode.UNAUTHENTICATED, operation, _NONE)
    return answer.body


def _silent(operation: str, deadline: Deadline) -> DriverError:
    code = ErrorCode.TIMEOUT if deadline.expired else ErrorCode.UNAVAILABLE
    return failure(code, operation, f"the machine's metadata server does not answer; elsewhere, {_NONE}")
