"""A program that captures and flushes, captures more when it is told to, and lives until it is told to end.

python container.py FOLDER NAME COUNT      says `done` after each of the two
"""

import os
import sys
from pathlib import Path

from faults.queues import load
from tuppence.capture.client import Client


def main(folder, name, count):
    with Client(load(Path(folder))) as client:

        def capture():
            for n in range(int(count)):
                assert client.capture("tick", container=name, process=os.getpid(), n=n)

        capture()
        client.flush(10)
        os.write(1, b"done\n")
        sys.stdin.readline()
        capture()
        os.write(1, b"done\n")
        sys.stdin.readline()
        client.close(10)


if __name__ == "__main__":
    main(*sys.argv[1:])
