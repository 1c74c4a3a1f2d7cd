"""The journal: where captured events stand, safe from the death of the process, until they are sent.

A journal is a folder of segments, files of fixed size that are allocated in full before they are mapped: a
sparse file on a full disk would kill the application with SIGBUS. Their pages are made writable then, too:
one touched for the first time costs a call several times what the rest of it does. An event is appended by
one `mmap.write`, which copies and moves on in a single step under the interpreter's lock, so that no call
waits for a lock: not from another thread, not from a signal handler, not from `__del__`. When a segment is
full, every caller that notices prepares the next one, and the first to publish it wins.

    offset  bytes  what, in a segment
    0       4      magic `tpj` and the format's version, 0x01
    4       4      number of the segment, unsigned, little-endian
    8       8      calls refused so far by this instance
    16      8      flushes asked for so far by this instance
    24      8      highest sequence number so far that found no room
    32      8      statements that could not be recorded so far by this instance
    40      24     zero
    64      rest   frames (`tuppence.capture.frames`)
"""

from __future__ import annotations

import errno
import mmap
import os
import sys
from contextlib import suppress
from itertools import count
from pathlib import Path
from struct import Struct
from typing import Final, NamedTuple, Protocol

from tuppence.capture.files import names_in, open_file, remove_file

MAGIC: Final = b"tpj\x01"
SEGMENT_BYTES: Final = 1024 * 1024
FIRST: Final = 64
SUFFIX: Final = ".journal"
_POPULATE_WRITE: Final = 23
"""`MADV_POPULATE_WRITE` of Linux 5.14, https://man7.org/linux/man-pages/man2/madvise.2.html. Python has no
name for it."""
_TRIES: Final = 8
_REMEMBERED: Final = 64
"""Successors kept, for callers that were put to sleep while so many segments were written."""
_NUMBER: Final = Struct("<4sI")
_COUNTER: Final = Struct("<Q")
_NOTED: Final = Struct("<QQQQ")
_REFUSED_AT: Final = 8
_FLUSHES_AT: Final = 16
_FAILED_AT: Final = 24
_IGNORED_AT: Final = 32


class Full(Exception):  # noqa: N818 - internal: the event is dropped and counted
    """No room was found for an event within a few tries, or the journal is closed."""


class Segments(Protocol):
    """The segments of one instance, as their reader sees them.

    Attributes:
        closed: whether they say by themselves that nothing more will be written to them.

    """

    closed: bool

    def numbers(self) -> list[int]:
        """Return the segments there are, oldest first."""

    def read(self, number: int, start: int, size: int) -> bytes:
        """Return up to `size` bytes of a segment from `start`; none where it is gone."""

    def remove(self, number: int) -> None:
        """Give a segment's space back; all of it has been dealt with."""


