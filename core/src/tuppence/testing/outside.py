"""Looks at a driver from outside: what it does to the machine, and how it fares in a forked child."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

import pytest

CHILD_SECONDS: Final = 60.0
"""How long a forked child may take before it counts as hung."""
INPUT_OUTPUT: Final = frozenset(
    {
        "socket.connect",
        "socket.getaddrinfo",
        "socket.sendto",
        "sqlite3.connect",
        "subprocess.Popen",
        "os.mkdir",
    }
)
"""Audit events (https://docs.python.org/3/library/audit_events.html) that mean I/O of a driver's.

Reading files is not among them: importing a module and loading an SDK's descriptions of its services do it.
"""

_watching: Final = threading.local()
_hooked: Final[list[bool]] = []


@contextmanager
def without_io() -> Iterator[None]:
    """Fail if this thread connects, starts or makes anything within the block."""
    if not _hooked:  # an audit hook stays for good, so there is one, which is idle outside of such a block
        sys.addaudithook(_note)
        _hooked.append(True)
    seen: list[str] = []
    _watching.events = seen
    try:
        yield
    finally:
        _watching.events = None
    assert not seen, f"did I/O: {', '.join(seen)}"


def _note(event: str, _: tuple[Any, ...]) -> None:
    seen = getattr(_watching, "events", None)
    if seen is not None and event in INPUT_OUTPUT:
        seen.append(event)


@contextmanager
def interrupted_after(seconds: float, words: str) -> Iterator[None]:
    """Fail with `words` where the block takes longer, on systems that can interrupt what hangs.

    A timer that runs already, as of pytest-timeout, goes on afterwards.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def fail(_signal: int, _frame: FrameType | None) -> None:
        pytest.fail(words)

    handler = signal.signal(signal.SIGALRM, fail)
    start = time.monotonic()
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(0.01, left - (time.monotonic() - start)), interval)


def in_child(work: Callable[[], object]) -> str:
    """Do `work` in a forked child; return its traceback, or nothing where all went well."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _work_and_die(work, writer)
    os.close(writer)
    with open(reader, "rb") as answer:  # noqa: PTH123 - a file descriptor has no path
        ready, _, _ = select.select([answer], [], [], CHILD_SECONDS)
        if not ready:
            os.kill(child, signal.SIGKILL)
        told = answer.read().decode()
    _, status = os.waitpid(child, 0)
    return told if os.waitstatus_to_exitcode(status) == 0 else f"{told}the child hung or died"


def _work_and_die(work: Callable[[], object], writer: int) -> None:
    """Leave without running what the parent has registered for its own end."""
    code = 1
    try:
        try:
            work()
        except BaseException:  # noqa: BLE001 - whatever it is, the parent prints it
            os.write(writer, traceback.format_exc().encode())
        code = 0
    finally:
        os._exit(code)
