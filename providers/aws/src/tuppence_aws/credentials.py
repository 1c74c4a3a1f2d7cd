"""Who signs: credentials as the SDK would find them, without the SDK where that is possible.

The SDK's order is kept. Environment variables (Lambda's too), the endpoint of a container (ECS, EKS Pod
Identity) and that of an instance (EC2, IMDSv2) are read here. All else, such as a profile, a sign-in, a
program or a role to be assumed, is left to the SDK, which is imported then and not before.
"""

from __future__ import annotations

import http.client
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from tuppence.abandonable import AbandonableCall
from tuppence.clock import Clock, Deadline
from tuppence.errors import DriverError, ErrorCode
from tuppence_aws.connection import Connection
from tuppence_aws.errors import PROVIDER, failure, translate
from tuppence_aws.signature import Credentials

EARLY: Final = timedelta(minutes=5)
"""How long before they expire credentials are fetched anew: EC2 has new ones by then."""
AGAIN: Final = timedelta(minutes=1)
"""After how long to try again where new ones could not be had and the old ones still serve."""
PATIENCE: Final = 1.0
"""Seconds for one request to an endpoint that lies on this machine, as in the SDK."""
INSTANCE: Final = "http://169.254.169.254"
INSTANCE_IPV6: Final = "http://[fd00:ec2::254]"
ECS: Final = "http://169.254.170.2"
_TRUSTED: Final = frozenset(
    {"169.254.170.2", "169.254.170.23", "fd00:ec2::23", "localhost", "127.0.0.1", "::1"}
)
"""Hosts that credentials may come from unencrypted: ECS, EKS and this machine.

https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
"""
_ROLES: Final = "/latest/meta-data/iam/security-credentials/"
_OK: Final = 200
_SERVER: Final = 500
SDK_TIMEOUT_S: Final = 10.0
"""For each request that the SDK makes for credentials, as of STS."""
_SDK_SILENT: Final = "what the profile or the role names for credentials does not answer"
_SILENT: Final = "the machine's endpoint for credentials does not answer"


class _Told(msgspec.Struct, rename="pascal"):
    """What both endpoints answer with."""

    access_key_id: str
    secret_access_key: str
    token: str = ""
    expiration: datetime | None = None


class CredentialChain:
    """Finds credentials, and keeps them until shortly before they expire.

    Args:
        profile: of `~/.aws/config`; empty asks the environment first.
        clock: what they expire by.

    """

    def __init__(self, profile: str, clock: Clock) -> None:
        self._profile = profile
        self._clock = clock
        self._kept: Credentials | None = None
        self._until: datetime | None = None
        self._sdk: Any = None
        self._abandonable = AbandonableCall("tuppence-aws-credentials", PROVIDER, _SDK_SILENT)

    def get(self, operation: str, deadline: Deadline) -> Credentials:
        """Return credentials that have not expired. Raises `DriverError`."""
        if not self._profile and (told := _from_environment()):
            return told
        now = self._clock.now()
        if self._kept is not None and (self._until is None or now < self._until):
            return self._kept
        try:
            found = self._find(operation, deadline)
        except DriverError:
            if self._kept is None or self._kept.expires is None or now >= self._kept.expires:
                raise
            self._until = now + AGAIN
            return self._kept
        self._kept = found
        self._until = found.expires and max(found.expires - EARLY, now + AGAIN)
        return found

    def forget(self) -> None:
        """Find them anew next time: the service has refused those that are kept."""
        self._kept = None

    def _find(self, operation: str, deadline: Deadline) -> Credentials:
        if self._profile or _needs_sdk():
            return self._from_sdk(operation, deadline)
        if container := _container():
            return _from_container(container, operation, deadline)
        if os.environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
            raise _none(operation)
        return _from_instance(operation, deadline)

    def _from_sdk(self, operation: str, deadline: Deadline) -> Credentials:
        """Return what the SDK finds; its own object renews itself, and knows no deadline."""
        try:
            with translate(operation):
                frozen = self._abandonable.call(self._frozen, operation, max(0.0, deadline.remaining()))
        except DriverError as error:
            if error.code is not ErrorCode.INVALID:
                raise
            words = (
                f"no credentials for this role: {error.message}; check AWS_ROLE_ARN, or the profile's role"
            )
            raise failure(ErrorCode.UNAUTHENTICATED, operation, words) from error
        if frozen is None:
            raise _none(operation)
        return Credentials(
            access_key=frozen.access_key,
            secret_key=frozen.secret_key,
            token=frozen.token or "",
            expires=self._clock.now() + AGAIN,  # only the SDK knows; it is asked each minute, which is cheap
        )

    def _frozen(self) -> Any:
        """Return the SDK's credentials as they are now, or `None` where it finds none."""
        if self._sdk is None:
            self._sdk = _sdk_session(self._profile).get_credentials()
        return None if self._sdk is None else self._sdk.get_frozen_credentials()


