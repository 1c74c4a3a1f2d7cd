"""`tuppence status`: how far things have come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import click

from tuppence.cli.app import Session, shared
from tuppence.cli.output import Output, count
from tuppence.clock import Deadline
from tuppence.meter import read_month
from tuppence.pipeline import dead
from tuppence.pipeline.loss import Loss, loss
from tuppence.pipeline.reader import read_days, waiting_hours
from tuppence.pipeline.rollup import Rollup, Seen, merge_instances
from tuppence.runtime import Runtime

PATIENCE: Final = timedelta(minutes=1)
DAYS: Final = 7
"""What came and what was lost is told of so many days, today included."""


@click.command()
@shared
def status(session: Session) -> None:
    """Say what waits, came last and was lost.

    Also how many dead letters there are, and which billable units were used this month.
    """
    with session.runtime() as runtime:
        found = _look(runtime)
    _print(session.output, found)
    session.output.result(found)


def _look(runtime: Runtime) -> dict[str, Any]:
    deadline = Deadline.after(PATIENCE, runtime.clock)
    project, store = runtime.config.project, runtime.store
    waiting, oldest = runtime.queue.depth(deadline=deadline)
    zone = ZoneInfo(runtime.config.timezone)
    today = runtime.clock.now().astimezone(zone).date()
    first = today - timedelta(days=DAYS - 1)
    days = read_days(store, project, first - timedelta(days=1), today, deadline=deadline).rollups
    recent = [rollup for day, rollup in days.items() if day >= first]
    hours = waiting_hours(store, project, deadline=deadline)
    return {
        "project": project,
        "queue": {"messages": waiting, "oldest_seconds": oldest and int(oldest.total_seconds())},
        "waiting_hours": len(hours),
        "last_event_by": _last_event(recent, hours, zone),
        "events": sum(cell.events for rollup in recent for cell in rollup.cells.values()),
        "loss": _loss(recent, [rollup for day, rollup in days.items() if day < first]),
        "dead_letters": sum(1 for _ in dead.letters(store, project, deadline=deadline)),
        "units": read_month(store, project, f"{runtime.clock.now():%Y%m}", deadline=deadline),
    }


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


def _print(output: Output, found: dict[str, Any]) -> None:
    queue, lost = found["queue"], found["loss"]
    age = queue["oldest_seconds"]
    last = found["last_event_by"]
    rows = [
        ("queue", count(queue["messages"], "message") + (f", the oldest {age} s old" if age else "")),
        ("not sealed", count(found["waiting_hours"], "hour")),
        ("last event", f"before {last:%Y-%m-%d %H:%M %Z}" if last else "none within a week"),
        (f"last {DAYS} days", count(found["events"], "event")),
        ("lost", f"{lost.lost:,}, and {lost.dropped:,} dropped by a full journal, {lost.refused:,} refused"),
        (
            "ignored",
            count(lost.ignored, "statement") + " of a wrong value or too late" if lost.ignored else "none",
        ),
        ("gone silent", count(len(lost.silent), "process", "processes")),
        ("dead letters", f"{found['dead_letters']:,}"),
        *((unit, f"{amount:,} this month") for unit, amount in sorted(found["units"].items())),
    ]
    output.table(("", ""), rows)
