"""Where journals lie, who owns them, and what survives there.

    <state directory>/<project>-<destination>/     one for each queue events are meant for
        sender.lock                                held by the process that sends for this host
        <instance>/                                one for each run of a capturing process
            owner.lock                             held as long as that process lives
            00000001.journal …                     `tuppence.capture.journal`
            state, <batch id>.batch                `tuppence.capture.state`
        set-aside/                                 what the queue refused: `tuppence.capture.set_aside`

Ownership is a lock on an open file and no process id: ids are reused, and lie across containers.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from tuppence.capture.files import (
    make_folder,
    make_private,
    names_in,
    open_file,
    remove_file,
    remove_folder,
    rename,
    status_of,
)
from tuppence.capture.set_aside import SET_ASIDE
from tuppence.clock import Clock
from tuppence.config import Config
from tuppence.kinds import Kind

log = logging.getLogger("tuppence")

OWNER_LOCK: Final = "owner.lock"
SENDER_LOCK: Final = "sender.lock"
DEAD_JOURNALS: Final = 16
"""Full journals of dead processes that are kept on one host."""
_UNFINISHED: Final = ".new-"
_ESCAPED: Final = re.compile(r"\\([0-7]{3})")
"""How a blank, and what else would break a line, is written in the list of mounts (proc(5))."""


class Durability(StrEnum):
    """What captured events survive, before they are sent."""

    HOST = "host"  # the process's death; not a power cut within seconds
    BOOT = "boot"  # the process's death, until the machine restarts: a file system in memory
    CONTAINER = "container"  # the process's death, while the container and its disk live
    PROCESS = "process"  # nothing: they are in memory


_IN_MEMORY: Final = frozenset({"tmpfs", "ramfs"})
_UNFIT: Final = {
    "nfs": "a network file system",
    "nfs4": "a network file system",
    "cifs": "a network file system",
    "smb3": "a network file system",
    "9p": "a file system shared with another machine",
    "ceph": "a network file system",
    "fuse.sshfs": "a network file system",
    "btrfs": "a copy-on-write file system, which cannot keep space for a mapped file",
    "zfs": "a copy-on-write file system, which cannot keep space for a mapped file",
}


class Lock:
    """An exclusive lock on a file, held while it is open. Never waits."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._identity = _identity(file)

    @classmethod
    def take(cls, path: Path, *, create: bool = True) -> Lock | None:
        """Return the lock, or `None` while another holds it."""
        file = open_file(path, os.O_RDWR | (os.O_CREAT if create else 0))
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(file)
            return None
        return cls(file)

    def release(self) -> None:
        """Close the file. In a forked child this leaves the parent's lock in place.

        A child that became a daemon may have closed it already, and its number may be another file's by now.
        """
        file, self._file = self._file, -1
        if file >= 0:
            with suppress(OSError):
                if _identity(file) == self._identity:
                    os.close(file)


def base_directory(config: Config) -> Path:
    """Return the folder for journals of every project, whether it exists or not."""
    if config.capture.directory:
        return config.resolve(config.capture.directory, "capture.directory")
    state = os.environ.get("XDG_STATE_HOME")
    if state and Path(state).is_absolute():
        return Path(state) / "tuppence"
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - Path.home raises where there is no home
    if home.is_absolute() and os.access(home, os.W_OK):
        return home / ".local" / "state" / "tuppence"
    import tempfile

    return Path(tempfile.gettempdir()) / f"tuppence-{os.geteuid()}"


def directory(config: Config) -> Path:
    """Return the folder for journals with this configuration's destination."""
    table = config.kinds[Kind.QUEUE]
    name = config.provider_of(Kind.QUEUE)
    folder = str(config.folder) if config.source is not None or name == "local" else ""
    destination = msgspec.json.encode([name, folder, table], order="deterministic", enc_hook=str)
    digest = hashlib.blake2b(destination, digest_size=4).hexdigest()
    return base_directory(config) / f"{config.project}-{digest}"


def prepared(folder: Path) -> Path:
    """Make the folder for this user alone. Raises `OSError` where that cannot be had."""
    make_private(folder)
    return folder


