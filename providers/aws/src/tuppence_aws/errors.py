"""The provider's errors: what AWS and its SDK say, as codes and words.

It imports no SDK, so that an application which only sends does not load one: the SDK's errors are told by
their names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

from tuppence.errors import DriverError, ErrorCode

PROVIDER: Final = "aws"
NO_REGION: Final = "no region is known; set `region`, or AWS_REGION"
"""Of a machine without one; EC2 sets none. No request can be signed, for a signature names its region."""

_CODES: Final[Mapping[str, ErrorCode]] = {
    "AWS.SimpleQueueService.NonExistentQueue": ErrorCode.NOT_FOUND,
    "QueueDoesNotExist": ErrorCode.NOT_FOUND,
    "ResourceNotFoundException": ErrorCode.NOT_FOUND,
    "NotFoundException": ErrorCode.NOT_FOUND,
    "NoSuchEntity": ErrorCode.NOT_FOUND,
    "ConflictException": ErrorCode.ALREADY_EXISTS,
    "ConditionalCheckFailedException": ErrorCode.CONFLICT,
    "TransactionConflictException": ErrorCode.THROTTLED,
    "Throttling": ErrorCode.THROTTLED,
    "ThrottlingException": ErrorCode.THROTTLED,
    "ThrottledException": ErrorCode.THROTTLED,
    "RequestThrottled": ErrorCode.THROTTLED,
    "RequestThrottledException": ErrorCode.THROTTLED,
    "RequestLimitExceeded": ErrorCode.THROTTLED,
    "TooManyRequestsException": ErrorCode.THROTTLED,
    "ProvisionedThroughputExceededException": ErrorCode.THROTTLED,
    "OverLimit": ErrorCode.THROTTLED,
    "SlowDown": ErrorCode.THROTTLED,
    "LimitExceededException": ErrorCode.THROTTLED,
    "ServiceUnavailable": ErrorCode.UNAVAILABLE,
    "InternalError": ErrorCode.UNAVAILABLE,
    "InternalFailure": ErrorCode.UNAVAILABLE,
    "InternalServerError": ErrorCode.UNAVAILABLE,
    "InternalServerException": ErrorCode.UNAVAILABLE,
    "RequestTimeout": ErrorCode.TIMEOUT,
    "AccessDenied": ErrorCode.FORBIDDEN,
    "AccessDeniedException": ErrorCode.FORBIDDEN,
    "KmsAccessDenied": ErrorCode.FORBIDDEN,
    "AccountSuspendedException": ErrorCode.FORBIDDEN,
    "SendingPausedException": ErrorCode.FORBIDDEN,
    "MessageRejected": ErrorCode.FORBIDDEN,
    "MailFromDomainNotVerifiedException": ErrorCode.FORBIDDEN,
    "ExpiredToken": ErrorCode.UNAUTHENTICATED,
    "ExpiredTokenException": ErrorCode.UNAUTHENTICATED,
    "InvalidClientTokenId": ErrorCode.UNAUTHENTICATED,
    "UnrecognizedClientException": ErrorCode.UNAUTHENTICATED,
    "IncompleteSignature": ErrorCode.UNAUTHENTICATED,
    "InvalidSignatureException": ErrorCode.UNAUTHENTICATED,
    "SignatureDoesNotMatch": ErrorCode.UNAUTHENTICATED,
    "MissingAuthenticationToken": ErrorCode.UNAUTHENTICATED,
    "MissingAuthenticationTokenException": ErrorCode.UNAUTHENTICATED,
    "RequestExpired": ErrorCode.UNAUTHENTICATED,
    "RequestTimeTooSkewed": ErrorCode.UNAUTHENTICATED,
    "ValidationException": ErrorCode.INVALID,
    "ValidationError": ErrorCode.INVALID,
    "BadRequestException": ErrorCode.INVALID,
    "InvalidParameterValue": ErrorCode.INVALID,
    "InvalidAttributeName": ErrorCode.INVALID,
    "InvalidAttributeValue": ErrorCode.INVALID,
    "InvalidMessageContents": ErrorCode.INVALID,
    "EmptyBatchRequest": ErrorCode.INVALID,
    "TooManyEntriesInBatchRequest": ErrorCode.INVALID,
    "BatchEntryIdsNotDistinct": ErrorCode.INVALID,
    "InvalidBatchEntryId": ErrorCode.INVALID,
    "InvalidAddress": ErrorCode.NOT_FOUND,
    "MissingParameter": ErrorCode.UNSUPPORTED,
    "UnsupportedOperation": ErrorCode.UNSUPPORTED,
    "InvalidSecurity": ErrorCode.UNAUTHENTICATED,
    "KmsThrottled": ErrorCode.THROTTLED,
    "KmsDisabled": ErrorCode.FORBIDDEN,
    "KmsInvalidState": ErrorCode.FORBIDDEN,
    "KmsInvalidKeyUsage": ErrorCode.FORBIDDEN,
    "KmsNotFound": ErrorCode.FORBIDDEN,
    "KmsOptInRequired": ErrorCode.FORBIDDEN,
    "BatchRequestTooLong": ErrorCode.TOO_LARGE,
    "AWS.SimpleQueueService.BatchRequestTooLong": ErrorCode.TOO_LARGE,
    "ItemCollectionSizeLimitExceededException": ErrorCode.TOO_LARGE,
}
"""Error codes of the services' API references (https://docs.aws.amazon.com, read November 2026).