class FileSegments:
    """Segments as files in a folder.

    Read with `pread` and not through a map, so that a file cut short by someone else harms no reader. That
    nothing more will be written is told by their owner's lock.
    """

    closed = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def numbers(self) -> list[int]:
        """Return the segments there are, oldest first."""
        try:
            names = [name for name in names_in(self._folder) if name.endswith(SUFFIX)]
        except FileNotFoundError:  # someone removed the folder
            return []
        return sorted(int(name.removesuffix(SUFFIX)) for name in names if name.removesuffix(SUFFIX).isdigit())

    def read(self, number: int, start: int, size: int) -> bytes:
        """Return up to `size` bytes of a segment from `start`; none where it is gone."""
        try:
            file = open_file(self.path(number), os.O_RDONLY)
        except FileNotFoundError:
            return b""
        try:
            return os.pread(file, size, start)
        finally:
            os.close(file)

    def remove(self, number: int) -> None:
        """Delete the segment's file."""
        remove_file(self.path(number))

    def shorten(self, number: int, size: int) -> None:
        """Give back what lies beyond `size` bytes of a segment that nobody has mapped."""
        file = open_file(self.path(number), os.O_WRONLY)
        try:
            os.ftruncate(file, size)
        finally:
            os.close(file)

    def path(self, number: int) -> Path:
        """Return where the segment lies."""
        return self._folder / f"{number:08d}{SUFFIX}"

    def create(self, number: int) -> mmap.mmap:
        """Allocate and map a new segment. Raises `OSError`, leaving nothing behind."""
        path = self.path(number)
        file = open_file(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        try:
            os.posix_fallocate(file, 0, SEGMENT_BYTES)
            segment = mmap.mmap(file, SEGMENT_BYTES)
            touch(segment)
        except BaseException:
            remove_file(path)
            raise
        else:
            return segment
        finally:
            os.close(file)


class MemorySegments:
    """Segments in this process's memory, where no file can be had. They die with the process."""

    def __init__(self) -> None:
        self._maps: dict[int, mmap.mmap] = {}
        self.closed = False

    def numbers(self) -> list[int]:
        """Return the segments there are, oldest first."""
        return sorted(self._maps)

    def read(self, number: int, start: int, size: int) -> bytes:
        """Return up to `size` bytes of a segment from `start`; none where it is gone."""
        segment = self._maps.get(number)
        return segment[start : start + size] if segment is not None else b""

    def remove(self, number: int) -> None:
        """Forget the segment."""
        self._maps.pop(number, None)

    def create(self, number: int) -> mmap.mmap:
        """Return a new segment."""
        return self._maps.setdefault(number, mmap.mmap(-1, SEGMENT_BYTES))


def touch(segment: mmap.mmap) -> None:
    """Make each page of a segment writable at once, where the system knows how.

    Raises `OSError` where writing would end in SIGBUS.
    """
    if sys.platform != "linux":
        return
    try:
        segment.madvise(_POPULATE_WRITE)
    except OSError as error:
        if error.errno == errno.EFAULT:
            raise


class _Current(NamedTuple):
    """The segment being written."""

    number: int
    map: mmap.mmap


class Journal:
    """The writing end. Built by the process that captures, once per instance.

    Args:
        segments: where segments are made.
        limit: bytes held at most; beyond it the oldest segment goes, its events counted by the reader.

    Attributes:
        write: writes one frame into the segment at hand, and nothing else. Raises `ValueError` where it does
            not fit; then `append` it.

    """

    def __init__(self, segments: FileSegments | MemorySegments, limit: int) -> None:
        self.segments = segments
        self._most = max(2, limit // SEGMENT_BYTES)
        self._numbers = count(1)
        self._successors: dict[int, _Current] = {}
        self.refused = 0
        self.flushes = 0
        self.failed = 0
        self.ignored = 0
        self._closed = False
        self._current = self._prepare()
        self.write = self._current.map.write

    def append(self, frame: bytes) -> None:
        """Write one frame. Raises `Full` after a few tries, `OSError` where no segment can be made."""
        for _ in range(_TRIES):
            try:
                self._current.map.write(frame)
            except ValueError as error:
                if self._closed:
                    raise Full from error
                self._turn()
            else:
                return
        raise Full

    def position(self) -> tuple[int, int]:
        """Return the segment and offset up to which everything appended so far has been written."""
        number, map_ = self._current
        try:
            return number, map_.tell()
        except ValueError:
            return number, SEGMENT_BYTES  # turned just now

    def refuse(self) -> None:
        """Count a call that gave no event."""
        self.refused += 1
        self._note(_REFUSED_AT, self.refused)

    def fail(self, seq: int) -> None:
        """Note that an event found no room, for there may be none after it whose number tells of the gap."""
        self.failed = max(self.failed, seq)
        self._note(_FAILED_AT, self.failed)

    def ignore(self, count: int) -> None:
        """Count statements that could not be recorded."""
        self.ignored += count
        self._note(_IGNORED_AT, self.ignored)

    def ask_flush(self) -> None:
        """Tell whoever reads this journal that its owner wants everything sent now."""
        self.flushes += 1
        self._note(_FLUSHES_AT, self.flushes)

    def close(self) -> None:
        """Unmap, and give back what was allocated and not used. Nothing can be appended afterwards."""
        self._closed = True
        number, map_ = self._current
        used = self._end(map_)
        if isinstance(self.segments, MemorySegments):
            self.segments.closed = True
        elif used is not None:
            with suppress(OSError):  # someone removed the folder, or made one in its place
                self.segments.shorten(number, used)

    def abandon(self) -> None:
        """Let go of the map in a forked child, where it is the parent's, without writing to it."""
        self._closed = True
        self._current.map.close()

    def _turn(self) -> None:
        """Move on to the next segment: the one another caller has published, or else a new one."""
        full = self._current
        successor = self._successors.get(full.number)
        if successor is None:
            fresh = self._make_room(full.number)
            successor = self._successors.setdefault(full.number, fresh)
            if successor is not fresh:
                fresh.map.close()
                self.segments.remove(fresh.number)
        self._current, self.write = successor, successor.map.write
        self._end(full.map)
        self._forget(full.number)
        if self._closed:  # meanwhile
            self.close()

    def _prepare(self) -> _Current:
        """Make a segment, ready for its first frame."""
        number = next(self._numbers)
        fresh = self.segments.create(number)
        _COUNTER.pack_into(fresh, _REFUSED_AT, self.refused)
        _COUNTER.pack_into(fresh, _FLUSHES_AT, self.flushes)
        _COUNTER.pack_into(fresh, _FAILED_AT, self.failed)
        _COUNTER.pack_into(fresh, _IGNORED_AT, self.ignored)
        _NUMBER.pack_into(fresh, 0, MAGIC, number)
        fresh.seek(FIRST)
        return _Current(number, fresh)

    def _make_room(self, current: int) -> _Current:
        """Return a new segment; the oldest go first where the limit, or the disk, leaves no room."""
        older = [number for number in self.segments.numbers() if number < current]
        for number in older[: max(0, len(older) + 2 - self._most)]:
            self.segments.remove(number)
        try:
            return self._prepare()
        except OSError:
            for number in older[:1]:
                self.segments.remove(number)
            return self._prepare()

    def _forget(self, number: int) -> None:
        """Drop successors so old that no caller can still be on its way to them."""
        for old in [old for old in self._successors if old < number - _REMEMBERED]:
            self._successors.pop(old, None)

    def _end(self, full: mmap.mmap) -> int | None:
        """Fill the rest of a segment, so that nothing more gets in and its reader knows.

        Returns where the rest began, or `None` where another caller has filled it.
        """
        end = None
        for _ in range(_TRIES):
            try:
                used = full.tell()
                full.write(b"\xff" * (SEGMENT_BYTES - used))
            except ValueError:
                continue  # another caller's last frame got in first
            end = used
            break
        if isinstance(self.segments, FileSegments):
            full.close()
        return end

    def _note(self, offset: int, value: int) -> None:
        try:
            # In one step: `pack_into` writes zeros first, which a kill in between would leave there.
            self._current.map[offset : offset + _COUNTER.size] = _COUNTER.pack(value)
        except ValueError:
            return  # the segment was turned just now; the next one was given the number


class Noted(NamedTuple):
    """What a segment's header says of its instance."""

    refused: int
    flushes: int
    failed: int
    ignored: int


def header_of(segment: bytes) -> Noted | None:
    """Return what is noted in a segment read from offset 0; `None` where it is no segment."""
    if len(segment) < FIRST or segment[:4] != MAGIC:
        return None
    return Noted(*_NOTED.unpack_from(segment, _REFUSED_AT))
