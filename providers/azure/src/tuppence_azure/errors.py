"""The provider's errors: what Azure's services answer, as codes and words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from tuppence.connection import Answer, code_of
from tuppence.errors import DriverError, ErrorCode

PROVIDER: Final = "azure"

_CODES: Final[Mapping[str, ErrorCode]] = {
    "QueueNotFound": ErrorCode.NOT_FOUND,
    "MessageNotFound": ErrorCode.NOT_FOUND,
    "PopReceiptMismatch": ErrorCode.NOT_FOUND,
    "TableNotFound": ErrorCode.NOT_FOUND,
    "ResourceNotFound": ErrorCode.NOT_FOUND,
    "EntityNotFound": ErrorCode.NOT_FOUND,
    "EntityAlreadyExists": ErrorCode.ALREADY_EXISTS,
    "UpdateConditionNotSatisfied": ErrorCode.CONFLICT,
    "ConditionNotMet": ErrorCode.CONFLICT,
    "TableBeingDeleted": ErrorCode.UNAVAILABLE,
    "QueueBeingDeleted": ErrorCode.UNAVAILABLE,
    "OperationTimedOut": ErrorCode.TIMEOUT,
    "ServerBusy": ErrorCode.THROTTLED,
    "InternalError": ErrorCode.UNAVAILABLE,
    "RequestBodyTooLarge": ErrorCode.TOO_LARGE,
    "EntityTooLarge": ErrorCode.TOO_LARGE,
    "PropertyValueTooLarge": ErrorCode.TOO_LARGE,
    "TooManyProperties": ErrorCode.TOO_LARGE,
    "MessageTooLarge": ErrorCode.TOO_LARGE,
    "AuthenticationFailed": ErrorCode.UNAUTHENTICATED,
    "InvalidAuthenticationInfo": ErrorCode.UNAUTHENTICATED,
    "NoAuthenticationInformation": ErrorCode.UNAUTHENTICATED,
    "AccountIsDisabled": ErrorCode.FORBIDDEN,
    "AuthorizationFailure": ErrorCode.FORBIDDEN,
    "AuthorizationPermissionMismatch": ErrorCode.FORBIDDEN,
    "InsufficientAccountPermissions": ErrorCode.FORBIDDEN,
    "KeyBasedAuthenticationNotPermitted": ErrorCode.FORBIDDEN,
}
"""Error codes of https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes and the
pages of the two services beside it, read November 2026."""
_NAMED: Final = re.compile(rb'(?:<Code>|"code"\s*:\s*")([A-Za-z]+)')
"""Where the body of an answer names the error: the queues answer in XML, the tables in JSON."""


class Refused(DriverError):  # noqa: N818 - it names what happened, as tuppence's own errors do
    """An answer that was an error.

    Attributes:
        name: the service's own code, as in `TableNotFound`; empty where it gave none.

    """

    name: str


def failure(
    code: ErrorCode, operation: str, message: str, *, retry_after: float | None = None
) -> DriverError:
    """Return an error of this provider."""
    return DriverError(code, operation=operation, provider=PROVIDER, message=message, retry_after=retry_after)


def too_large(operation: str, size: int, limit: int) -> DriverError:
    """Return the error of an item over a limit, both in bytes."""
    return failure(ErrorCode.TOO_LARGE, operation, f"{size} bytes; at most {limit}")


def incomplete(operation: str) -> DriverError:
    """Return the error of an answer that lacks a part of what it should hold."""
    return failure(ErrorCode.UNAVAILABLE, operation, "the answer is incomplete")


def refused(operation: str, status: int, headers: Mapping[str, str], body: bytes) -> Refused:
    """Return what a service answered as an error of this provider.

    The service's own words are left out: they may repeat what was sent.
    """
    named = _NAMED.search(body)
    name = headers.get("x-ms-error-code") or (named[1].decode() if named else "")
    code = _CODES.get(name) or code_of(status)
    asked = headers.get("retry-after", "")
    error = Refused(
        code,
        operation=operation,
        provider=PROVIDER,
        message=name or f"status {status}",
        retry_after=float(asked) if asked.isdecimal() else None,
    )
    error.name = name
    return error


def answered(operation: str, answer: Answer) -> Refused:
    """Return an answer that was an error as an error of this provider."""
    return refused(operation, answer.status, answer.headers, answer.body)
