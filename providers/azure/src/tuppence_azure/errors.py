"""The provider's errors: what Azure's services answer, as codes and words."""

from __future__ import annotations

import http.client
import re
import ssl
from collections.abc import Mapping
from typing import Final

from tuppence.connection import Answer
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
_STATUSES: Final[Mapping[int, ErrorCode]] = {
    400: ErrorCode.INVALID,
    401: ErrorCode.UNAUTHENTICATED,
    403: ErrorCode.FORBIDDEN,
    404: ErrorCode.NOT_FOUND,
    408: ErrorCode.TIMEOUT,
    409: ErrorCode.ALREADY_EXISTS,
    412: ErrorCode.CONFLICT,
    413: ErrorCode.TOO_LARGE,
    429: ErrorCode.THROTTLED,
    504: ErrorCode.TIMEOUT,
}
"""Where an answer has no code of Azure's own."""
_SERVER: Final = 500
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


def refused(operation: str, status: int, headers: Mapping[str, str], body: bytes) -> Refused:
    """Return what a service answered as an error of this provider.

    The service's own words are left out: they may repeat what was sent.
    """
    named = _NAMED.search(body)
    name = headers.get("x-ms-error-code") or (named[1].decode() if named else "")
    code = _CODES.get(name) or _STATUSES.get(status)
    if code is None and status >= _SERVER:
        code = ErrorCode.UNAVAILABLE
    asked = headers.get("retry-after", "")
    error = Refused(
        code or ErrorCode.UNKNOWN,
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


def unreached(operation: str, error: Exception) -> DriverError:
    """Return what a connection that failed means."""
    if isinstance(error, TimeoutError):
        words = "did not answer in time; the call may have been carried out"
        return failure(ErrorCode.TIMEOUT, operation, words)
    if isinstance(error, ssl.SSLCertVerificationError):
        words = (
            f"the certificate is not trusted ({error.verify_message}); SSL_CERT_FILE names others to trust"
        )
    elif isinstance(error, http.client.HTTPException | ConnectionResetError | BrokenPipeError):
        words = "closed the connection; the call may have been carried out"
    else:
        words = f"cannot be reached: {error}"
    return failure(ErrorCode.UNAVAILABLE, operation, words)
