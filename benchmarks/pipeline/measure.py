"""What the pipeline takes and keeps, from a hundred thousand events a month to a hundred million.

For each volume some hours wait in a queue and are drained and sealed, and a report is made of eight weeks,
each in a process of its own. Throughput is events in a CPU second of one core. Beside it stands a floor:
decoding the same events from lines of JSON and doing nothing with them. The ratio moves less from machine to
machine than the numbers do. Where an hour holds few events, what is done once for each hour and message is
most of the work. The largest volume takes ten minutes, nine of them to make it up. Memory is read from
`/proc`, so this runs on Linux.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from process import environment

from pipeline.worker import STEPS

VOLUMES = (100_000, 1_000_000, 10_000_000, 100_000_000)
"""Events a month."""
QUICK = VOLUMES[:1]
MB = 1e6


def measure(volumes: tuple[int, ...], say: Callable[[str], None]) -> dict[str, dict[str, float]]:
    """Return what is measured of each volume."""
    return {str(volume): _volume(volume, say) for volume in volumes}


def _volume(a_month: int, say: Callable[[str], None]) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:

        def apart(step: str) -> dict[str, float]:
            say(f"{a_month:,} events a month: {step}")
            command = [sys.executable, "-m", "pipeline.worker", step, folder, str(a_month)]
            ended = subprocess.run(
                command, check=True, stdout=subprocess.PIPE, env=environment(Path(folder)), cwd=folder
            )
            found: dict[str, float] = json.loads(ended.stdout)
            return found

        sent, counted, _, reported = (apart(step) for step in STEPS)
    count, spent = sent["events"], counted["drain"] + counted["seal"]
    return {
        "drain": count / counted["drain"],
        "seal": count / counted["seal"],
        "both": count / spent,
        "ratio": sent["floor"] / spent,
        "seal_mb": counted["memory"] / MB,
        "wire": sent["wire"] / count,
        "numbers": (counted["hours"] + counted["days"]) / count,
        "texts": counted["texts"] / count,
        "report": reported["report"],
        "report_mb": reported["memory"] / MB,
        "read_mb": reported["read"] / MB,
    }
