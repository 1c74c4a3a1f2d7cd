"""A seal that reads a broken answer of Firestore's counts every event all the same."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from aws.faulty import Answer, Faulty
from tuppence import functions
from tuppence.capture import packer
from tuppence.capture.client import Client
from tuppence.clock import Deadline
from tuppence.config import load
from tuppence.drivers import Run
from tuppence.pipeline.reader import read_days
from tuppence.runtime import Runtime
from tuppence.testing import ManualClock

EVENTS = 120
EACH = 20
BROKEN = 2
"""Answers that are broken, of those that hold several documents."""
ERROR = {"error": {"code": 503, "status": "UNAVAILABLE", "message": "made up"}}


class Breaking:
    """Ends the first streams that hold several documents after two of them.

    Args:
        ends: what comes in place of the rest.

    """

    __name__ = "breaking"

    def __init__(self, ends):
        self._ends = ends
        self.left = 0

    def __call__(self, request, forward):
        answer = forward(request)
        elements = json.loads(answer.body) if request.path.endswith(":runQuery") else []
        if self.left == 0 or sum("document" in one for one in elements) <= 2:
            return answer
        self.left -= 1
        return Answer(answer.status, answer.headers, json.dumps([*elements[:2], *self._ends]).encode())


@pytest.mark.parametrize("ends", [[ERROR], []], ids=["with an error", "without a word"])
def test_a_seal_counts_all_when_the_stream_of_segments_breaks(
    firestore_url, project, tmp_path, monkeypatch, ends
):
    monkeypatch.setattr(packer, "MAX_EVENTS", EACH)
    breaking = Breaking(ends)
    clock = ManualClock(datetime.now(UTC))
    with Faulty(firestore_url, (breaking,), rate=1.0).running() as proxy:
        config = load(
            environ={},
            folder=tmp_path,
            project="bot",
            provider="local",
            capture={"directory": str(tmp_path)},
            store={"provider": "gcp", "endpoint": proxy.url, "collection": project},
        )
        with Client(config) as client:
            for number in range(EVENTS):
                client.capture("tick", n=number)
            assert client.flush(60)
        clock.advance(timedelta(hours=3))
        with Runtime(config, clock=clock) as runtime:
            functions.run(runtime, Run(job="drain", run_id="1"), left=timedelta(minutes=1))
            breaking.left = BROKEN
            functions.run(runtime, Run(job="seal", run_id="2"), left=timedelta(minutes=1))
            today = clock.now().date()
            days = read_days(
                runtime.store,
                "bot",
                today - timedelta(days=2),
                today + timedelta(days=1),
                deadline=Deadline.after(60, clock),
            )

    assert breaking.left == 0
    assert sum(cell.events for day in days.rollups.values() for cell in day.cells.values()) == EVENTS
