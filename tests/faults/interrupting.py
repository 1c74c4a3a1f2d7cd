"""A program whose signal handler and finalizers capture too, in the middle of everything.

python interrupting.py FOLDER COUNT      writes what it was promised to FOLDER/promised, then kills itself
"""

import gc
import os
import signal
import sys
from pathlib import Path

from faults.queues import load
from tuppence.capture.client import Client


class Garbage:
    """Captures when the collector finds it, which it does wherever something is allocated."""

    def __init__(self, capture):
        self.capture, self.itself = capture, self

    def __del__(self):
        self.capture("finalizer")


def main(folder, count):
    client = Client(load(Path(folder)))
    promised = os.open(f"{folder}/promised", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def capture(where):
        seq = client.capture("tick", where=where, text="x" * 300)
        os.write(promised, b"%d %s\n" % (seq, where.encode()))

    def interrupt(*_):
        capture("signal")
        signal.setitimer(signal.ITIMER_REAL, 0.0002)

    signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.0002)
    gc.set_threshold(50)
    for _ in range(int(count)):
        Garbage(capture)
        capture("main")
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
