"""A queue at an HTTP address that takes what it is sent, and never gives it back.

Options: `BenchOptions`.
Delivery: none; there is nothing to receive.
Errors: 429 is THROTTLED, what is not 200 UNAVAILABLE.
"""

from __future__ import annotations

from collections.abc import Sequence
from http.client import HTTPException
from typing import Any, Final, NoReturn

import msgspec

from tuppence.clock import Deadline
from tuppence.connection import Connection
from tuppence.drivers import Context, ItemError, Limits, Message, QueueDriver
from tuppence.errors import DriverError, ErrorCode

_OK: Final = 200
_TOO_MANY: Final = 429


class BenchOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where it is."""

    endpoint: str


class BenchQueue(QueueDriver):
    """One request for each call."""

    Options = BenchOptions
    limits = Limits(batch_items=10, batch_bytes=1024 * 1024, item_bytes=64 * 1024)

    def __init__(self, options: BenchOptions, context: Context) -> None:
        super().__init__(options, context)
        self._connection = Connection(options.endpoint)

    def check(self) -> None:
        """Do nothing: it is there, or fails at the first call, as the bench wants it."""

    def send(self, messages: Sequence[Message], /, *, deadline: Deadline) -> Sequence[ItemError]:
        """Hand over messages."""
        body = b"".join(message.body for message in messages)
        try:
            answer = self._connection.request("POST", "/", {}, body, deadline=deadline)
        except TimeoutError as error:
            raise _error(ErrorCode.TIMEOUT, "send", "no answer in time") from error
        except (OSError, HTTPException) as error:
            raise _error(ErrorCode.UNAVAILABLE, "send", str(error)) from error
        if answer.status != _OK:
            code = ErrorCode.THROTTLED if answer.status == _TOO_MANY else ErrorCode.UNAVAILABLE
            raise _error(code, "send", f"status {answer.status}")
        return ()

    def _never(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse: nothing is kept."""
        raise _error(ErrorCode.UNSUPPORTED, "receive", "nothing is kept here")

    receive = extend = ack = nack = depth = _never

    def close(self) -> None:
        """Let the connection go."""
        self._connection.close()


def _error(code: ErrorCode, operation: str, words: str) -> DriverError:
    return DriverError(code, operation=f"queue.{operation}", provider="bench", message=words)
