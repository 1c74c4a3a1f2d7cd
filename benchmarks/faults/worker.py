"""The process that faults happen to.

python -m faults.worker CLIENT URL COUNT RATE REST ENDING FORKS PROGRESS
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Final

from clients import Client, known
from events import event

from faults.progress import Progress
from faults.scenarios import Ending

PENDING: Final = 47
"""Events before a fork."""
CHILDS: Final = 100_000
"""Where the numbers of a child's events begin."""
PATIENCE: Final = 20.0
"""Seconds that a child has for ending."""


def capture(client: Client, numbers: range, rate: float, progress: Progress) -> None:
    """Capture events, so many a second or one right after the other, whatever the client does."""
    events = [event(n) for n in numbers]
    start = time.monotonic()
    for position, given in enumerate(events):
        if rate:
            time.sleep(max(0.0, start + position / rate - time.monotonic()))
        progress.enter()
        try:
            client.capture(**given)
        except Exception:  # noqa: BLE001 - counted, whatever it is
            progress.leave(raised=True)
        else:
            progress.leave(raised=False)


def main() -> None:
    """Capture, rest, end."""
    name, url, count, rate, rest, ending, forks, file = sys.argv[1:]
    progress = Progress(Path(file))
    client = known(name).load()(url)
    numbers = range(int(count))
    child = 0
    if forks == "yes":
        capture(client, numbers[:PENDING], 0, progress)
        numbers = numbers[PENDING:]
        child = os.fork()
        if not child:
            progress = Progress(Path(file), slot=1)
            numbers = range(CHILDS, CHILDS + len(numbers))
    capture(client, numbers, float(rate), progress)
    time.sleep(float(rest))
    progress.set("done", 1.0)
    if ending not in {Ending.CLOSED, Ending.LEFT}:
        while True:
            time.sleep(60)  # what ends it comes from outside
    progress.set("ending", time.monotonic())
    if ending == Ending.CLOSED:
        _close(client)
    if child:
        _join(child)


def _close(client: Client) -> None:
    try:
        client.close()
    except Exception as error:  # noqa: BLE001 - an application would log it and go on ending
        print(f"close: {error!r}", file=sys.stderr)


def _join(child: int) -> None:
    """Wait for the child, and no longer than is fair."""
    end = time.monotonic() + PATIENCE
    while not os.waitpid(child, os.WNOHANG)[0]:
        if time.monotonic() > end:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return
        time.sleep(0.01)


if __name__ == "__main__":
    main()
