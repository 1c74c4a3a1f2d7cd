"""Runs each client in each mode against a collector, and counts what arrived."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from capture.figures import Figures, together
from capture.worker import WARM
from clients import Known
from collector.handle import Taken, collecting, counted
from collector.moods import Mood
from process import environment

PATIENCE = 600
"""Seconds for one run."""
COUNTS = {"cold": 1, "burst": 20_000, "paced": 5_000, "threads": 20_000}
QUICK = {"cold": 1, "burst": 1_000, "paced": 250, "threads": 1_000}
NOTHING = Taken(requests=0, bytes=0, delivered=0, copies=0, doubled=0)


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
    """Use one client once."""
    if not client.speaks:
        return _figures(client, mode, count, _work(client, mode, count, ""), NOTHING)
    with collecting(client.speaks) as collector:
        collector.be(Mood.HEALTHY)
        told = _work(client, mode, count, f"http://127.0.0.1:{collector.port}")
        return _figures(client, mode, count, told, counted(collector.taken()))


def _work(client: Known, mode: str, count: int, url: str) -> dict[str, float]:
    """Run the worker, and return what it says of itself."""
    with tempfile.TemporaryDirectory() as home:
        result = Path(home) / "result.json"
        command = [sys.executable, "-m", "capture.worker", client.name, url, mode, str(count), str(result)]
        subprocess.run(
            command,
            env=environment(Path(home)),
            check=True,
            timeout=PATIENCE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        found: dict[str, float] = json.loads(result.read_text(encoding="utf-8"))
        return found


def _figures(client: Known, mode: str, count: int, told: dict[str, float], taken: Taken) -> Figures:
    captured = count if mode == "cold" else count + WARM
    each = max(1, taken.delivered if client.speaks else captured)
    return Figures(
        **{**told, "cpu": told["cpu"] / each},
        requests=1000 * taken.requests / each,
        bytes=taken.bytes / each,
        captured=captured,
        lost=captured - taken.delivered if client.speaks else 0,
        copies=taken.copies,
        doubled=taken.doubled,
    )
