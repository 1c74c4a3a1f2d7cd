"""What happens to clients when the process ends, is asked to end, or forks."""

from __future__ import annotations

import atexit
import os
import signal
import threading
import time
import weakref
from functools import cache
from types import FrameType
from typing import Protocol

from tuppence.capture import instances, threads
from tuppence.capture.instance import EXIT_TIMEOUT


class Living(Protocol):
    """What this file looks after."""

    def close(self, timeout: float) -> bool:
        """Send what is left within `timeout` seconds, and let go."""


def register(client: Living) -> None:
    """Look after this client for as long as it lives."""
    _clients().add(client)
    _notice_sigterm()


def _close_all() -> None:
    """Close every client, and end what clients that are gone have left."""
    until = time.monotonic() + EXIT_TIMEOUT
    for client in list(_clients()):
        client.close(max(0.0, until - time.monotonic()))
    for instance in instances.running():
        instances.end(instance, max(0.0, until - time.monotonic()))


@cache
def _clients() -> weakref.WeakSet[Living]:
    """Return the clients there are; the first call puts the hooks in place."""
    atexit.register(_close_all)
    os.register_at_fork(
        before=threads.before_fork,
        after_in_parent=threads.after_fork_in_parent,
        after_in_child=instances.after_fork,
    )
    return weakref.WeakSet()


def _notice_sigterm() -> None:
    """Have SIGTERM send what is left, where nobody else has plans for it.

    Python's own reaction ends the process without a word to `atexit`, and a container's disk may end with
    it. A server that handles SIGTERM ends by itself, and then `atexit` does the same.
    """
    if (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    ):
        signal.signal(signal.SIGTERM, _terminate)


def _terminate(number: int, _: FrameType | None) -> None:
    """Send what is left, then end as the signal would have."""
    _close_all()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
