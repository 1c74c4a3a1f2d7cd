"""Real threads, also where gevent or eventlet has put greenlets in their place.

Packing and sending take tens of milliseconds of work at a time. In a greenlet nothing else of the application
would run meanwhile; a thread shares the interpreter with the others every few milliseconds.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from math import isclose
from typing import Any, Final

LONGEST_FORK_S: Final = 1.0
"""How long a fork waits for a thread that is loading modules."""
SWITCH_S: Final = 0.0005
"""After how long a thread that is loading modules hands the interpreter to another that asks for it. Python's
own answer is 5 ms, https://docs.python.org/3/library/sys.html#sys.setswitchinterval: for a greenlet hub, five
milliseconds in which nothing of the application runs, again and again."""


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


class _Loading:
    """What keeps a fork out of the middle of an import, where a child would find half a module for ever.

    Attributes:
        lock: held by whoever loads.
        kept_by_fork: whether a fork holds it.
        broken: whether this process was forked in the middle all the same.
        usual_switch_s: the application's switch interval, while it is another.

    """

    def __init__(self) -> None:
        self.lock = original("_thread", "allocate_lock")()
        self.kept_by_fork = False
        self.broken = False
        self.usual_switch_s: float | None = None

    def switch_often(self) -> None:
        """Let the application's threads have the interpreter sooner than usual."""
        usual = sys.getswitchinterval()
        if usual > SWITCH_S:
            self.usual_switch_s = usual
            sys.setswitchinterval(SWITCH_S)

    def switch_as_usual(self) -> None:
        """Undo `switch_often`, unless the application has set an interval of its own meanwhile."""
        usual, self.usual_switch_s = self.usual_switch_s, None
        if usual is not None and isclose(sys.getswitchinterval(), SWITCH_S):
            sys.setswitchinterval(usual)


@cache
def _loading() -> _Loading:
    return _Loading()


@contextmanager
def loading() -> Iterator[None]:
    """Load modules, which `os.fork` waits for. Raises `ImportError` where a parent left half of them."""
    found = _loading()
    if found.broken:
        raise ImportError("it was forked while its parent was loading what sends")
    with found.lock:
        found.switch_often()
        try:
            yield
        finally:
            found.switch_as_usual()


def before_fork() -> None:
    """Wait until no thread of ours is loading, but not for long."""
    found = _loading()
    if found.lock.acquire(timeout=LONGEST_FORK_S):
        found.kept_by_fork = True


def after_fork_in_parent() -> None:
    """Let threads load again."""
    found = _loading()
    if found.kept_by_fork:
        found.kept_by_fork = False
        found.lock.release()


def after_fork_in_child() -> None:
    """Begin anew: whoever had the lock is not here."""
    found = _loading()
    if found.lock.locked() and not found.kept_by_fork:
        found.broken = True
    found.switch_as_usual()
    found.lock, found.kept_by_fork = original("_thread", "allocate_lock")(), False


def _prepare_gevent() -> None:
    """Have gevent load what a hub needs.

    It does so where one is first needed. Its locks, those of imports included, need a hub to wait for each
    other, so two threads that load at once fail both.
    """
    patched = sys.modules.get("gevent.monkey")
    if patched is not None and patched.is_module_patched("_thread"):
        import_module("gevent").get_hub()
