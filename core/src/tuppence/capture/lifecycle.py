"""What happens to clients when the interpreter ends or the process forks."""

from __future__ import annotations

import atexit
import os
import time
import weakref
from functools import cache
from typing import Final, Protocol

EXIT_TIMEOUT: Final = 1.0
"""Seconds that leaving the interpreter may take for a last try to send, all clients together."""


class Living(Protocol):
    """What this file looks after."""

    def close(self, timeout: float) -> bool:
        """Send what is left within `timeout` seconds, and let go."""

    def reset(self) -> None:
        """Start anew in a forked child."""


def register(client: Living) -> None:
    """Look after this client for as long as it lives."""
    _clients().add(client)


@cache
def _clients() -> weakref.WeakSet[Living]:
    """Return the clients there are; the first call puts the hooks in place."""
    clients: weakref.WeakSet[Living] = weakref.WeakSet()

    def close_all() -> None:
        until = time.monotonic() + EXIT_TIMEOUT
        for client in list(clients):
            client.close(max(0.0, until - time.monotonic()))

    def reset_all() -> None:
        for client in list(clients):
            client.reset()

    atexit.register(close_all)
    os.register_at_fork(after_in_child=reset_all)
    return clients
