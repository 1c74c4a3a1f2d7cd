"""The provider's errors: what Google's services answer, as codes and words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from tuppence.connection import Answer, code_of
from tuppence.errors import DriverError, ErrorCode

PROVIDER: Final = "gcp"

_CODES: Final[Mapping[str, ErrorCode]] = {
    "CANCELLED": ErrorCode.UNAVAILABLE,
    "INVALID_ARGUMENT": ErrorCode.INVALID,
    "DEADLINE_EXCEEDED": ErrorCode.TIMEOUT,
    "NOT_FOUND": ErrorCode.NOT_FOUND,
    "ALREADY_EXISTS": ErrorCode.ALREADY_EXISTS,
    "PERMISSION_DENIED": ErrorCode.FORBIDDEN,
    "RESOURCE_EXHAUSTED": ErrorCode.THROTTLED,
    "FAILED_PRECONDITION": ErrorCode.CONFLICT,
    "ABORTED": ErrorCode.THROTTLED,  # others write the same documents
    "OUT_OF_RANGE": ErrorCode.INVALID,
    "UNIMPLEMENTED": ErrorCode.UNSUPPORTED,
    "INTERNAL": ErrorCode.UNAVAILABLE,
    "UNAVAILABLE": ErrorCode.UNAVAILABLE,
    "UNAUTHENTICATED": ErrorCode.UNAUTHENTICATED,
}
"""By the names of https://grpc.io/docs/guides/status-codes, read November 2026."""
_NUMBERS: Final[Mapping[int, str]] = {
    1: "CANCELLED",
    3: "INVALID_ARGUMENT",
    4: "DEADLINE_EXCEEDED",
    5: "NOT_FOUND",
    6: "ALREADY_EXISTS",
    7: "PERMISSION_DENIED",
    8: "RESOURCE_EXHAUSTED",
    9: "FAILED_PRECONDITION",
    10: "ABORTED",
    11: "OUT_OF_RANGE",
    12: "UNIMPLEMENTED",
    13: "INTERNAL",
    14: "UNAVAILABLE",
    16: "UNAUTHENTICATED",
}
_PRECONDITION: Final = "FAILED_PRECONDITION"
_SPOKEN: Final = frozenset({"PERMISSION_DENIED", "UNAUTHENTICATED", _PRECONDITION})
"""What the service's own words are repeated for: they say who may not do what, or the state of a resource,
and repeat nothing that was sent."""
_WORDS: Final = 300
_RETRY_INFO: Final = "type.googleapis.com/google.rpc.RetryInfo"
"""https://cloud.google.com/apis/design/errors, read November 2026."""
_DURATION: Final = re.compile(r"(\d{1,5}(?:\.\d{1,9})?)s")
_OFF: Final = "SERVICE_DISABLED"
"""The reason of a refusal (https://cloud.google.com/apis/design/errors, not verified)."""
_LOST: Final = "PERMANENT_FAILURE_"
_BUSY: Final = "TRANSIENT_FAILURE_"
"""How exactly-once delivery begins what became of a receipt.

https://cloud.google.com/pubsub/docs/exactly-once-delivery, read November 2026.
"""


class Detail(msgspec.Struct):
    """What an error says beside its code; of what there is, only what is read here."""

    reason: str = ""
    metadata: dict[str, str] = {}


class ErrorBody(msgspec.Struct):
    """An error as the services write it, in an answer of its own or as an element of a stream.

    Attributes:
        code: an HTTP status, or a number of gRPC's in what was not made for HTTP.
        status: the name of gRPC's code.
        message: the service's own words.
        details: what is said beside that.

    """

    code: int = 0
    status: str = ""
    message: str = ""
    details: list[dict[str, Any]] = []


class _Refusal(msgspec.Struct):
    error: ErrorBody


class Refused(DriverError):  # noqa: N818 - it names a thing, as core's errors do
    """An answer that was an error.

    Attributes:
        details: what it says beside its code.

    """

    details: list[Detail]


def failure(
    code: ErrorCode, operation: str, message: str, *, retry_after: float | None = None
) -> DriverError:
    """Return an error of this provider."""
    return DriverError(code, operation=operation, provider=PROVIDER, message=message, retry_after=retry_after)


