"""Tells a process from the children that are forked from it, also by code that runs none of Python's hooks.

uWSGI forks in C and, unless asked, runs no hook of Python's; so do C libraries that start workers. A child
then has copies of its parent's objects and nobody tells it. So whatever must not be shared carries a mark,
and looks at it when it is used.
"""

from __future__ import annotations

import mmap
import os
import sys
from typing import Final, Protocol

_WIPE_ON_FORK: Final = 18
"""`MADV_WIPEONFORK` of Linux 4.14, https://man7.org/linux/man-pages/man2/madvise.2.html. Python has no name
for it."""
_NO_ADVICE: Final = -1


class Mark(Protocol):
    """Its item 0 is true in the process that made it, and false in every process forked from that one.

    An item and not a method, since looking at a page takes 40 ns, and asking for the process id 200.
    """

    def __getitem__(self, index: int, /) -> int:
        """Return whether this is the process that made the mark."""


def mark() -> Mark:
    """Return a new mark of this process."""
    return _wiped_page() or ProcessIdMark()


class ProcessIdMark:
    """A mark for systems whose kernel wipes no page in a forked child."""

    __slots__ = ("_id",)

    def __init__(self) -> None:
        self._id = os.getpid()

    def __getitem__(self, index: int, /) -> int:
        return self._id == os.getpid()


def _wiped_page() -> mmap.mmap | None:
    """Return a page of memory that the kernel fills with zeros in a forked child, if it knows how to."""
    if sys.platform != "linux":
        return None
    page = mmap.mmap(-1, mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    try:
        page.madvise(_WIPE_ON_FORK)
    except OSError:  # an older kernel
        return None
    try:
        page.madvise(_NO_ADVICE)
    except OSError:
        page[0] = 1
        return page
    return None  # an emulator that takes any advice, and heeds none


def is_uwsgi_master() -> bool:
    """Return whether this is uWSGI's master, before it forks or after.

    It runs no thread of Python's unless asked, and a thread that waits there is copied into every worker.
    """
    uwsgi = sys.modules.get("uwsgi")
    try:
        return uwsgi is not None and bool(uwsgi.masterpid()) and not uwsgi.worker_id()
    except AttributeError:  # a module of that name that is another
        return False
