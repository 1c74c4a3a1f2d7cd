"""Calls on a service that speaks AWS's JSON protocol, each one signed request and nothing else.

An application that sends a message a minute should not load an SDK for it: boto3 adds 20 MB and takes
ten times as long until the first request (`benchmarks/sqs_request.py`). https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
"""

from __future__ import annotations

import http.client
import os
from typing import Final, TypeVar

import msgspec

from tuppence.clock import Clock, Deadline
from tuppence.connection import Answer, unreached
from tuppence.errors import DriverError, ErrorCode
from tuppence_aws.connection import BUNDLE, Connection
from tuppence_aws.credentials import CredentialChain
from tuppence_aws.errors import NO_REGION, PROVIDER, answered, failure, translate, unauthenticated
from tuppence_aws.names import domain_of
from tuppence_aws.session import AwsOptions, region_of
from tuppence_aws.signature import signed

Result = TypeVar("Result")

_OK: Final = 200


class _Refusal(msgspec.Struct):
    """What a service answers with when it refuses."""

    type: str = msgspec.field(name="__type", default="")


class SignedService:
    """One service in one region. The first call makes the connection.

    Args:
        name: of the service in addresses and signatures, as in `sqs`.
        target: what stands before the action's name, as in `AmazonSQS`.
        options: which account and place.
        clock: what dates the signatures.

    """

    def __init__(self, name: str, target: str, options: AwsOptions, clock: Clock) -> None:
        self._name = name
        self._target = target
        self._options = options
        self._clock = clock
        self._region = ""
        self._connection: Connection | None = None
        self._credentials = CredentialChain(options.profile, clock)

    def call(
        self, operation: str, action: str, request: object, answer: type[Result], *, deadline: Deadline
    ) -> Result:
        """Make one call; return what came back. Raises `DriverError`.

        Args:
            operation: kind and method, for errors.
            action: the service's name for the call.
            request: what is sent, as JSON.
            answer: the type of what comes back.
            deadline: by when.

        """
        if deadline.expired:
            raise failure(ErrorCode.TIMEOUT, operation, "no time is left")
        credentials = self._credentials.get(operation, deadline)
        connection = self._connect(operation)
        body = msgspec.json.encode(request)
        headers = {
            "host": connection.host,
            "content-type": "application/x-amz-json-1.0",
            "x-amz-target": f"{self._target}.{action}",
        }
        now = self._clock.now()
        told = signed(
            headers, body, credentials=credentials, region=self._region, service=self._name, now=now
        )
        try:
            got = connection.request("POST", "/", told, body, deadline=deadline)
        except (OSError, http.client.HTTPException) as error:
            raise unreached(error, operation=operation, provider=PROVIDER, trusts=BUNDLE) from error
        if got.status != _OK:
            raise self._refused(operation, got)
        try:
            return msgspec.json.decode(got.body, type=answer)
        except msgspec.MsgspecError as error:
            raise failure(ErrorCode.UNAVAILABLE, operation, "the answer cannot be read") from error

    def host(self, operation: str) -> str:
        """Return the host of the service's own addresses. Raises `DriverError` where no region is known."""
        self._region = self._region or region_of(self._options) or _region_by_sdk(self._options, operation)
        return f"{self._name}.{self._region}.{domain_of(self._region)}"

    def close(self) -> None:
        """Let the connection go. The next call makes a new one."""
        if self._connection is not None:
            self._connection.close()

    def _connect(self, operation: str) -> Connection:
        if self._connection is None:
            told, usual = os.environ, f"https://{self.host(operation)}"
            named = told.get(f"AWS_ENDPOINT_URL_{self._name.upper()}") or told.get("AWS_ENDPOINT_URL")
            self._connection = Connection((self._options.endpoint or named or usual).rstrip("/"))
        return self._connection

    def _refused(self, operation: str, got: Answer) -> DriverError:
        """Return what a refusal means, and drop credentials that no longer serve."""
        try:
            name = msgspec.json.decode(got.body, type=_Refusal).type
        except msgspec.MsgspecError:
            name = ""
        error = answered(operation, name or f"status {got.status}", status=got.status)
        if error.code is not ErrorCode.UNAUTHENTICATED:
            return error
        self._credentials.forget()
        words = unauthenticated(name, date=got.headers.get("date", ""), now=self._clock.now())
        return answered(operation, name, status=got.status, words=words)


def _region_by_sdk(options: AwsOptions, operation: str) -> str:
    """Return the region of the profile."""
    with translate(operation):
        from botocore.session import Session

        found = Session(profile=options.profile or None).get_config_variable("region")
    if not found:
        raise failure(ErrorCode.UNAUTHENTICATED, operation, NO_REGION)
    return str(found)
