"""What happens to clients when the process ends, is asked to end, or forks."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import time
import weakref
from functools import cache
from types import FrameType
from typing import Final, Protocol

from tuppence import process

EXIT_TIMEOUT: Final = 1.0
"""Seconds that ending may take for a last try to send, all clients together."""


class Living(Protocol):
    """What this file looks after."""

    def close(self, timeout: float) -> bool:
        """Send what is left within `timeout` seconds, and let go."""

    def reset(self) -> bool:
        """Forget what is a parent process's; return whether it had a thread there."""


class _Process:
    """What is known of this process."""

    def __init__(self) -> None:
        self.clients: weakref.WeakSet[Living] = weakref.WeakSet()
        self.mark = process.mark()
        self.threads_are_safe = True


def register(client: Living) -> None:
    """Look after this client for as long as it lives."""
    _process().clients.add(client)
    _notice_sigterm()


def notice_fork() -> None:
    """Reset every client, if this process was forked and nobody has said so.

    Where the parent had a thread of ours, no thread may be started here any more. That thread may have been
    waiting for the interpreter's lock. A copy of a lock with a waiter who is not there can block for ever
    whoever releases it, once there is another thread that waits for it.
    """
    found = _process()
    if not found.mark[0]:
        had_thread = [client.reset() for client in list(found.clients)]
        found.threads_are_safe = found.threads_are_safe and not any(had_thread)
        found.mark = process.mark()


def may_start_thread() -> bool:
    """Return whether a thread may be started in this process.

    In uWSGI's master none may: it is about to fork, runs no other thread then, and has no use for one later.
    """
    return _process().threads_are_safe and not _is_uwsgi_master()


def _is_uwsgi_master() -> bool:
    uwsgi = sys.modules.get("uwsgi")
    try:
        return uwsgi is not None and bool(uwsgi.masterpid()) and not uwsgi.worker_id()
    except AttributeError:  # a module of that name that is another
        return False


def _close_all() -> None:
    until = time.monotonic() + EXIT_TIMEOUT
    for client in list(_process().clients):
        client.close(max(0.0, until - time.monotonic()))


def _after_fork() -> None:
    found = _process()
    for client in list(found.clients):
        client.reset()
    found.mark = process.mark()
    found.threads_are_safe = True  # Python has made its lock anew


@cache
def _process() -> _Process:
    """Return what is known of this process; the first call puts the hooks in place."""
    atexit.register(_close_all)
    os.register_at_fork(after_in_child=_after_fork)
    return _Process()


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
