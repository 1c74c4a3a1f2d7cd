"""What a call costs the caller: capture() beside a bare append and beside a line of JSON written to a file.

    python benchmarks/calls.py [--json]

Prints the median, the 99th percentile and the longest call in microseconds, and the ratio of the medians to
the floor, all from one run. Absolute times move from machine to machine; the ratios less so.
"""

import json
import os
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import tuppence
from tuppence import config

CALLS = 50_000
TEXT = "Why has my card payment still not arrived?"


def timed(call: Callable[[int], object]) -> dict[str, float]:
    """Return what a call costs, in microseconds."""
    for number in range(1_000):
        call(number)
    spans = []
    for number in range(CALLS):
        before = time.perf_counter_ns()
        call(number)
        spans.append(time.perf_counter_ns() - before)
    spans.sort()
    return {
        "p50": spans[CALLS // 2] / 1000,
        "p99": spans[CALLS * 99 // 100] / 1000,
        "max": spans[-1] / 1000,
    }


def question(client: tuppence.Client) -> None:
    """Ask and answer one question."""
    with client.question(TEXT, user="u1") as asked:
        asked.answered(model="m", input_tokens=210)


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        kept: deque[object] = deque(maxlen=CALLS)
        spool = os.open(Path(folder) / "spool", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        settings = config.load(
            folder=Path(folder), environ={}, provider="local", capture={"directory": folder}
        )
        client = tuppence.Client(settings)
        try:
            results = {
                "deque.append": timed(lambda n: kept.append({"n": n, "text": TEXT})),
                "json + os.write": timed(
                    lambda n: os.write(spool, json.dumps({"n": n, "text": TEXT}).encode())
                ),
                "capture()": timed(lambda n: client.capture("tick", user="u1", n=n, text=TEXT)),
                "question()": timed(lambda _: question(client)),
            }
        finally:
            client.close(timeout=60)
            os.close(spool)
    floor = results["deque.append"]["p50"]
    if "--json" in sys.argv[1:]:
        print(json.dumps(results))
        return
    print(f"{'':16}{'p50 µs':>10}{'p99 µs':>10}{'max µs':>10}{'÷ floor':>10}")
    for name, spans in results.items():
        figures = "".join(f"{spans[key]:>10.2f}" for key in ("p50", "p99", "max"))
        print(f"{name:16}{figures}{spans['p50'] / floor:>10.1f}")


if __name__ == "__main__":
    main()
