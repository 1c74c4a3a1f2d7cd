"""One run of a capturing process: its journal, its lock and its thread."""

from __future__ import annotations

import logging
import math
import os
import queue
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from itertools import count
from pathlib import Path
from string import ascii_lowercase
from typing import TYPE_CHECKING, Final

from tuppence import process
from tuppence.capture import places, threads
from tuppence.capture.journal import FileSegments, Journal, MemorySegments
from tuppence.capture.packer import Packer
from tuppence.capture.places import Lock
from tuppence.capture.set_aside import SetAsideFolder
from tuppence.capture.state import FileOutbox, MemoryOutbox
from tuppence.clock import Clock
from tuppence.config import Config
from tuppence.errors import ConfigError

if TYPE_CHECKING:
    from tuppence.capture.sender import Sender
    from tuppence.queue import Queue
    from tuppence.runtime import Runtime

log = logging.getLogger("tuppence")

EXIT_TIMEOUT: Final = 1.0
"""Seconds that ending may take for a last try to send, all clients together."""
TICK: Final = 0.5
"""Seconds between two looks at the journals, and so the longest a process stays without a sender."""
_POLL: Final = 0.01
_LOOK: Final = 0.1
"""Seconds between two looks of a flush at its journal, where the thread of this process has done nothing
meanwhile: another process may. Each is some fifty system calls in the caller's thread or greenlet."""
_ID_LETTERS: Final = 14
"""Of each part of a name: 66 bits. Letters alone, since redaction replaces what reads like a number."""


