"""Every error tuppence raises, and the codes that programs act on.

TuppenceError
├── ConfigError      a setting is wrong: names the key, the file and what to write instead
├── PluginError      a provider is missing, broken or of another interface version
├── InvalidEvent     something from outside cannot be an event
├── BadBatch         bytes that are no batch of a version this release can read
├── DeployError      cloud resources could not be made or removed: says what to do next
└── DriverError      the only error that crosses a driver's interface
"""

from __future__ import annotations

from enum import StrEnum


class TuppenceError(Exception):
    """The base of every error of this package."""


class ConfigError(TuppenceError):
    """A setting is wrong. Raised at start-up only."""


class PluginError(TuppenceError):
    """A provider cannot be used. Raised at start-up only."""


class InvalidEvent(TuppenceError):  # noqa: N818 - it names a thing, as the words of the design do
    """What was handed in cannot be an event; the message says why, without repeating its content."""


class BadBatch(TuppenceError):  # noqa: N818 - as InvalidEvent
    """Bytes that cannot be read as a batch."""


class DeployError(TuppenceError):
    """Cloud resources could not be made or removed.

    Args:
        message: why.
        next_step: what to do about it, a sentence.

    """

    def __init__(self, message: str, next_step: str) -> None:
        super().__init__(message)
        self.next_step = next_step


class ErrorCode(StrEnum):
    """What went wrong in a driver, in words that are the same on every provider."""

    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"
    TIMEOUT = "timeout"
    NOT_FOUND = "not_found"
    ALREADY_EXISTS = "already_exists"
    INVALID = "invalid"
    TOO_LARGE = "too_large"
    CONFLICT = "conflict"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    UNSUPPORTED = "unsupported"
    UNKNOWN = "unknown"

    @property
    def retryable(self) -> bool:
        """Whether the same call may succeed later. `UNKNOWN` is retried too, within the same bounds."""
        return self in _RETRYABLE


_RETRYABLE = frozenset({ErrorCode.THROTTLED, ErrorCode.UNAVAILABLE, ErrorCode.TIMEOUT, ErrorCode.UNKNOWN})


class DriverError(TuppenceError):
    """A driver's call failed. The SDK's own error, where there is one, is the `__cause__`.

    Args:
        code: what went wrong.
        operation: kind and method, as in `queue.send`.
        provider: the provider's name.
        message: for people; never holds a payload or a secret.
        retry_after: seconds the service asked to be left alone for, where it said so.

    """

    def __init__(
        self,
        code: ErrorCode,
        *,
        operation: str,
        provider: str,
        message: str = "",
        retry_after: float | None = None,
    ) -> None:
        text = f"{provider} {operation}: {code.value}"
        super().__init__(f"{text}: {message}" if message else text)
        self.code = code
        self.operation = operation
        self.provider = provider
        self.message = message
        self.retry_after = retry_after


_OF_ITEMS = frozenset({ErrorCode.INVALID, ErrorCode.TOO_LARGE})


def of_no_item(error: DriverError) -> DriverError:
    """Return an error that is not about an item as one that no item is given up for.

    A driver that makes several requests in a call gives it to the items whose request failed as a whole, or
    was not made any more.
    """
    if error.code not in _OF_ITEMS:
        return error
    unnamed = DriverError(
        ErrorCode.UNKNOWN, operation=error.operation, provider=error.provider, message=error.message
    )
    unnamed.__cause__ = error
    return unnamed
