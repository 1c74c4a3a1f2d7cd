"""`tuppence status`: how far things have come."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

import click
import msgspec

from tuppence.cli import pipeline, set_aside
from tuppence.cli.app import COULD_NOT, DONE, Session, shared
from tuppence.cli.output import Output, count, message_of, next_step
from tuppence.clock import Deadline
from tuppence.errors import DriverError, ErrorCode, TuppenceError
from tuppence.findings import State
from tuppence.liveness import Job, Pipeline, judged
from tuppence.meter import read_month
from tuppence.pipeline import dead
from tuppence.pipeline.heartbeat import read_heartbeats
from tuppence.pipeline.loss import Loss, loss
from tuppence.pipeline.reader import read_days, waiting_hours
from tuppence.pipeline.rollup import Rollup, Seen, merge_instances
from tuppence.report.pipeline_state import duration
from tuppence.report.words import NBSP
from tuppence.runtime import Runtime

PATIENCE: Final = timedelta(seconds=15)
"""How long one part of the status may take to be found."""
DAYS: Final = 7
"""What came and what was lost is told of so many days, today included."""
_ONE_CALL: Final = frozenset({ErrorCode.FORBIDDEN, ErrorCode.INVALID, ErrorCode.UNSUPPORTED})
"""Errors of one call, after which the next one to the same service may well succeed."""

_Found = TypeVar("_Found")


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is wrong, or that could not be found out; `next` is what to do about it."""

    part: str
    message: str
    next: str


@click.command()
@shared
def status(session: Session) -> int:
    """Say what waits, came last and was lost, and whether the jobs run.

    Also how many dead letters there are, and which billable units were used this month. What cannot be found
    out is said, and hides nothing else.
    """
    with session.runtime() as runtime:
        look = _Look(runtime, session.output)
        found = look.found()
    _print(session.output, found, look)
    session.output.result(found)
    return COULD_NOT if look.problems else DONE


class _Look:
    """One look at everything; each part fails alone.

    Attributes:
        problems: what is wrong or could not be found out.
        lines: what there is to say of each job.

    """

    def __init__(self, runtime: Runtime, output: Output) -> None:
        self._runtime = runtime
        self._output = output
        self._unreachable: set[str] = set()
        self.problems: list[Problem] = []
        self.lines: list[tuple[str, str]] = []

    def found(self) -> dict[str, Any]:
        """Return the document; what could not be found out is `None` in it."""
        runtime, project = self._runtime, self._runtime.config.project
        zone, now = ZoneInfo(runtime.config.timezone), runtime.clock.now()
        today = now.astimezone(zone).date()
        first = today - timedelta(days=DAYS - 1)
        depth = self._ask("queue", lambda until: runtime.queue.depth(deadline=until))
        jobs = self._jobs(depth)
        days = self._ask("store", lambda until: self._days(first, today, until))
        hours = self._ask("store", lambda until: waiting_hours(runtime.store, project, deadline=until))
        letters = self._ask(
            "store", lambda until: sum(1 for _ in dead.letters(runtime.store, project, deadline=until))
        )
        units = self._ask(
            "store", lambda until: read_month(runtime.store, project, f"{now:%Y%m}", deadline=until)
        )
        recent = None if days is None else [rollup for day, rollup in days.items() if day >= first]
        return {
            "project": project,
            "queue": depth
            and {"messages": depth[0], "oldest_seconds": depth[1] and int(depth[1].total_seconds())},
            "waiting_hours": None if hours is None else len(hours),
            "last_event_by": None if recent is None else _last_event(recent, hours or [], zone),
            "events": None
            if recent is None
            else sum(cell.events for rollup in recent for cell in rollup.cells.values()),
            "loss": None
            if days is None or recent is None
            else _loss(recent, [rollup for day, rollup in days.items() if day < first]),
            "dead_letters": letters,
            "units": units,
            "jobs": jobs,
            "set_aside": self._set_aside(),
            "problems": self.problems,
        }

    def _set_aside(self) -> dict[str, Any] | None:
        """Return what the queue refused on this machine, which is a problem, if there is anything."""
        findings = self._ask("set aside", lambda _: list(set_aside.set_aside(self._runtime)))
        for one in findings or []:
            if one.state is State.WRONG:
                self._problem(one.part, one.detail, one.mend)
        return self._ask("set aside", lambda _: set_aside.summary(self._runtime.config))

    def _ask(self, part: str, ask: Callable[[Deadline], _Found]) -> _Found | None:
        """Return the answer, or `None`. A service that is not there is asked once, not once for each part."""
        if part in self._unreachable:
            return None
        try:
            with self._output.waiting(f"the {part}"):
                return ask(Deadline.after(PATIENCE, self._runtime.clock))
        except (TuppenceError, OSError) as error:
            if not (isinstance(error, DriverError) and error.code in _ONE_CALL):
                self._unreachable.add(part)
            self._problem(part, message_of(error), next_step(error))
            return None

    def _problem(self, part: str, message: str, next_: str) -> None:
        problem = Problem(part=part, message=message, next=next_)
        if problem not in self.problems:
            self.problems.append(problem)

    def _days(self, first: date, today: date, until: Deadline) -> dict[date, Rollup]:
        runtime = self._runtime
        day_before = first - timedelta(days=1)
        return read_days(runtime.store, runtime.config.project, day_before, today, deadline=until).rollups

    def _jobs(self, depth: tuple[int, timedelta | None] | None) -> list[Job] | None:
        """Return how the jobs are, or `None`; what is wrong with them or their schedules is a problem."""
        runtime, config = self._runtime, self._runtime.config
        there = self._ask("scheduler", lambda _: list(runtime.scheduler.schedules()))
        findings = [] if there is None else list(pipeline.schedule(runtime, there))
        beats = self._ask(
            "store", lambda until: read_heartbeats(runtime.store, config.project, deadline=until)
        )
        jobs = None
        if beats is not None:
            waiting, oldest = depth or (None, None)
            jobs = judged(config, beats, there or [], waiting, oldest, now=runtime.clock.now())
            seconds = None if oldest is None else int(oldest.total_seconds())
            findings += pipeline.jobs(runtime, Pipeline(jobs=jobs, waiting=waiting, oldest_seconds=seconds))
        self.lines = [(one.part, one.detail) for one in findings if one.state is not State.WRONG]
        for one in findings:
            if one.state is State.WRONG:
                self._problem(one.part, one.detail, one.mend)
        return jobs


