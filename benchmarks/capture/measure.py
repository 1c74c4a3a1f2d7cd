"""Runs each client in each mode against a collector, and counts what arrived."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from clients import Known
from collector.handle import Taken, collecting, counted
from collector.moods import Mood
from process import environment
from successor import succeed

from capture.figures import Figures, together
from capture.worker import WARM

PATIENCE = 600
"""Seconds for one run."""
COUNTS = {"cold": 1, "burst": 20_000, "paced": 5_000, "threads": 20_000}
QUICK = {"cold": 1, "burst": 1_000, "paced": 250, "threads": 1_000}


def measure(
    clients: Sequence[Known], counts: dict[str, int], repeats: int, say: Callable[[str], None]
) -> dict[str, dict[str, Figures]]:
    """Return figures by mode and client. Repeats are interleaved, so that a slow minute hits everyone."""
    runs: dict[str, dict[str, list[Figures]]] = {mode: {one.name: [] for one in clients} for mode in counts}
    for repeat in range(repeats):
        for mode, count in counts.items():
            for client in clients:
                say(f"{mode} {repeat + 1}/{repeats}: {client.name}")
                runs[mode][client.name].append(run(client, mode, count))
    return {mode: {name: together(seen) for name, seen in found.items()} for mode, found in runs.items()}


def run(client: Known, mode: str, count: int) -> Figures:
    """Use one client once, and its successor if it left anything."""
    captured = count if mode == "cold" else count + WARM
    with tempfile.TemporaryDirectory() as home:
        if not client.speaks:
            told = _work(client, mode, count, "", Path(home))
            return _figures(told, captured, _nothing(captured), _nothing(captured))
        with collecting(client.speaks) as collector:
            collector.be(Mood.HEALTHY)
            url = f"http://127.0.0.1:{collector.port}"
            told = _work(client, mode, count, url, Path(home))
            requests = collector.taken()
            first = counted(requests)
            if first.delivered < captured:
                succeed(client, url, Path(home))
            return _figures(told, captured, first, counted(requests + collector.taken()))


def _work(client: Known, mode: str, count: int, url: str, home: Path) -> dict[str, float]:
    """Run the worker, and return what it says of itself."""
    with tempfile.NamedTemporaryFile() as result:
        command = [sys.executable, "-m", "capture.worker", client.name, url, mode, str(count), result.name]
        subprocess.run(
            command,
            env=environment(home),
            check=True,
            timeout=PATIENCE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        found: dict[str, float] = json.loads(result.read())
        return found


def _figures(told: dict[str, float], captured: int, first: Taken, all_of_it: Taken) -> Figures:
    each = max(1, first.delivered or captured)
    return Figures(
        **{**told, "cpu": told["cpu"] / each},
        requests=1000 * first.requests / each,
        bytes=first.bytes / each,
        captured=captured,
        later=all_of_it.delivered - first.delivered,
        lost=captured - all_of_it.delivered,
        copies=all_of_it.copies,
        doubled=all_of_it.doubled,
    )


def _nothing(captured: int) -> Taken:
    """Return what arrives of a client that sends nothing and loses nothing."""
    return Taken(requests=0, bytes=0, delivered=captured, copies=0, doubled=0)
