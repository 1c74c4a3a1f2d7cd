"""The provider's errors: what Google's services answer, as codes and words."""

from __future__ import annotations

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
_SPOKEN: Final = frozenset({ErrorCode.FORBIDDEN, ErrorCode.UNAUTHENTICATED})
"""What the service's own words are repeated for: they name who may not do what, and nothing that was sent."""
_WORDS: Final = 300
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


class _Told(msgspec.Struct):
    status: str = ""
    message: str = ""
    details: list[dict[str, Any]] = []


class _Refusal(msgspec.Struct):
    error: _Told


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


def refused(operation: str, answer: Answer) -> Refused:
    """Return what a service answered as an error of this provider.

    The service's own words are mostly left out: they may repeat what was sent.
    """
    try:
        told = msgspec.json.decode(answer.body, type=_Refusal).error
    except msgspec.MsgspecError:
        told = _Told()
    code = _CODES.get(told.status) or code_of(answer.status)
    words = told.status or f"status {answer.status}"
    if code in _SPOKEN and told.message:
        words = told.message[:_WORDS]
    asked = answer.headers.get("retry-after", "")
    error = Refused(
        code,
        operation=operation,
        provider=PROVIDER,
        message=words,
        retry_after=float(asked) if asked.isdecimal() else None,
    )
    error.details = [detail for raw in told.details if (detail := _detail(raw))]
    return error


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


def _detail(raw: dict[str, Any]) -> Detail | None:
    try:
        return msgspec.convert(raw, Detail)
    except msgspec.ValidationError:
        return None
