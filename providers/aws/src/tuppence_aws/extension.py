"""For an application that runs on Lambda itself: sends what it captured after its answer has gone out.

    tp = tuppence.Client()
    handler = tuppence_aws.extension.wrap(handler, client=tp)

Lambda freezes a process once its runtime and every extension have asked for the next call, and hands the
answer over without waiting for extensions. So a thread of this process registers as an internal extension,
and asks when it has sent. The wrapped handler tells it when the answer is made, which Lambda does not.
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
"""

from __future__ import annotations

import http.client
import logging
import os
import queue
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, Final

from tuppence.capture.client import Client
from tuppence.clock import Clock, SystemClock
from tuppence_aws.extensions_api import Call, ExtensionsApi

Handler = Callable[[Any, Any], Any]

log = logging.getLogger("tuppence")

API: Final = "AWS_LAMBDA_RUNTIME_API"
"""Where Lambda tells a function's process the address of its API; set nowhere else."""
WITHIN: Final = 1.0
"""Seconds that sending may put off the freeze. Lambda bills them."""
AFTER_FAILURE: Final = timedelta(seconds=30)
"""How long before the next try where the queue did not take everything in time."""
UNUSED: Final = 1.0
"""Seconds after which a call that has not come to the handler will not come."""
NOTICE: Final = 0.5
"""Seconds from SIGTERM to SIGKILL.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html#runtimes-lifecycle-shutdown
"""
MARGIN: Final = 0.2
"""Seconds before the call's own deadline in which nothing is begun any more."""
_NAME: Final = "tuppence"


def wrap(handler: Handler, *, client: Client, within: float = WITHIN) -> Handler:
    """Return the handler with sending behind its answer; outside Lambda, the handler as it is.

    To be called while the function's module loads: Lambda takes no registration later. What was captured is
    sent behind the first answer, then once in every `capture.flush_interval`, and when Lambda ends the
    process: registering is also what makes it send SIGTERM first, and wait for half a second.

    Args:
        handler: what Lambda calls, with event and context.
        client: what the handler captures with.
        within: seconds that sending may put off the freeze.

    """
    address = os.environ.get(API)
    if not address:
        return handler
    try:
        api = ExtensionsApi(address, _NAME)
        api.register()
    except (OSError, http.client.HTTPException) as error:
        log.warning("tuppence: events are sent while later calls run, as this is no extension: %s", error)
        return handler
    extension = _Extension(api, client, within)
    extension.start()

    @wraps(handler)
    def answering(event: Any, context: Any) -> Any:
        request_id = getattr(context, "aws_request_id", "")
        extension.begun(request_id)
        try:
            return handler(event, context)
        finally:
            extension.answered(request_id)

    return answering


class _Extension:
    """The thread that holds the freeze up until what is due has been sent."""

    def __init__(self, api: ExtensionsApi, client: Client, within: float) -> None:
        self._api = api
        self._client = client
        self._within = within
        self._begun = ""
        self._used = True
        self._answered: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._pace = Pace(client.config.capture.flush_interval, SystemClock())
        self._sent = 0

    def start(self) -> None:
        """Begin to ask for calls."""
        threading.Thread(target=self._serve, name="tuppence-extension", daemon=True).start()

    def begun(self, request_id: str) -> None:
        """Say that a call has come to the wrapped handler."""
        self._begun, self._used = request_id, True

    def answered(self, request_id: str) -> None:
        """Say that a call's answer is made."""
        self._answered.put(request_id)

    def _serve(self) -> None:
        try:
            while (call := self._api.next()) is not None:
                if self._used:
                    self._behind(call)
            self._client.close(NOTICE)
        except Exception as error:  # noqa: BLE001 - without Lambda's API there is no next call to wait for
            log.warning("tuppence: events are sent while later calls run, as the extension ended: %s", error)

    def _behind(self, call: Call) -> None:
        """Wait until the call's answer is made, or almost too late, and send what is due."""
        ends = call.deadline_ms / 1000 - MARGIN
        left = ends - time.time()
        patience = max(left / 2, left - self._within)
        answered = self._wait(call, min(patience, UNUSED))
        if not answered and patience >= UNUSED and self._begun != call.request_id:
            self._used = False
            log.warning(
                "tuppence: Lambda calls another handler than the wrapped one, behind which nothing is sent"
            )
            return
        answered = answered or self._wait(call, patience - UNUSED)
        if self._pace.due or not answered:
            self._send(min(self._within, ends - time.time()))

    def _wait(self, call: Call, seconds: float) -> bool:
        """Return whether the call's answer is made within some seconds; those of earlier calls go by."""
        end = time.monotonic() + seconds
        try:
            while self._answered.get(timeout=max(0.0, end - time.monotonic())) != call.request_id:
                pass
        except queue.Empty:
            return False
        return True

    def _send(self, seconds: float) -> None:
        captured = self._client.stats.captured
        if seconds <= 0 or captured == self._sent:
            return
        try:
            done = self._client.flush(seconds)
        except Exception:  # the disk, say; Lambda waits for this thread to ask for the next call
            log.exception("tuppence: sending failed, and is tried again")
            done = False
        self._sent = captured if done else self._sent
        self._pace.tried(done=done)


class Pace:
    """When to send again: after an interval, and not too soon where that failed.

    By the clock on the wall, which a freeze does not stop; where it was set, forward or back, sending is due.
    """

    def __init__(self, interval: timedelta, clock: Clock) -> None:
        self._interval = interval
        self._clock = clock
        self._tried = datetime.min.replace(tzinfo=UTC)
        self._pause = interval

    @property
    def due(self) -> bool:
        """Whether to send."""
        return abs(self._clock.now() - self._tried) >= self._pause

    def tried(self, *, done: bool) -> None:
        """Take note of what came of sending."""
        self._tried = self._clock.now()
        self._pause = self._interval if done else max(self._interval, AFTER_FAILURE)
