"""Runs the benchmarks against peers: `make bench`.

    python benchmarks/peers.py [capture] [faults] [latency] [pipeline] [--quick] [--json FILE] [--docs]

Fifty minutes for all of it. `--docs` puts the results, the tables and the chart into the documentation.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import capture.measure
import faults.play
import page
import pipeline.measure
import zero_latency.measure
from chart import draw
from clients import EAGER, KNOWN, OURS, Known
from faults.scenarios import SCENARIOS
from goals import goals
from machine import machine
from tables import Results, tables

PARTS = ("capture", "faults", "latency", "pipeline")


def main() -> None:
    """Measure, print, and keep."""
    options = _options()
    chosen = [one for one in KNOWN if not options.clients or one.name in options.clients.split(",")]
    results: dict[str, Any] = {
        "taken": f"{datetime.now(UTC):%Y-%m-%d}",
        "quick": options.quick,
        "machine": machine(),
        "clients": [_described(one) for one in chosen],
    }
    kept = json.loads(page.RESULTS.read_text(encoding="utf-8")) if page.RESULTS.exists() else {}
    for part in options.parts or PARTS:
        results[part] = _measured(part, chosen, options)
        if options.json:
            _write(options.json, results)
        if options.docs:  # after each part: the next may take a quarter of an hour
            _write(page.RESULTS, {**kept, **results})
    if options.docs:
        page.PAGE.write_text(page.filled(page.PAGE.read_text("utf-8"), {**kept, **results}), "utf-8")
        draw({**kept, **results}, page.CHART)
    show(results)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all, without one")
    parser.add_argument("--clients", default="", help="names, with commas between them")
    parser.add_argument("--fault", action="append", metavar="NAME", help="only this one; may be repeated")
    parser.add_argument("--repeats", type=int, default=3, help="of each measurement of capture")
    parser.add_argument("--jobs", type=int, default=2, help="faults at a time")
    parser.add_argument("--quick", action="store_true", help="small numbers, to see that it works")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the results")
    parser.add_argument("--docs", action="store_true", help="put them into the documentation")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(unknown)}")
    if unknown := set(filter(None, options.clients.split(","))) - {one.name for one in KNOWN}:
        parser.error(f"no such client: {', '.join(unknown)}")
    if unknown := set(options.fault or ()) - {one.name for one in SCENARIOS}:
        parser.error(f"no such fault: {', '.join(unknown)}")
    return options


def _described(one: Known) -> dict[str, str]:
    return {
        "name": one.name,
        "version": one.version,
        "made": one.made,
        "mode": one.mode,
        "ends": one.ends,
    }


def _measured(part: str, chosen: Sequence[Known], options: argparse.Namespace) -> Any:
    if part == "capture":
        counts = capture.measure.QUICK if options.quick else capture.measure.COUNTS
        clients = [one for one in chosen if one.name != EAGER]
        repeats = 1 if options.quick else options.repeats
        return _plain(capture.measure.measure(clients, counts, repeats, _say))
    if part == "faults":
        named = [one for one in SCENARIOS if not options.fault or one.name in options.fault]
        scenarios = [one.quick() for one in named] if options.quick else named
        clients = [one for one in chosen if one.speaks]
        return _plain(faults.play.play_all(clients, scenarios, options.jobs, _say))
    if part == "pipeline":
        volumes = pipeline.measure.QUICK if options.quick else pipeline.measure.VOLUMES
        return pipeline.measure.measure(volumes, _say)
    _say(f"latency: {OURS}")
    return zero_latency.measure.measure(quick=options.quick)


def _plain(found: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {key: {name: asdict(one) for name, one in seen.items()} for key, seen in found.items()}


def _write(file: Path, results: Results) -> None:
    file.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def show(results: Results) -> None:
    """Print the tables. Small numbers say nothing of the goals: what is done once weighs too much in them."""
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else 200)
    judged = [] if results["quick"] else [goals(results)]
    for found in (*tables(results), *judged):
        drawn = Table(*found.head, box=None, header_style="bold")
        for row in found.rows:
            drawn.add_row(*row)
        console.print(found.title, drawn, sep="\n")
        console.print()


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
