"""The sender: one per host, elected by a file lock, that packs and sends the journals of every process on it.

Every capturing process has one thread for this. The one whose process holds the lock serves all journals,
those of dead processes too; the others only look, twice a second, whether the lock has come free. A journal
in memory is served by its own process.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import msgspec

from tuppence.batch import LEAST_BODY, MAX_BODY
from tuppence.capture import places
from tuppence.capture.deliver import deliver
from tuppence.capture.journal import FileSegments
from tuppence.capture.packer import Packer
from tuppence.capture.places import Lock
from tuppence.capture.set_aside import SetAsideFolder
from tuppence.capture.state import FileOutbox
from tuppence.clock import Clock, Deadline
from tuppence.config import Config
from tuppence.drivers import Message
from tuppence.errors import TuppenceError
from tuppence.event import milliseconds
from tuppence.queue import Queue
from tuppence.retry import pause_before

log = logging.getLogger("tuppence")

SEND_TIMEOUT: Final = timedelta(seconds=10)
"""One attempt to send what is pending; what is left waits for the next."""
MESSAGES_AT_ONCE: Final = 64
MAX_DOUBLINGS: Final = 10
"""Failures in a row after which the pause before the next try grows no more: `LONGEST_PAUSE` at most."""


@dataclass(slots=True)
class _Served:
    """A journal being served: its packer, when it was last packed, and its owner's lock once that is dead."""

    packer: Packer
    since: float
    owner: Lock | None = None
    flushes: int = 0


