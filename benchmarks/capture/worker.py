"""The measured process.

    python -m capture.worker CLIENT URL MODE COUNT RESULT

Writes what it saw of itself to the file RESULT, as JSON. What it imports before the client is little, since a
client's imports are part of what is measured.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from clients import Client, known
from events import event

RATE = 500
"""Events a second, where they are paced."""
THREADS = 4
WARM = 100
"""Events before the clock starts, unless the start itself is measured."""


def spans(capture: Callable[..., object], events: Sequence[dict[str, Any]]) -> array[int]:
    """Return how long each call took, in nanoseconds, one right after the other."""
    taken = array("q", bytes(8 * len(events)))
    clock = time.perf_counter_ns
    for position, given in enumerate(events):
        before = clock()
        capture(**given)
        taken[position] = clock() - before
    return taken


def paced(capture: Callable[..., object], events: Sequence[dict[str, Any]]) -> array[int]:
    """Return the same, of calls that each come when they are due, on caches that have gone cold."""
    taken = array("q", bytes(8 * len(events)))
    clock = time.perf_counter_ns
    start = time.perf_counter()
    for position, given in enumerate(events):
        time.sleep(max(0.0, start + position / RATE - time.perf_counter()))
        before = clock()
        capture(**given)
        taken[position] = clock() - before
    return taken


def threaded(capture: Callable[..., object], events: Sequence[dict[str, Any]]) -> array[int]:
    """Return the same, of calls from several threads at once."""
    found: list[array[int]] = []
    gate = threading.Barrier(THREADS)

    def work(mine: Sequence[dict[str, Any]]) -> None:
        gate.wait()
        found.append(spans(capture, mine))

    threads = [threading.Thread(target=work, args=(events[n::THREADS],)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return array("q", [span for part in found for span in part])


MODES = {"cold": spans, "burst": spans, "paced": paced, "threads": threaded}


def resident(which: str) -> float:
    """Return the memory this process has (`VmRSS`) or has had at most (`VmHWM`), in MiB, on Linux."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(which)) / 1024


def measured(name: str, url: str, mode: str, count: int) -> dict[str, float]:
    """Use one client, and return what that took."""
    warm = 0 if mode == "cold" else WARM
    events = [event(n) for n in range(warm + count)]
    memory, began = resident("VmRSS"), time.perf_counter()
    cpu = time.process_time() if mode == "cold" else 0.0
    client: Client = known(name).load()(url)
    for given in events[:warm]:
        client.capture(**given)
    cpu = cpu or time.process_time()
    taken = sorted(MODES[mode](client.capture, events[warm:]))
    ready = time.perf_counter() - began
    closing = time.perf_counter()
    client.close()
    used, closed = time.process_time() - cpu, time.perf_counter() - closing
    return {
        "p50": taken[len(taken) // 2] / 1000,
        "p99": taken[len(taken) * 99 // 100] / 1000,
        "max": taken[-1] / 1000,
        "cpu": used * 1e6,
        "start": ready * 1e3,
        "close": closed * 1e3,
        "memory": resident("VmRSS") - memory,
        "peak": resident("VmHWM") - memory,
    }


def main() -> None:
    """Measure what the command line names."""
    name, url, mode, count, result = sys.argv[1:]
    found = measured(name, url, mode, int(count))
    Path(result).write_text(json.dumps(found), encoding="utf-8")
    sys.stdout.flush()
    os._exit(0)  # what has not been delivered by now was lost to whoever closed it as documented


if __name__ == "__main__":
    main()
