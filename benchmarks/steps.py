"""Where the time of an event goes: the steps of a call, and those behind it, as shares.

    python benchmarks/steps.py [--json]

The steps take turns on the same thousand events, and the fastest turn of each counts: what else the machine
does makes a step slower and never faster. Times are CPU times of one thread.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import zstandard
from events import event

import tuppence
from tuppence import batch, config
from tuppence.capture import frames
from tuppence.capture.encode import Cleaner
from tuppence.event import Event
from tuppence.redact import may_identify

EVENTS = [event(n) for n in range(1_000)]
TURNS = 300
NOON = 1_763_294_400_000
NAMES = {"user", "session"}


def fastest(steps: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """Return the microseconds that each step takes for one of the events."""
    spans: dict[str, list[int]] = {name: [] for name in steps}
    for _ in range(TURNS):
        for name, work in steps.items():
            before = time.thread_time_ns()
            work()
            spans[name].append(time.thread_time_ns() - before)
    return {name: min(turns) / 1000 / len(EVENTS) for name, turns in spans.items()}


def in_the_call(client: tuppence.Client) -> dict[str, float]:
    """Return what the steps of one call take, in microseconds."""
    texts = [one["text"] for one in EVENTS]
    datas = [{key: value for key, value in one.items() if key not in NAMES} for one in EVENTS]
    told = [_told(one) for one in EVENTS]
    written = [frames.frame(*one) for one in told]
    settled = Cleaner(redacted=True).settled
    segment = mmap.mmap(-1, sum(map(len, written)))

    def nothing(_: str, /, *, user: str, session: str, **data: Any) -> object:
        """Do nothing, with the keywords of `tuppence.Client.capture`."""

    def copy() -> None:
        segment.seek(0)
        for one in written:
            segment.write(one)

    found = fastest(
        {
            "whole": lambda: [client.capture("question", **one) for one in EVENTS],
            "nothing": lambda: [nothing("question", **one) for one in EVENTS],
            "identify": lambda: [may_identify(text) for text in texts],
            "settle": lambda: [settled(data) for data in datas],
            "encode": lambda: [frames.frame(*one) for one in told],
            "copy": copy,
        }
    )
    known = found["nothing"] + found["settle"] + found["encode"] + found["copy"]
    return {
        "a call with the same keywords that does nothing": found["nothing"],
        "looking whether the text may identify a person": found["identify"],
        "looking whether the values are plain and small": found["settle"] - found["identify"],
        "encoding, checksum and frame": found["encode"],
        "the copy into the mapped file": found["copy"],
        "names, number, time, and what lies between these steps": found["whole"] - known,
    }


def behind_it() -> dict[str, float]:
    """Return what the steps behind a call take for one event, in microseconds."""
    segment = b"".join(frames.frame(*_told(one, n)) for n, one in enumerate(EVENTS, start=1)) + bytes(64)

    def read() -> list[Event]:
        rows: list[frames.Frame] = []
        frames.read(segment, 0, rows)
        return [*rows]

    rows = read()
    header = batch.Header(
        project="bot", hour="2025111612", count=len(rows), instance="i", first=1, last=len(rows)
    )
    raw = batch._columns.encode(batch._to_columns(rows))  # noqa: SLF001 - a step of packing
    found = fastest(
        {"read": read, "pack": lambda: batch.pack(header, rows), "squeeze": lambda: _squeezed(raw)}
    )
    return {
        "reading its frame: checksum, decoding": found["read"],
        "turning rows into columns, encoding them": found["pack"] - found["squeeze"],
        "compression and digest; the application's threads run meanwhile": found["squeeze"],
    }


def _told(one: dict[str, Any], seq: int = 1) -> tuple[Any, ...]:
    """Return what a frame is made of."""
    data = {key: value for key, value in one.items() if key not in NAMES}
    return 1, seq, NOON, data, "question", None, one["user"], one["session"]


def _squeezed(raw: bytes) -> bytes:
    body = zstandard.ZstdCompressor(level=batch.LEVEL).compress(raw)
    return hashlib.blake2b(body, digest_size=batch.DIGEST).digest()


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        settings = config.load(
            folder=Path(folder), environ={}, provider="local", capture={"directory": folder}
        )
        client = tuppence.Client(settings)
        results = {"in the call": in_the_call(client), "behind it": behind_it()}
        client.close(timeout=60)
    if "--json" in sys.argv[1:]:
        print(json.dumps(results))
        return
    for part, steps in results.items():
        whole = sum(steps.values())
        print(f"{part}, {whole:.2f} µs")
        for step, span in steps.items():
            print(f"  {step:64}{span:6.2f}{100 * span / whole:5.0f} %")


if __name__ == "__main__":
    main()
