"""What the pipeline takes and keeps, from a hundred thousand events a month to a hundred million.

    python -m benchmarks.pipeline [--volumes 1e5,1e6,1e7,1e8] [--json FILE]

For each volume some hours wait in a queue and are drained and sealed, and a report is made of eight weeks,
each in a process of its own. Throughput is events in a CPU second of one core. Beside it stands a floor:
decoding the same events from lines of JSON and doing nothing with them. The ratio moves less from machine to
machine than the numbers do. Where an hour holds few events, what is done once for each hour and message is
most of the work. The largest volume takes ten minutes, nine of them to make it up. Memory is read from
`/proc`, so this runs on Linux.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from . import hours, weeks

VOLUMES = "1e5,1e6,1e7,1e8"
STEPS = {
    "fill": (hours.fill, "hours.db"),
    "hours": (hours.measured, "hours.db"),
    "make": (weeks.make, "weeks.db"),
    "weeks": (weeks.measured, "weeks.db"),
}
"""What is done, and on which file, each in a process of its own."""
MB = 1e6
TABLE: dict[str, tuple[str, str]] = {
    "drain": ("drain, events/s", ",.0f"),
    "seal": ("seal, events/s", ",.0f"),
    "both": ("drain and seal, events/s", ",.0f"),
    "ratio": ("times as fast as reading JSON", ".2f"),
    "seal_mb": ("memory while draining and sealing, MB", ",.0f"),
    "wire": ("bytes an event on the wire and as segment", ",.1f"),
    "numbers": ("bytes an event in rollups", ",.1f"),
    "texts": ("bytes an event in texts", ",.1f"),
    "report": ("report, CPU seconds", ",.2f"),
    "report_mb": ("memory while reporting, MB", ",.0f"),
    "read_mb": ("read for the report, MB", ",.1f"),
}


def main() -> None:
    """Measure and print; or, as a process of the measurement's own, do one step of it."""
    parser = argparse.ArgumentParser(prog="benchmarks.pipeline")
    parser.add_argument("--volumes", default=VOLUMES, help="events a month, with commas in between")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers to FILE as well")
    parser.add_argument("--step", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.step:
        print(json.dumps(_step(*given.step)))
        return
    found = {f"{float(volume):.0e}": _volume(int(float(volume))) for volume in given.volumes.split(",")}
    if given.json:
        given.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(f"{'events a month':<42}" + "".join(f"{volume:>12}" for volume in found))
    for name, (title, form) in TABLE.items():
        print(f"{title:<42}" + "".join(f"{one[name]:>12{form}}" for one in found.values()))


def _volume(a_month: int) -> dict[str, float]:
    """Return what is measured of one volume, each step in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        sent, counted, _, reported = (_apart(step, folder, a_month) for step in STEPS)
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


def _apart(step: str, folder: str, a_month: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.pipeline", "--step", step, folder, str(a_month)]
    ended = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    found: dict[str, float] = json.loads(ended.stdout)
    return found


def _step(step: str, folder: str, a_month: str) -> dict[str, float]:
    action, name = STEPS[step]
    return action(Path(folder) / name, int(a_month))


if __name__ == "__main__":
    main()
