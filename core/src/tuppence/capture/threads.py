"""Real threads, also where gevent or eventlet has put greenlets in their place.

Packing and sending take tens of milliseconds of work at a time. In a greenlet nothing else of the application
would run meanwhile; a thread shares the interpreter with the others every few milliseconds.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any


def start(target: Callable[[], None]) -> None:
    """Run `target` in a thread.

    Not with `Thread.start`, which waits for the thread: where a signal handler forks meanwhile, the child
    would wait for ever.
    """
    _prepare_gevent()
    original("_thread", "start_new_thread")(target, ())


def sleep(seconds: float) -> None:
    """Let other threads have the interpreter for so long."""
    original("time", "sleep")(seconds)


def original(module: str, name: str) -> Any:
    """Return what a module of the standard library had under a name before anyone replaced it."""
    if "gevent.monkey" in sys.modules:
        return sys.modules["gevent.monkey"].get_original(module, name)
    if "eventlet.patcher" in sys.modules:
        return getattr(sys.modules["eventlet.patcher"].original(module), name)
    return getattr(import_module(module), name)


def _prepare_gevent() -> None:
    """Have gevent load what a hub needs.

    It does so where one is first needed. Its locks, those of imports included, need a hub to wait for each
    other, so two threads that load at once fail both.
    """
    patched = sys.modules.get("gevent.monkey")
    if patched is not None and patched.is_module_patched("_thread"):
        import_module("gevent").get_hub()