def _last_event(recent: list[Rollup], hours: list[str], zone: ZoneInfo) -> datetime | None:
    """Return the end of the last hour that holds an event, sealed or not."""
    sealed = [
        datetime.fromisoformat(f"{hour}:00").replace(tzinfo=zone)
        for rollup in recent
        for hour, cell in rollup.cells.items()
        if cell.events
    ]
    unsealed = [datetime.strptime(hour, "%Y%m%d%H").replace(tzinfo=UTC) for hour in hours]
    last = max((at.astimezone(UTC) for at in (*sealed, *unsealed)), default=None)
    return last and (last + timedelta(hours=1)).astimezone(zone)


def _loss(recent: list[Rollup], before: list[Rollup]) -> Loss:
    def instances(rollups: list[Rollup]) -> dict[str, Seen]:
        return merge_instances(rollup.instances for rollup in rollups)

    return loss(instances(before), instances(recent), {})


def _print(output: Output, found: dict[str, Any], look: _Look) -> None:
    events, lost, units = found["events"], found["loss"], found["units"]
    rows = [
        *(("problem", f"{one.part}: {_sentence(one.message)} {one.next}") for one in look.problems),
        ("queue", _known(found["queue"], _queue)),
        *look.lines,
        ("not sealed", _known(found["waiting_hours"], lambda number: count(number, "hour"))),
        ("last event", _known(events, lambda _: _last(found["last_event_by"]))),
        (f"last {DAYS} days", _known(events, lambda number: count(number, "event"))),
        ("lost", _known(lost, _lost)),
        ("ignored", _known(lost, _ignored)),
        ("gone silent", _known(lost, lambda one: count(len(one.silent), "process", "processes"))),
        ("dead letters", _known(found["dead_letters"], lambda number: f"{number:,}")),
    ]
    rows += [(unit, f"{amount:,} this month") for unit, amount in sorted((units or {}).items())]
    output.table(("", ""), rows if units is not None else [*rows, ("units", _known(units, str))])


def _known(value: _Found | None, words: Callable[[_Found], str]) -> str:
    return "not known, see above" if value is None else words(value)


def _queue(queue: dict[str, Any]) -> str:
    age = queue["oldest_seconds"]
    oldest = f", the oldest {duration(timedelta(seconds=age))} old".replace(NBSP, " ") if age else ""
    return count(queue["messages"], "message") + oldest


def _last(last: datetime | None) -> str:
    return f"before {last:%Y-%m-%d %H:%M %Z}" if last else "none within a week"


def _lost(lost: Loss) -> str:
    text = f"{lost.lost:,}, and {lost.dropped:,} dropped by a full journal, {lost.refused:,} refused"
    return f"{text}; {lost.claimed:,} more are claimed, which nothing bears out" if lost.claimed else text


def _ignored(lost: Loss) -> str:
    return count(lost.ignored, "statement") + " of a wrong value or too late" if lost.ignored else "none"


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."
