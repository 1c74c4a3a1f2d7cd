"""`tuppence drain`, `seal` and `purge`: one step of the pipeline by hand."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import click

from tuppence.capture.sender import send_orphans
from tuppence.cli.app import COULD_NOT, DONE, Session, shared
from tuppence.cli.output import count
from tuppence.clock import Deadline
from tuppence.config import Config
from tuppence.pipeline.drain import Drained
from tuppence.pipeline.drain import drain as drain_queue
from tuppence.pipeline.retention import purge as purge_store
from tuppence.pipeline.seal import Sealed
from tuppence.pipeline.seal import seal as seal_hours
from tuppence.runtime import Runtime
from tuppence.schedule import next_due

if TYPE_CHECKING:
    from tuppence.report.period import Week
    from tuppence.report.send import Sent

STEP: Final = timedelta(minutes=10)
"""How long one step may take; the next one takes up what is left."""
LOOK_BACK: Final = 6
"""Weeks that are looked at for a mail that is due; a schedule may run but once a month."""


@click.command()
@shared
def drain(session: Session) -> int:
    """Send what dead processes left in their journals, then move what waits in the queue into the store."""
    with session.runtime() as runtime, session.output.progress("Draining"):
        sent, complete = sent_orphans(runtime)
        drained = drained_queue(runtime)
    session.output.say(
        f"{count(sent, 'batch', 'batches')} of dead processes sent; {count(drained.messages, 'message')} "
        f"drained: {count(drained.segments, 'segment')}, {count(drained.dead, 'dead letter')}."
    )
    if not complete:
        session.output.note("Some journals could not be sent and are kept; see `tuppence doctor`.")
    session.output.result({"orphans": {"sent": sent, "complete": complete}, "drained": drained})
    return DONE if complete else COULD_NOT


@click.command()
@shared
def seal(session: Session) -> None:
    """Turn the hours and days to which something was added into exact numbers."""
    with session.runtime() as runtime, session.output.progress("Sealing"):
        sealed = sealed_hours(runtime)
    session.output.say(
        f"{count(sealed.hours, 'hour')} and {count(sealed.days, 'day')} sealed; "
        f"{count(sealed.closed, 'segment')} came too late; {sealed.left} left for another run."
    )
    session.output.result({"sealed": sealed})


@click.command()
@shared
def purge(session: Session) -> None:
    """Delete what has expired, where the store does not do it by itself."""
    with session.runtime() as runtime, session.output.progress("Purging"):
        purged = purged_records(runtime)
    session.output.say(f"{count(purged, 'expired record')} deleted.")
    session.output.result({"purged": purged})


def sent_orphans(runtime: Runtime) -> tuple[int, bool]:
    """Send what dead processes on this machine left; return how many batches, and whether that was all."""
    deadline = Deadline.after(STEP, runtime.clock)
    return send_orphans(runtime.config, lambda: runtime.queue, runtime.clock, deadline=deadline)


def drained_queue(runtime: Runtime) -> Drained:
    """Empty the queue into the store."""
    config = runtime.config
    return drain_queue(
        runtime.queue,
        runtime.store,
        project=config.project,
        retention=config.retention,
        clock=runtime.clock,
        deadline=Deadline.after(STEP, runtime.clock),
        redacted=config.capture.redact,
    )


def sealed_hours(runtime: Runtime) -> Sealed:
    """Seal every hour and day with something new in it."""
    config = runtime.config
    return seal_hours(
        runtime.store,
        project=config.project,
        zone=ZoneInfo(config.timezone),
        retention=config.retention,
        clock=runtime.clock,
        deadline=Deadline.after(STEP, runtime.clock),
    )


def purged_records(runtime: Runtime) -> int:
    """Delete expired records; return how many."""
    return purge_store(runtime.store, clock=runtime.clock, deadline=Deadline.after(STEP, runtime.clock))


def sent_reports(runtime: Runtime) -> list[Sent]:
    """Send the mails that are owed, missed weeks first. Where nothing has ever arrived there is none."""
    from tuppence import report
    from tuppence.report.send import send_week, weeks_due

    config, store, clock = runtime.config, runtime.store, runtime.clock
    deadline = Deadline.after(STEP, clock)
    newest = _newest_due(config, clock.now())
    if not config.report.to or newest is None:
        return []
    sent: list[Sent] = []
    for week in weeks_due(store, config.project, config.report.to, newest, deadline=deadline):
        built = report.build(store, config, week, clock, deadline=deadline)
        if built.kind != "empty":
            sent += send_week(
                built,
                store=store,
                mailer=runtime.mailer,
                sender=config.report.sender,
                recipients=config.report.to,
                clock=clock,
                deadline=deadline,
            )
    return sent


def _newest_due(config: Config, now: datetime) -> Week | None:
    """Return the newest week whose mail was to be sent by now: the schedule was due since it ended."""
    from tuppence.report.period import Week

    zone = ZoneInfo(config.timezone)
    for number in range(LOOK_BACK):
        week = Week.last(now, zone).ago(number)
        just_before = week.end - timedelta(microseconds=1)  # a schedule may be due at the very end
        if next_due(config.report.schedule, zone, just_before) <= now:
            return week
    return None
