"""Processes are killed while they capture and the queue is away; then everything comes back.

`REPEATS=50 make faults` repeats it as often as you like.
"""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from faults.processes import last_number, start
from tuppence.batch import is_batch, to_events, unpack

TUPPENCE = Path(sys.executable).with_name("tuppence")
PROCESSES = 4
EVENTS = 25_000


def numbers_in_store(folder):
    """Return the sequence numbers in the stored segments, by instance."""
    connection = sqlite3.connect(folder / "store.db")
    try:
        bodies = [row[0] for row in connection.execute("SELECT body FROM records")]
    finally:
        connection.close()
    numbers = {}
    for header, columns in (unpack(body) for body in bodies if is_batch(body)):
        numbers.setdefault(header.instance, set()).update(event.seq for event in to_events(columns))
    return list(numbers.values())


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(int(os.environ.get("REPEATS", "2"))))
def test_every_event_that_was_promised_is_in_the_report_once(tmp_path, seed):
    (tmp_path / "tuppence.toml").write_text(
        'provider = "local"\nproject = "bot"\n[capture]\ndirectory = "journal"\nflush_interval = "200ms"\n'
        '[queue]\npath = "away/queue.db"\n[store]\npath = "store.db"\n[scheduler]\npath = "store.db"\n'
    )
    chance = random.Random(seed)
    week = datetime.now(UTC).strftime("%G-W%V")

    running = [start(tmp_path, EVENTS, tmp_path / f"out{number}") for number in range(PROCESSES)]
    for process in sorted(running, key=lambda _: chance.random()):
        time.sleep(chance.uniform(0.0, 0.7))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    promised = [last_number(tmp_path / f"out{number}") for number in range(PROCESSES)]
    (tmp_path / "away").mkdir()
    subprocess.run([TUPPENCE, "worker", "--once"], cwd=tmp_path, check=True, capture_output=True)
    finished = subprocess.run(
        [TUPPENCE, "report", "--week", week, "--format", "json"],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip

    report = json.loads(finished.stdout)
    numbers = numbers_in_store(tmp_path)
    missing = [n for n in promised if n and not any(set(range(1, n + 1)) <= found for found in numbers)]
    assert not missing
    assert sum(promised) <= report["totals"]["events"] <= sum(promised) + PROCESSES
    assert report["totals"]["events"] == sum(map(len, numbers))
    assert report["health"]["lost"] == 0