`InvalidAddress` is a queue's address in another region or account. `MissingParameter` is also said of each
entry where the queue keeps order and the configuration says it does not: that is no fault of a message.
"""

_SDK: Final[Mapping[str, tuple[ErrorCode, str]]] = {
    "NoCredentialsError": (
        ErrorCode.UNAUTHENTICATED,
        "no credentials were found; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    ),
    "PartialCredentialsError": (ErrorCode.UNAUTHENTICATED, "the credentials are incomplete"),
    "CredentialRetrievalError": (ErrorCode.UNAUTHENTICATED, "the credentials could not be fetched"),
    "TokenRetrievalError": (ErrorCode.UNAUTHENTICATED, "the sign-in has run out; `aws sso login` renews it"),
    "UnauthorizedSSOTokenError": (
        ErrorCode.UNAUTHENTICATED,
        "the sign-in has run out; `aws sso login` renews it",
    ),
    "SSOTokenLoadError": (ErrorCode.UNAUTHENTICATED, "nobody is signed in; `aws sso login` does it"),
    "ProfileNotFound": (ErrorCode.UNAUTHENTICATED, "there is no such profile in ~/.aws/config"),
    "NoRegionError": (ErrorCode.UNAUTHENTICATED, NO_REGION),
    "ParamValidationError": (ErrorCode.INVALID, "the SDK refuses the parameters"),
    "EndpointConnectionError": (ErrorCode.UNAVAILABLE, "cannot be reached"),
    "ConnectionClosedError": (
        ErrorCode.UNAVAILABLE,
        "closed the connection; the call may have been carried out",
    ),
    "SSLError": (ErrorCode.UNAVAILABLE, "the connection could not be secured"),
    "ProxyConnectionError": (ErrorCode.UNAVAILABLE, "the proxy cannot be reached"),
    "HTTPClientError": (ErrorCode.UNAVAILABLE, "the connection failed"),
    "ResponseParserError": (ErrorCode.UNAVAILABLE, "the answer cannot be read"),
    "ConnectTimeoutError": (ErrorCode.TIMEOUT, "could not be reached in time"),
    "ReadTimeoutError": (
        ErrorCode.TIMEOUT,
        "did not answer in time; the call may have been carried out",
    ),
}
SKEW: Final = timedelta(minutes=4)
"""How far the clock may be off before it is named as the reason of a refusal; AWS allows five minutes."""
_EXPIRED: Final = "the credentials have expired; sign in again, as by `aws sso login`, or set new ones"
_UNKNOWN_KEY: Final = "AWS does not know the access key; it may have been deleted, or be of another partition"
_WRONG_SECRET: Final = "the secret key is not the one that belongs to the access key"  # noqa: S105 - words about one
_UNAUTHENTICATED: Final[Mapping[str, str]] = {
    "ExpiredToken": _EXPIRED,
    "ExpiredTokenException": _EXPIRED,
    "InvalidClientTokenId": _UNKNOWN_KEY,
    "UnrecognizedClientException": _UNKNOWN_KEY,
    "InvalidSignatureException": _WRONG_SECRET,
    "SignatureDoesNotMatch": _WRONG_SECRET,
}
DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException"})
"""Codes of a call that a policy does not allow."""
_THROTTLED: Final = 429
_SERVER: Final = 500


def failure(
    code: ErrorCode, operation: str, message: str, *, retry_after: float | None = None
) -> DriverError:
    """Return an error of this provider."""
    return DriverError(code, operation=operation, provider=PROVIDER, message=message, retry_after=retry_after)


def too_large(operation: str, size: int, limit: int) -> DriverError:
    """Return the error of an item over a limit, both in bytes."""
    return failure(ErrorCode.TOO_LARGE, operation, f"{size} bytes; at most {limit}")


def answered(operation: str, name: str, *, status: int = 0, words: str = "") -> DriverError:
    """Return what a service answered as an error of this provider.

    Args:
        operation: kind and method.
        name: the service's error code, with or without what stands before `#`.
        status: the HTTP status.
        words: what to say instead of the code alone. The service's own words are left out where they repeat
            what was sent.

    """
    name = name.rpartition("#")[2].partition(":")[0]
    code = _CODES.get(name)
    if code is None and status == _THROTTLED:
        code = ErrorCode.THROTTLED
    elif code is None and status >= _SERVER:
        code = ErrorCode.UNAVAILABLE
    return failure(code or ErrorCode.UNKNOWN, operation, f"{name}: {words}" if words else name)


def unauthenticated(name: str, *, date: str, now: datetime) -> str:
    """Return why credentials were refused.

    Args:
        name: the service's error code.
        date: what the service's answer says of the time, as HTTP writes it.
        now: what this machine says.

    """
    try:
        off = abs(now - parsedate_to_datetime(date))
    except (ValueError, TypeError):
        off = timedelta(0)
    if off > SKEW:
        return f"this machine's clock is {off.total_seconds() / 60:.0f} minutes off; set it right"
    name = name.rpartition("#")[2].partition(":")[0]
    return _UNAUTHENTICATED.get(name, "the credentials are refused; they may have expired or been replaced")


@contextmanager
def translate(operation: str, *, needs: str = "") -> Iterator[None]:
    """Turn what the SDK raises into `DriverError`.

    Args:
        operation: kind and method.
        needs: the action and resource that a refusal is about; without them AWS's own words are passed on.

    """
    try:
        yield
    except DriverError:
        raise
    except Exception as error:
        kinds = [kind.__name__ for kind in type(error).__mro__]
        if "ClientError" in kinds:
            raise _refused(operation, error, needs) from error
        known = next((_SDK[kind] for kind in kinds if kind in _SDK), None)
        if known is None:
            raise
        raise failure(known[0], operation, known[1]) from error


def _refused(operation: str, error: Any, needs: str) -> DriverError:
    """Return a `botocore.exceptions.ClientError` as an error of this provider."""
    told = error.response.get("Error", {})
    about = error.response.get("ResponseMetadata", {})
    status, name = about.get("HTTPStatusCode", 0), str(told.get("Code", ""))
    found = answered(operation, name, status=status)
    if found.code is ErrorCode.UNAUTHENTICATED:  # the SDK signs by the machine's clock
        date = about.get("HTTPHeaders", {}).get("date", "")
        return answered(operation, name, words=unauthenticated(name, date=date, now=datetime.now(UTC)))
    if needs and name in DENIED:
        return failure(found.code, operation, f"needs {needs}")
    if found.code is ErrorCode.FORBIDDEN:  # names who may not do what, and nothing that was sent
        return failure(found.code, operation, str(told.get("Message", ""))[:300] or found.message)
    return found
