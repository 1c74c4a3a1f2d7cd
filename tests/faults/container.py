"""A program that captures, says so, and lives until its standard input ends.

python container.py FOLDER NAME COUNT
"""

import os
import sys
from pathlib import Path

from faults.queues import load
from tuppence.capture.client import Client


def main(folder, name, count):
    with Client(load(Path(folder))) as client:
        for n in range(int(count)):
            client.capture("tick", container=name, process=os.getpid(), n=n)
        os.write(1, b"done\n")
        sys.stdin.read()
        client.close(10)


if __name__ == "__main__":
    main(*sys.argv[1:])
