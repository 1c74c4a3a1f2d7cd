"""How many events the weekly report counts of what was taken, by the pipeline itself."""

from __future__ import annotations

import json
import tempfile
from base64 import b64decode
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from collector.moods import Request
from tuppence import jobs
from tuppence.clock import Deadline
from tuppence.config import load
from tuppence.drivers import Message
from tuppence.pipeline.reader import read_days
from tuppence.runtime import Runtime

LIMIT = timedelta(minutes=2)
DAY = timedelta(days=1)


def reported(requests: Sequence[Request]) -> int:
    """Drain and seal what SQS was handed, repeats and all, on the embedded provider; return the sum."""
    with tempfile.TemporaryDirectory() as folder:
        config = load(folder=Path(folder), environ={}, provider="local", project="bench")
        with Runtime(config) as runtime:
            for number, body in enumerate(_bodies(requests)):
                runtime.queue.send([Message(id=f"m{number}", body=body)], deadline=Deadline.after(LIMIT))
            jobs.drain(runtime, deadline=Deadline.after(LIMIT))
            jobs.seal(runtime, deadline=Deadline.after(LIMIT))
            today = datetime.now(UTC).date()
            days = read_days(
                runtime.store, config.project, today - DAY, today + DAY, deadline=Deadline.after(LIMIT)
            )
    return sum(cell.events for rollup in days.rollups.values() for cell in rollup.cells.values())


def _bodies(requests: Sequence[Request]) -> Iterator[bytes]:
    for request in requests:
        for entry in json.loads(request.body)["Entries"]:
            yield b64decode(entry["MessageAttributes"]["b"]["BinaryValue"])
