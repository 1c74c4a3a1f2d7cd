"""A program whose disk is full or cannot be written.

python on_disk.py CASE FOLDER      the disk is FOLDER/disk; prints the numbers that were promised
"""

import os
import signal
import sys
from pathlib import Path

import pytest

from faults.queues import load, send_everything
from tuppence import jobs
from tuppence.capture import places
from tuppence.capture.client import Client
from tuppence.clock import Deadline
from tuppence.errors import DriverError
from tuppence.runtime import Runtime

EVENTS = 5_000


def fill(disk):
    """Take all the room there is; return what holds it."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    return ballast


def capture(folder, disk, *, filled_after):
    """Capture more than one segment holds, and die; the disk is filled after so many events."""
    client = Client(load(folder))
    for n in range(EVENTS):
        if n == filled_after:
            fill(disk)
        seq = client.capture("tick", n=n, text="x" * 400)
        if seq:
            os.write(1, b"%d\n" % seq)
    os.kill(os.getpid(), signal.SIGKILL)


def full_while_capturing(folder, disk, filled_after=10):
    """One segment is there; no second can be made. When there is room again, the rest is sent.

    Until then the parent is the host's sender, and does nothing.
    """
    journals = places.prepared(places.directory(load(folder)))
    sender = places.Lock.take(journals / places.SENDER_LOCK)
    child = os.fork()
    if child == 0:
        capture(folder, disk, filled_after=filled_after)
    os.waitpid(child, 0)
    sender.release()
    (disk / "ballast").unlink()
    assert send_everything(folder)


def full_with_an_older_segment(folder, disk):
    """The disk fills while the second segment is written: the first makes room for the third."""
    full_while_capturing(folder, disk, filled_after=3_000)


def full_from_the_beginning(folder, disk):
    """There is no room for a first segment: events are kept in memory."""
    fill(disk)
    read_only(folder, disk)


def read_only(folder, _disk):
    with Client(load(folder)) as client:
        numbers = [client.capture("tick", n=n) for n in range(100)]
        assert not client.stats.durable
        assert client.flush(10)
    os.write(1, b"".join(b"%d\n" % number for number in numbers))


def full_while_draining(folder, disk):
    """The store cannot take everything; when there is room again, the rest is drained."""
    with Client(load(folder, capture={"directory": str(folder / "elsewhere")})) as client:
        numbers = [client.capture("tick", n=n) for n in range(20_000)]
        assert client.flush(20)
    with Runtime(load(folder, store={"path": str(disk / "store.db")})) as runtime:
        runtime.store.driver.check()
        ballast = fill(disk)
        with pytest.raises(DriverError, match="full"):
            jobs.drain(runtime, deadline=Deadline.after(3))
        ballast.unlink()
        waiting, _ = runtime.queue.depth(deadline=Deadline.after(5))
        assert waiting
    os.write(1, b"".join(b"%d\n" % number for number in numbers))


def file_system(folder, _disk):
    os.write(1, places.file_system(folder).encode())


def main(case, folder):
    place = Path(folder)
    globals()[case](place, place / "disk")


if __name__ == "__main__":
    main(*sys.argv[1:])
