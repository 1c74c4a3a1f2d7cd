"""What becomes of events while every call to the queue fails for a reason that is not about any of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tuppence import functions
from tuppence.capture.client import Client
from tuppence.clock import Deadline
from tuppence.config import load
from tuppence.drivers import Run
from tuppence.pipeline.reader import read_days
from tuppence.runtime import Runtime
from tuppence.testing import ManualClock

EVENTS = 20
SEND_TIMEOUT_S = 60
PROJECT = "bot"


class Project:
    """One project whose store is on this machine, and whose queue is not.

    Args:
        folder: for its files.
        queue: the settings of the queue.

    """

    def __init__(self, folder, queue):
        self._folder = folder
        self._queue = queue
        self.rows = []

    def config(self, name):
        folder = self._folder / name
        folder.mkdir(exist_ok=True)
        return load(
            environ={},
            folder=folder,
            project=PROJECT,
            provider="local",
            capture={"directory": str(folder)},
            queue=self._queue,
            store={"path": str(self._folder / "events.db")},
        )

    def capture_through(self, name, fail, mend):
        """Capture while calls fail, then let them succeed; add what was seen to `rows`."""
        fail()
        with Client(self.config(name)) as client:
            for number in range(EVENTS):
                client.capture("tick", n=number)
            while_failing = client.flush(0.5)
            problem = client.stats.problem
            mend()
            after = client.flush(SEND_TIMEOUT_S)
            self.rows.append((name, while_failing, client.stats.set_aside, after, problem))

    def counted(self):
        """Drain and seal; return how many events the report will count."""
        clock = ManualClock(datetime.now(UTC) + timedelta(hours=3))
        with Runtime(self.config("drain"), clock=clock) as runtime:
            for job in ("drain", "seal"):
                functions.run(runtime, Run(job=job, run_id="1"), left=timedelta(minutes=1))
            today = clock.now().date()
            first, last = today - timedelta(days=2), today + timedelta(days=1)
            days = read_days(runtime.store, PROJECT, first, last, deadline=Deadline.after(60, clock))
        return sum(cell.events for day in days.rollups.values() for cell in day.cells.values())

    def table(self, service):
        """Return the rows as lines, which are shown at the end of the tests."""
        head = f"{service}: {EVENTS} events while every call fails, then none; all were counted"
        lines = [head, f"{'error of every call':32} {'flush':5} {'set aside':9} {'flush after':11} said"]
        for name, while_failing, set_aside, after, problem in self.rows:
            lines.append(f"{name:32} {while_failing!s:5} {set_aside:9} {after!s:11} {(problem or '')[:90]}")
        return "\n".join(lines)


def check(project, counted):
    """Expect that nothing was lost, that `flush` told the truth, and that all is counted in the end."""
    seen = {name: (before, aside, after) for name, before, aside, after, _ in project.rows}
    assert seen == dict.fromkeys(seen, (False, 0, True))
    assert counted == EVENTS * len(seen)