class Instance:
    """Everything that a forked child must not share. Made when a client first captures.

    Args:
        config: the configuration of its clients.
        clock: theirs.
        key: tells it from other instances of the process.
        retire: takes it out of use if nobody uses it any more; returns whether it is to be ended.

    Attributes:
        mark: its item 0 is false in a forked child.
        captured: the highest number given to an event that was written.
        failed: how many events found no room.
        has_thread: whether a thread serves journals.
        has_ended: whether it has let go of everything.

    """

    def __init__(
        self, config: Config, clock: Clock, key: tuple[int, bytes, int], retire: Callable[[Instance], bool]
    ) -> None:
        self.mark = process.mark()
        self.key = key
        self._users: dict[int, weakref.ref[object]] = {}
        self.captured = 0
        self.failed = 0
        self.id = _new_id()
        self.numbers = count(1)
        self._config = config
        self._clock = clock
        self._retire = retire
        self._ends = [True]
        self._owner: Lock | None = None
        self._path: Path | None = None
        self._runtime: Runtime | None = None
        self._loaded: Queue | None = None
        self._memory: Packer | None = None
        try:
            self.journal = self._in_files()
        except (OSError, ValueError, ConfigError) as error:
            self.journal = self._in_memory(error)
        self.sender: Sender | None = None
        self.has_thread = False
        self.has_ended = False
        self._serving = threading.Lock()
        self._wake: queue.SimpleQueue[None] = threads.original("queue", "SimpleQueue")()
        self._closing_by: float | None = None
        self._set_aside = self._set_aside_at_flush = 0
        self._passes = 0

    def start(self, *, threaded: bool) -> None:
        """Begin to serve journals, in a thread; without one, `flush` and `close` serve them."""
        if threaded:
            self.has_thread = True
            threads.start(self._run)

    def discard(self) -> None:
        """Undo the making of an instance that is not needed."""
        self.journal.close()
        if self._path is not None and self._owner is not None:
            places.remove_instance(self._path)
            self._owner.release()

    @property
    def inherited(self) -> bool:
        """Whether it was made by the process that this one was forked from."""
        return not self.mark[0]

    def add_user(self, user: object) -> None:
        """Note that a client uses it."""
        reference = weakref.ref(user)
        self._users[id(reference)] = reference

    def remove_user(self, user: object) -> None:
        """Note that a client uses it no more."""
        self._users.pop(id(weakref.ref(user)), None)  # one object has one reference

    def has_users(self) -> bool:
        """Return whether any client uses it. Those that are gone are forgotten."""
        for name, user in list(self._users.items()):
            if user() is None:
                self._users.pop(name, None)
        return bool(self._users)

    def take_end(self) -> bool:
        """Return whether the caller is the one who has to end it: the first to ask is."""
        try:
            return self._ends.pop()
        except IndexError:
            return False

    @property
    def durable(self) -> bool:
        """Whether events survive the death of the process."""
        return self._path is not None

    def flush(self, timeout: float) -> bool:
        """Have everything captured so far sent; return whether the queue has it within `timeout` seconds.

        What was set aside since the last flush, or the start, is not in the queue.
        """
        if not self._config.configured:
            return False
        until = time.monotonic() + timeout
        number, offset = self.journal.position()
        self.journal.ask_flush()
        passes = self._passes
        self._wake.put(None)
        left: set[str] | None = None
        looked = time.monotonic()
        while True:
            if not self.has_thread:
                self._serve_here(until)
            now = time.monotonic()
            if self._passes != passes or now - looked >= _LOOK or now >= until:
                passes, looked = self._passes, now
                reader = self._reader()
                if left is None and reader.covers(number, offset):
                    left = set(reader.pending)
                if left is not None and not left.intersection(reader.pending):
                    before, self._set_aside_at_flush = self._set_aside_at_flush, self.events_set_aside()
                    return self._set_aside_at_flush <= before
            if now >= until:
                return False
            time.sleep(_POLL)

    def events_set_aside(self) -> int:
        """Return how many events of this instance the queue refused, the most that were seen so far."""
        if self._path is None:
            return self._reader().events_set_aside
        with suppress(OSError):
            there = SetAsideFolder(self._path.parent).events_of(self.id)
            self._set_aside = max(self._set_aside, there)
        return self._set_aside

    def close(self, timeout: float) -> bool:
        """Give the journal up, so that its end can be seen; return whether the queue has everything."""
        self._give_up(timeout)
        self._wake.put(None)
        if not self.has_thread:
            self._end_here(time.monotonic() + timeout)
        return self.ended(timeout)

    def ended(self, timeout: float) -> bool:
        """Wait for the end of what `close` began; return whether the queue has everything."""
        until = self._closing_by
        until = min(time.monotonic() + timeout, until or math.inf)
        while not self.has_ended and time.monotonic() < until:
            time.sleep(
                _POLL
            )  # and not with a lock: the end comes from a real thread, the caller may be a greenlet
        if self.events_set_aside():
            return False
        if self._path is None:
            return self.sender is not None and self.sender.empty
        return not self._path.exists()

    def abandon(self) -> None:
        """Let go, in a forked child, of what is the parent's."""
        self.journal.abandon()
        if self._owner is not None:
            self._owner.release()
        if self.sender is not None:
            self.sender.close()

    def _in_files(self) -> Journal:
        folder = places.directory(self._config)
        reason = places.unfit(places.base_directory(self._config))
        if reason:
            raise ValueError(f"{folder} is unfit for a journal: {reason}")
        places.prepared(folder)
        places.clear_orphans(folder, self._config, self._clock)
        path, owner = places.new_instance(folder, self.id)
        try:
            journal = Journal(FileSegments(path), self._config.capture.journal_bytes)
        except OSError:
            if not self.inherited:
                places.remove_instance(path)
            owner.release()
            raise
        self._path, self._owner = path, owner
        return journal

    def _in_memory(self, reason: Exception) -> Journal:
        log.warning("tuppence: events are kept in memory, and die with this process: %s", reason)
        segments = MemorySegments()
        self._memory = Packer(self.id, self._config.project, segments, MemoryOutbox())
        return Journal(segments, self._config.capture.journal_bytes)

    def _reader(self) -> Packer:
        """Return what is known of how far this journal has been sent, whoever sends it."""
        if self._memory is not None or self._path is None:
            assert self._memory is not None, "a journal is in files or in memory"
            return self._memory
        return Packer(self.id, self._config.project, FileSegments(self._path), FileOutbox(self._path))

    def _queue(self) -> Queue:
        if not self._config.configured:
            raise ConfigError("no queue is configured; `tuppence init` writes a configuration")
        if self._loaded is None:
            with threads.loading():  # in the sender's thread, off the application's start
                from tuppence.runtime import Runtime

                self._runtime = self._runtime or Runtime(self._config, clock=self._clock)
                self._loaded = self._runtime.queue
        return self._loaded

    def _made_sender(self) -> Sender:
        """Return what serves journals. Made in its thread, since it loads what the application need not."""
        with threads.loading():
            from tuppence.capture.sender import Sender

        folder = self._path.parent if self._path else None
        return Sender(self._config, folder, self._queue, self._clock, memory=self._memory)

    def _serve_here(self, until: float) -> None:
        """Serve journals once, in the caller's thread, and leave them to whoever else can."""
        with self._serving_until(until) as sender:
            if sender is not None:
                self._work(sender, flush=True, within=max(0.0, until - time.monotonic()))
                sender.close()

    def _end_here(self, until: float) -> None:
        """Send what is left, in the caller's thread."""
        with self._serving_until(until) as sender:
            if sender is not None:
                self._finish(sender, until)

    @contextmanager
    def _serving_until(self, until: float) -> Iterator[Sender | None]:
        """Lend a sender to one caller at a time, or none where that takes too long or none can be loaded."""
        if not self._serving.acquire(timeout=max(0.0, until - time.monotonic())):
            yield None
            return
        try:
            self.sender = self._load_sender()
            yield self.sender
        finally:
            self._serving.release()

    def _load_sender(self) -> Sender | None:
        """Return a sender, or nothing in a process that was forked while its parent was loading one."""
        try:
            return self._made_sender()
        except ImportError as error:
            log.warning("tuppence: this process cannot send, and leaves its events to others: %s", error)
            return None

    def _run(self) -> None:
        """Serve journals until this instance is closed or nobody uses it any more."""
        threading.current_thread().name = "tuppence-sender"
        self._rest(TICK)  # the application starts first
        self.sender = sender = self._load_sender()
        if sender is None:
            self.has_thread = False
            return
        flushed, more = 0, True
        while self._closing_by is None:
            self._rest(0 if more else TICK)
            if self._retire(self):
                self._give_up(EXIT_TIMEOUT)  # its clients were dropped without being closed
            asked, flushed = self.journal.flushes > flushed, self.journal.flushes
            more = self._work(sender, flush=asked)
        self._finish(sender, self._closing_by)

    def _rest(self, seconds: float) -> None:
        """Wait so long, unless there is something to do at once."""
        with suppress(queue.Empty):
            self._wake.get(timeout=seconds)

    def _finish(self, sender: Sender, until: float) -> None:
        """Send what is left while there is time, unless another process does, and let go of everything."""
        try:
            while (sender.elect() or self._path is None) and self._work(
                sender, flush=True, within=max(0.0, until - time.monotonic())
            ):
                if time.monotonic() >= until:
                    break
        finally:
            sender.close()
            if self._runtime is not None:
                self._runtime.close()
            self.has_ended = True

    def _work(self, sender: Sender, *, flush: bool, within: float | None = None) -> bool:
        """Serve journals once; without `within`, for as long as sending takes."""
        try:
            if within is None:
                return sender.work(flush=flush)
            return sender.work(flush=flush, within=timedelta(seconds=within))
        except Exception:  # the thread must live; what it could not do now it does later
            log.exception("tuppence: the sender failed and goes on")
            return False
        finally:
            self._passes += 1

    def _give_up(self, timeout: float) -> None:
        """Close the journal, so that its end can be seen, and give the thread `timeout` seconds more."""
        self.journal.close()
        if self._owner is not None:
            self._owner.release()
        self._closing_by = time.monotonic() + timeout


def _new_id() -> str:
    """Return a name that no other instance has: a part to be shown in ids, and one that nobody else knows."""
    return f"{_random_letters()}.{_random_letters()}"


def _random_letters() -> str:
    """Return letters that cannot be guessed. The module `secrets` would load five others for it."""
    number = int.from_bytes(os.urandom(_ID_LETTERS))
    letters = []
    for _ in range(_ID_LETTERS):
        number, letter = divmod(number, len(ascii_lowercase))
        letters.append(ascii_lowercase[letter])
    return "".join(letters)