def too_large(operation: str, size: int, limit: int) -> DriverError:
    """Return the error of an item over a limit, both in bytes."""
    return failure(ErrorCode.TOO_LARGE, operation, f"{size} bytes; at most {limit}")


def numbered(operation: str, number: int) -> DriverError:
    """Return the error of one item of a call, by the number of its code."""
    name = _NUMBERS.get(number, "UNKNOWN")
    return failure(_CODES.get(name, ErrorCode.UNKNOWN), operation, name)


def refused(operation: str, answer: Answer, *, private: bool = True) -> Refused:
    """Return what a service answered as an error of this provider.

    Args:
        operation: kind and method.
        answer: one whose status is no success. Of a call that streams, its body is a list.
        private: whether the request held what people sent. Then the service's own words are mostly left out,
            since they may repeat it.

    """
    body = _error_body(answer.body)
    asked = answer.headers.get("retry-after", "")
    return error_in_answer(
        operation,
        body,
        status=answer.status,
        retry_after=float(asked) if asked.isdecimal() else None,
        private=private,
    )


def error_in_answer(
    operation: str,
    body: ErrorBody,
    *,
    status: int = 0,
    retry_after: float | None = None,
    private: bool = True,
) -> Refused:
    """Return an error that an answer holds as an error of this provider.

    Args:
        operation: kind and method.
        body: the error.
        status: of HTTP; without one, that in the error itself counts.
        retry_after: seconds that the answer's headers ask for.
        private: as for `refused`.

    """
    name = body.status or _NUMBERS.get(body.code, "")
    number = status or body.code
    code = _CODES.get(name) or code_of(number)
    words = name or f"status {number}"
    if body.message and (name in _SPOKEN or not private):
        words = f"{name}: {body.message[:_WORDS]}" if name == _PRECONDITION else body.message[:_WORDS]
    if retry_after is None:
        retry_after = next(filter(None, map(_retry_delay, body.details)), None)
    error = Refused(code, operation=operation, provider=PROVIDER, message=words, retry_after=retry_after)
    error.details = [detail for raw in body.details if (detail := _detail(raw))]
    return error


def incomplete(operation: str) -> DriverError:
    """Return the error of an answer that lacks a part of what it should hold, or holds what it should not."""
    return failure(ErrorCode.UNAVAILABLE, operation, "the answer is incomplete")


def switched_off(error: DriverError, operation: str) -> DriverError | None:
    """Return that a service was never enabled in the project, where that is what an error says."""
    for detail in getattr(error, "details", ()):
        if detail.reason == _OFF:
            service = detail.metadata.get("service", "the service")
            words = f"{service} is not enabled in the project; `tuppence deploy` enables it"
            return failure(ErrorCode.NOT_FOUND, operation, words)
    return None


def failed_alone(operation: str, error: Refused) -> dict[str, DriverError]:
    """Return what became of the receipts that an error names, where a subscription delivers exactly once."""
    return {
        handle: failure(
            ErrorCode.NOT_FOUND if said.startswith(_LOST) else ErrorCode.UNAVAILABLE, operation, said
        )
        for detail in error.details
        for handle, said in detail.metadata.items()
        if said.startswith((_LOST, _BUSY))
    }


def is_check(operation: str) -> bool:
    """Whether an operation only looks at resources, so that its requests hold nothing but their names."""
    return operation.endswith(".check")


def _error_body(content: bytes) -> ErrorBody:
    """Return the error that an answer's body says, an empty one where it says none."""
    try:
        found = msgspec.json.decode(content, type=_Refusal | list[_Refusal])
    except msgspec.MsgspecError:
        return ErrorBody()
    if isinstance(found, _Refusal):
        return found.error
    return found[0].error if found else ErrorBody()


def _retry_delay(raw: dict[str, Any]) -> float | None:
    """Return the seconds that a detail asks to wait, if it is one that does."""
    if raw.get("@type") != _RETRY_INFO:
        return None
    found = _DURATION.fullmatch(str(raw.get("retryDelay", "")))
    return float(found[1]) if found else None


def _detail(raw: dict[str, Any]) -> Detail | None:
    try:
        return msgspec.convert(raw, Detail)
    except msgspec.ValidationError:
        return None
