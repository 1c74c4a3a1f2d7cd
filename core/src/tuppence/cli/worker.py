"""`tuppence worker`: everything behind the application, on schedule, in one process.

Every job may stop between any two lines and run in several workers at once, so a worker needs no lock, and
being killed does it no harm.
"""

from __future__ import annotations

import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from types import FrameType
from typing import Any, Final

import click
import msgspec

from tuppence import jobs
from tuppence.capture.sender import Orphans
from tuppence.cli.app import COULD_NOT, DONE, Session, shared
from tuppence.cli.output import CommandError, Output, message_of
from tuppence.cli.steps import STEP
from tuppence.clock import Deadline
from tuppence.drivers import Feature, Kind
from tuppence.errors import TuppenceError
from tuppence.runtime import Runtime
from tuppence.schedules import SCHEDULED, register
from tuppence.watch import BY_HAND, Watch, watched

LONGEST_WAIT: Final = 60.0
"""Seconds until a worker looks again, whatever it expects: clocks are set, and schedules change."""

RUNS: Final = {
    **SCHEDULED,
    "drain": ("orphans", "drain"),
    "report": ("drain", "seal", "report"),
}
"""The jobs of each schedule. One process may do it all: send too, and make a mail from all that has come."""


DOES: Final = {
    "orphans": "send what dead processes left",
    "drain": "store what waits",
    "seal": "count it",
    "report": "mail a report that is due",
    "purge": "delete what has expired",
}
NEEDS: Final = {
    "orphans": (Kind.QUEUE,),
    "drain": (Kind.QUEUE, Kind.STORE),
    "seal": (Kind.STORE,),
    "report": (Kind.STORE, Kind.MAILER),
    "purge": (Kind.STORE,),
}
"""What each job does, and the drivers it may have to wait for."""


@click.command()
@click.option("--once", is_flag=True, help="Do everything that is due once, and end.")
@shared
def worker(session: Session, *, once: bool) -> int:
    """Do everything on schedule, until stopped.

    Sends, drains, seals, purges and mails: at once, then on schedule until SIGTERM or Ctrl-C. Any number of
    workers may run at the same time.
    """
    watch = Watch(session.output.aside, patience=BY_HAND if once else None)
    with session.runtime() as runtime, _stopping(session.output, at_once=once) as stop, watched(watch):
        work = Worker(runtime, session.output, by_hand=once)
        work.run(tuple(jobs.JOBS))
        if not once:
            work.until(stop)
    session.output.result({"ran": work.ran, "failed": work.failed})
    return COULD_NOT if work.failed and once else DONE


class Worker:
    """Runs jobs one after the other.

    Attributes:
        ran: how often each job was run to its end.
        failed: why a job's last run failed, for those whose did.

    """

    def __init__(self, runtime: Runtime, output: Output, *, by_hand: bool = False) -> None:
        self._runtime = runtime
        self._by_hand = by_hand
        self._output = output
        self.ran: dict[str, int] = {}
        self.failed: dict[str, str] = {}

    def run(self, names: tuple[str, ...]) -> None:
        """Run these jobs; one that fails keeps no other from running."""
        for job in names:
            try:
                with self._waiting(job):
                    result = jobs.JOBS[job](self._runtime, deadline=Deadline.after(STEP, self._runtime.clock))
                if isinstance(result, Orphans) and result.problem:
                    raise TuppenceError(result.problem)
            except (TuppenceError, OSError) as error:
                self.failed[job] = message_of(error)
                self._output.note(f"{self._now()} {job} failed and will be tried again: {message_of(error)}")
            else:
                self.failed.pop(job, None)
                self.ran[job] = self.ran.get(job, 0) + 1
                self._output.note(f"{self._now()} {job} done{_told(result)}")

    def until(self, stop: threading.Event) -> None:
        """Register the schedules and keep to them until `stop` is set."""
        scheduler = self._runtime.scheduler
        if Feature.POLLED not in scheduler.features:
            name = self._runtime.config.provider_of(Kind.SCHEDULER)
            raise CommandError(
                f"{name} runs schedules by itself; no worker is needed.",
                "Run `tuppence worker --once` for a pass by hand.",
            )
        register(scheduler, self._runtime.config)
        self._output.note(f"{self._now()} waiting for what is due next")
        while not stop.is_set():
            for run in scheduler.claim_due():
                self.run(RUNS.get(run.job, ()))
            due = scheduler.next_due()
            left = (due - self._runtime.clock.now()).total_seconds() if due else LONGEST_WAIT
            stop.wait(min(max(left, 0.0), LONGEST_WAIT))
        self._output.note(f"{self._now()} stopped")

    def _waiting(self, job: str) -> AbstractContextManager[None]:
        """Say what a job waits for, if it takes long and someone is there to wonder."""
        if not self._by_hand:
            return nullcontext()
        provider = self._runtime.config.provider_of
        where = " and ".join(f"the {kind.value} ({provider(kind)})" for kind in NEEDS[job])
        return self._output.waiting(f"{where}, to {DOES[job]}")

    def _now(self) -> str:
        return f"{self._runtime.clock.now():%Y-%m-%d %H:%M:%SZ}"


def _told(result: Any) -> str:
    """Return in a few words what a job did, or nothing where there was nothing to do."""
    if isinstance(result, list):
        result = Counter(f"mails {one.status.value.replace('_', ' ')}" for one in result)
    elif isinstance(result, int):
        result = {"records": result}
    else:
        result = msgspec.structs.asdict(result)
    counts = {name: value for name, value in result.items() if isinstance(value, int)}
    numbers = [f"{value:,} {name}" for name, value in counts.items() if value and value is not True]
    return f": {', '.join(numbers)}" if numbers else ""


@contextmanager
def _stopping(output: Output, *, at_once: bool) -> Iterator[threading.Event]:
    """Yield an event that SIGTERM and SIGINT set, so that the job in hand is ended first.

    Args:
        output: where that is said.
        at_once: leave Ctrl-C to end everything at once. A second Ctrl-C always does.

    """
    stop = threading.Event()

    def ask(number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGINT and stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        with suppress(RuntimeError):  # the signal came while a line was being written
            output.note("Stopping once the job in hand is done; Ctrl-C ends it at once.")

    numbers = (signal.SIGTERM,) if at_once else (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, ask) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