class Sender:
    """Serves the journals under one folder, and one in memory if there is one.

    Not for several threads at once; the client's thread owns it, or the command that sends by hand.

    Args:
        config: the configuration.
        folder: where journals lie; `None` to serve memory alone.
        queue: returns the queue, made when it is first needed.
        memory: the packer of a journal in memory.

    """

    def __init__(
        self,
        config: Config,
        folder: Path | None,
        queue: Callable[[], Queue],
        clock: Clock,
        *,
        memory: Packer | None = None,
    ) -> None:
        self._config = config
        self._folder = folder
        self._queue = queue
        self._clock = clock
        self._lock: Lock | None = None
        self._served: dict[str, _Served] = {}
        if memory is not None:
            self._served[memory.instance] = _Served(memory, clock.monotonic())
        self._memory = memory.instance if memory is not None else None
        self._failures = 0
        self._not_before = 0.0
        self.sent = 0
        self.problem = ""

    @property
    def elected(self) -> bool:
        """Whether this is the host's sender."""
        return self._lock is not None

    def elect(self) -> bool:
        """Become the host's sender if nobody is. Never waits."""
        if self._lock is None and self._folder is not None and self._folder.is_dir():
            try:
                self._lock = Lock.take(self._folder / places.SENDER_LOCK)
            except OSError as error:
                self._say(f"journals cannot be read: {error}")
        return self._lock is not None

    def work(self, *, flush: bool = False, within: timedelta = SEND_TIMEOUT) -> bool:
        """Read, pack and send once, for every journal this process serves.

        Args:
            flush: pack what there is, however little, and send now even after a failure.
            within: how long sending may take.

        Returns:
            Whether anything was packed or sent, so that more work may be left.

        """
        if self.elect():
            self._look_around()
        packed = [self._pack(one, flush=flush) for one in list(self._served.values())]
        before = self.sent
        if flush or self._clock.monotonic() >= self._not_before:
            self._send(Deadline.after(within, self._clock))
        self._clean()
        return any(packed) or self.sent > before

    @property
    def empty(self) -> bool:
        """Whether nothing waits to be packed or sent, and no dead process has left anything."""
        served = self._served.values()
        return not any(one.owner or one.packer.pending or one.packer.waiting for one in served)

    def close(self) -> None:
        """Let go of all locks. In a forked child the parent keeps its own."""
        for lock in (*(one.owner for one in self._served.values()), self._lock):
            if lock is not None:
                lock.release()
        self._served.clear()
        self._lock = None

    def _look_around(self) -> None:
        """Find the journals there are, and adopt those whose process is gone.

        A folder may become another user's while this process runs, where something empties the one for
        temporary files. What lies there is left alone then.
        """
        assert self._folder is not None, "only a folder can be elected for"
        try:
            there = {path.name: path for path in places.instances(self._folder)}
        except OSError as error:
            self.close()
            self._say(f"journals cannot be read: {error}")
            return
        for name in [name for name in self._served if name not in there and name != self._memory]:
            self._forget(name)
        for name, path in there.items():
            try:
                served = self._served.get(name) or self._open(path)
                if served.owner is None:
                    served.owner = Lock.take(path / places.OWNER_LOCK, create=False)
            except OSError as error:
                self._say(f"a journal cannot be read: {error.strerror or error}; it is left where it is")

    def _open(self, path: Path) -> _Served:
        outbox = FileOutbox(path)
        outbox.remove_strays()
        packer = Packer(path.name, self._config.project, FileSegments(path), outbox)
        self._served[path.name] = _Served(packer, self._clock.monotonic())
        return self._served[path.name]

    def _pack(self, one: _Served, *, flush: bool) -> bool:
        """Read one journal and pack what is due; return whether a batch was made."""
        now, packer, dead = self._clock.monotonic(), one.packer, one.owner is not None or one.packer.closed
        try:
            torn = packer.torn
            packer.read(dead=dead)
            if packer.torn > torn:
                log.warning("tuppence: a journal was damaged; what stood there counts as dropped")
            asked = packer.flushes > one.flushes
            due = now - one.since >= self._config.capture.flush_interval.total_seconds()
            if not (dead or flush or asked or packer.full or due):
                return False
            before, packer.most = len(packer.pending), self._most()
            packer.commit(milliseconds(self._clock.now()), goodbye=dead and packer.finished)
            one.flushes, one.since = packer.flushes, now
            return len(packer.pending) > before
        except OSError as error:
            self._say(f"a journal could not be packed: {error.strerror or error}; it is kept and tried again")
            return False

    def _most(self) -> int:
        """Return the bytes of a batch that the queue takes; while there is none, what every queue takes."""
        try:
            return min(MAX_BODY, self._queue().limits.item_bytes)
        except (TuppenceError, OSError, ImportError):
            return LEAST_BODY

    def _send(self, deadline: Deadline) -> None:
        """Send what is pending, all journals together, and settle what the queue took."""
        waiting = [(one.packer, batch_id) for one in self._served.values() for batch_id in one.packer.pending]
        try:
            for at in range(0, len(waiting), MESSAGES_AT_ONCE):
                if not self._send_some(self._queue(), waiting[at : at + MESSAGES_AT_ONCE], deadline):
                    break
        except (TuppenceError, OSError, ImportError) as error:
            self._fail(str(error))

    def _send_some(self, queue: Queue, waiting: list[tuple[Packer, str]], deadline: Deadline) -> bool:
        """Send some batches; return whether what became of each is settled."""
        bodies = {batch_id: packer.body(batch_id) for packer, batch_id in waiting}
        messages = [
            Message(id=one, body=body, lane=one[:1]) for one, body in bodies.items() if body is not None
        ]
        result = deliver(queue, messages, deadline=deadline)
        self.sent += len(result.accepted)
        if result.failed:
            self._fail(str(next(iter(result.failed.values()))))
        else:
            self._failures, self.problem = 0, ""
        for error in result.rejected.values():
            self._say(f"the queue refuses a batch, which is set aside; see `tuppence doctor`: {error}")
        for packer in {packer.instance: packer for packer, _ in waiting}.values():
            mine = {batch_id for owner, batch_id in waiting if owner is packer}
            packer.settle(mine - result.failed.keys() - result.rejected.keys())
            if rejected := {one: error for one, error in result.rejected.items() if one in mine}:
                packer.set_aside(rejected, self._clock.now())
        return not result.failed

    def _fail(self, problem: str) -> None:
        """Wait before the next try, longer each time."""
        self._failures += 1
        pause = pause_before(min(self._failures, MAX_DOUBLINGS))
        self._not_before = self._clock.monotonic() + pause
        self._say(f"events are kept in the journal because they cannot be sent: {problem}")

    def _say(self, problem: str) -> None:
        """Warn once for each problem, not once for each try."""
        if problem != self.problem:
            self.problem = problem
            log.warning("tuppence: %s", problem)

    def _clean(self) -> None:
        """Remove dead instances of which nothing is left, and what could not be sent for too long."""
        self._expire()
        oldest = self._clock.now().timestamp() - self._config.capture.orphan_age.total_seconds()
        for name, one in list(self._served.items()):
            if one.owner is None or self._folder is None:
                continue
            path = self._folder / name
            if one.packer.done:
                places.remove_instance(path)
                self._forget(name)
            elif places.touched(path) < oldest:
                self._say(f"events of {name} were not sent within {self._config.capture.orphan_age}; removed")
                places.remove_instance(path)
                self._forget(name)

    def _expire(self) -> None:
        """Hold what is set aside to its bounds in age and size."""
        if self._folder is None or not self.elected:
            return
        now, limits = self._clock.now(), self._config.capture
        removed = SetAsideFolder(self._folder).expire(
            before=now - limits.orphan_age, most_bytes=limits.journal_bytes, now=now
        )
        if removed.batches:
            self._say(f"{removed.events} events that were set aside were never sent and are removed")

    def _forget(self, name: str) -> None:
        owner = self._served.pop(name).owner
        if owner is not None:
            owner.release()


class Orphans(msgspec.Struct, frozen=True, kw_only=True):
    """What was sent of what dead processes left.

    Attributes:
        sent: how many batches.
        complete: whether nothing is left.
        problem: why not; empty where a living process, the host's sender, is at it.

    """

    sent: int
    complete: bool
    problem: str = ""


def send_orphans(
    config: Config,
    queue: Callable[[], Queue],
    clock: Clock,
    *,
    deadline: Deadline,
    progress: Callable[[int], None] | None = None,
) -> Orphans:
    """Send what dead processes on this host left in their journals.

    While a living process is the host's sender, that one is at it already, and nothing is sent here.
    """
    folder = places.directory(config)
    sender = Sender(config, folder, queue, clock)
    if not sender.elect():
        complete = not sender.problem and not any(places.instances(folder))
        return Orphans(sent=0, complete=complete, problem=sender.problem)
    try:
        while (
            sender.work(flush=True, within=timedelta(seconds=deadline.remaining())) and not deadline.expired
        ):
            if progress:
                progress(sender.sent)
        complete = sender.empty and sender.elected
        return Orphans(
            sent=sender.sent,
            complete=complete,
            problem="" if complete else sender.problem or "no time was left",
        )
    finally:
        sender.close()