def new_instance(folder: Path, instance: str) -> tuple[Path, Lock]:
    """Make an instance's folder, owned from the moment it can be seen."""
    hidden = folder / f"{_UNFINISHED}{instance}"
    make_folder(hidden)
    lock = Lock.take(hidden / OWNER_LOCK)
    assert lock is not None, "nobody else knows the folder yet"
    try:
        rename(hidden, instance)
    except OSError:
        lock.release()
        raise
    return folder / instance, lock


def instances(folder: Path) -> Iterator[Path]:
    """Yield the instances' folders, the longest untouched first."""
    found = [folder / name for name in _entries(folder) if _is_instance(name)]
    yield from sorted((path for path in found if _is_folder(path)), key=touched)


def _is_instance(name: str) -> bool:
    return not name.startswith(".") and name != SET_ASIDE


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(status_of(path).st_mode)
    except FileNotFoundError:
        return False


def touched(folder: Path) -> float:
    """Return when anything in an instance's folder was last written to, in seconds since 1970."""
    return max((found.st_mtime for found in _statuses(folder)), default=0.0)


def size(folder: Path) -> int:
    """Return how many bytes an instance's files take."""
    return sum(found.st_blocks * 512 for found in _statuses(folder) if not stat.S_ISDIR(found.st_mode))


def remove_instance(folder: Path) -> None:
    """Delete an instance's folder. The lock file goes last, so that a half-deleted one can be found again."""
    for name in _entries(folder):
        if name != OWNER_LOCK:
            remove_file(folder / name)
    with suppress(FileNotFoundError):
        remove_folder(folder)


def clear_orphans(folder: Path, config: Config, clock: Clock) -> None:
    """Hold what dead processes left to its bounds in age and size, for a host on which nobody sends.

    Many processes may die at once while the queue is away, so the bound in size is that of many journals;
    where no queue is configured, nobody will come for them, and it is that of one.
    """
    oldest = clock.now().timestamp() - config.capture.orphan_age.total_seconds()
    most = config.capture.journal_bytes * (DEAD_JOURNALS if config.configured else 1)
    left = sum(size(path) for path in instances(folder))
    for path in list(instances(folder)):
        if touched(path) >= oldest and left <= most:
            continue
        try:
            lock = Lock.take(path / OWNER_LOCK, create=False)
        except OSError:
            lock = None
        if lock is not None:
            left -= size(path)
            log.warning(
                "tuppence: the unsent events of %s were too old or too many, and are removed", path.name
            )
            remove_instance(path)
            lock.release()


def unfit(folder: Path) -> str | None:
    """Return why a journal cannot be kept in `folder`, or `None` where it can."""
    if not sys.platform.startswith("linux"):
        return None if hasattr(os, "posix_fallocate") else "this platform cannot allocate a file in advance"
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        return "this Python runs without the lock that makes an append a single step"
    return _UNFIT.get(file_system(folder))


def durability(folder: Path) -> Durability:
    """Return what events in `folder` survive."""
    if unfit(folder):
        return Durability.PROCESS
    kind = file_system(folder)
    if kind in _IN_MEMORY:
        return Durability.BOOT
    return Durability.CONTAINER if kind == "overlay" else Durability.HOST


def file_system(folder: Path) -> str:
    """Return the type of the file system that `folder` lies on; empty where the platform does not say."""
    try:
        lines = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    target = folder.absolute()
    best, kind = -1, ""
    for line in lines:
        _, mount, found, *_ = line.split(" ")
        place = Path(_ESCAPED.sub(lambda match: chr(int(match[1], 8)), mount))
        if len(place.parts) >= best and target.is_relative_to(place):
            best, kind = len(place.parts), found
    return kind


def _identity(file: int) -> tuple[int, int]:
    found = os.fstat(file)
    return found.st_dev, found.st_ino


def _entries(folder: Path) -> list[str]:
    try:
        return names_in(folder)
    except FileNotFoundError:
        return []


def _statuses(folder: Path) -> Iterator[os.stat_result]:
    """Yield what is known of a folder and of the files in it that are still there."""
    for path in (folder, *(folder / name for name in _entries(folder))):
        with suppress(FileNotFoundError):
            yield status_of(path)