def _sdk_session(profile: str) -> Any:
    """Return a session of the SDK whose requests for credentials are made once and soon given up."""
    from botocore.config import Config
    from botocore.session import Session

    session = Session(profile=profile or None)
    session.set_default_client_config(
        Config(
            connect_timeout=SDK_TIMEOUT_S,
            read_timeout=SDK_TIMEOUT_S,
            retries={"total_max_attempts": 1, "mode": "standard"},
        )
    )
    return session


def _from_environment() -> Credentials | None:
    """Return the credentials that stand in the environment, each time as they stand there now."""
    access, secret = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
    if not (access and secret):
        return None
    return Credentials(access_key=access, secret_key=secret, token=os.environ.get("AWS_SESSION_TOKEN", ""))


def _needs_sdk() -> bool:
    """Whether something is set up that only the SDK understands."""
    told = os.environ
    if told.get("AWS_PROFILE") or told.get("AWS_WEB_IDENTITY_TOKEN_FILE"):
        return True
    files = {"AWS_CONFIG_FILE": "~/.aws/config", "AWS_SHARED_CREDENTIALS_FILE": "~/.aws/credentials"}
    # `os.path.expanduser` raises nothing where there is no home
    return any(os.path.isfile(os.path.expanduser(told.get(name, usual))) for name, usual in files.items())  # noqa: PTH111, PTH113


def _container() -> str:
    relative = os.environ.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
    return f"{ECS}{relative}" if relative else os.environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI", "")


def _from_container(address: str, operation: str, deadline: Deadline) -> Credentials:
    found = urlsplit(address)
    if found.scheme != "https" and found.hostname not in _TRUSTED:
        words = "AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, or name this machine"
        raise failure(ErrorCode.UNAUTHENTICATED, operation, words)
    headers = {}
    if token := _container_token(operation):
        headers["Authorization"] = token
    path = (found.path or "/") + (f"?{found.query}" if found.query else "")
    connection = Connection(f"{found.scheme}://{found.netloc}", proxied=False)
    try:
        return _read(_asked(connection, "GET", path, headers, operation, deadline), operation)
    finally:
        connection.close()


def _container_token(operation: str) -> str:
    """Return what the endpoint wants to be shown; the file is written anew from time to time."""
    name = os.environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
    try:
        token = Path(name).read_text() if name else os.environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")
    except OSError as error:
        words = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE names a file that cannot be read"
        raise failure(ErrorCode.UNAUTHENTICATED, operation, words) from error
    token = token.strip()
    if "\n" in token or "\r" in token:
        raise failure(ErrorCode.UNAUTHENTICATED, operation, "the container's token has a line break in it")
    return token


def _from_instance(operation: str, deadline: Deadline) -> Credentials:
    """Return the credentials of the instance's role: a token first, then the role's name, then they."""
    told = os.environ
    usual = (
        INSTANCE_IPV6
        if told.get("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "").lower() == "ipv6"
        else INSTANCE
    )
    endpoint = told.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") or usual
    connection = Connection(endpoint.rstrip("/"), proxied=False)
    try:
        lasting = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
        try:
            token = _asked(connection, "PUT", "/latest/api/token", lasting, operation, deadline)
        except DriverError as error:
            if isinstance(error.__cause__, OSError):  # there is no such endpoint: this is no machine of EC2
                raise _none(operation) from error
            raise
        shown = {"X-aws-ec2-metadata-token": _line(token)}
        name = _line(_asked(connection, "GET", _ROLES, shown, operation, deadline))
        return _read(_asked(connection, "GET", _ROLES + name, shown, operation, deadline), operation)
    finally:
        connection.close()


def _asked(
    connection: Connection,
    method: str,
    path: str,
    headers: Mapping[str, str],
    operation: str,
    deadline: Deadline,
) -> bytes:
    within = Deadline.after(min(PATIENCE, deadline.remaining()))
    try:
        answer = connection.request(method, path, {"host": connection.host, **headers}, deadline=within)
    except (OSError, http.client.HTTPException, ValueError) as error:
        code = ErrorCode.TIMEOUT if deadline.expired else ErrorCode.UNAVAILABLE
        raise failure(code, operation, _SILENT) from error
    if answer.status >= _SERVER:
        raise failure(ErrorCode.UNAVAILABLE, operation, _SILENT)
    if answer.status != _OK:
        raise _none(operation)
    return answer.body


def _line(body: bytes) -> str:
    """Return the first line of an answer."""
    return body.decode("ascii", "replace").strip().partition("\n")[0]


def _read(body: bytes, operation: str) -> Credentials:
    try:
        told = msgspec.json.decode(body, type=_Told)
    except msgspec.MsgspecError as error:
        words = "the machine's endpoint for credentials answered with none"
        raise failure(ErrorCode.UNAUTHENTICATED, operation, words) from error
    expires = told.expiration
    return Credentials(
        access_key=told.access_key_id,
        secret_key=told.secret_access_key,
        token=told.token,
        expires=expires.astimezone(UTC) if expires else None,
    )


def _none(operation: str) -> DriverError:
    words = (
        "no credentials were found; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
        "or give the machine a role"
    )
    return failure(ErrorCode.UNAUTHENTICATED, operation, words)
