"""`tuppence drain`, `seal` and `purge`: one step of the pipeline by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import click
import msgspec

from tuppence.capture.sender import send_orphans
from tuppence.cli.app import COULD_NOT, DONE, Session, shared
from tuppence.cli.output import count
from tuppence.clock import Deadline
from tuppence.config import Config
from tuppence.errors import TuppenceError
from tuppence.pipeline import jobs
from tuppence.pipeline.drain import Drained
from tuppence.pipeline.seal import Sealed
from tuppence.runtime import Runtime
from tuppence.schedule import next_due

if TYPE_CHECKING:
    from tuppence.report.document import Report
    from tuppence.report.period import Week
    from tuppence.report.send import Sent

STEP: Final = timedelta(minutes=10)
"""How long one step may take; the next one takes up what is left."""
LOOK_BACK: Final = 6
"""Weeks that are looked at for a mail that is due; a schedule may run but once a month."""


class Orphans(msgspec.Struct, frozen=True, kw_only=True):
    """How many batches of dead processes were sent, and whether nothing of theirs is left."""

    sent: int
    complete: bool


@click.command()
@shared
def drain(session: Session) -> int:
    """Move what waits in the queue into the store.

    Before that, what dead processes on this machine left in their journals is sent.
    """
    with session.runtime() as runtime, session.output.progress("Draining"):
        orphans = sent_orphans(runtime)
        drained = drained_queue(runtime)
    session.output.say(
        f"{count(orphans.sent, 'batch', 'batches')} of dead processes sent; "
        f"{count(drained.messages, 'message')} drained: "
        f"{count(drained.segments, 'segment')}, {count(drained.dead, 'dead letter')}."
    )
    if not orphans.complete:
        session.output.note("Some journals could not be sent and are kept; see `tuppence doctor`.")
    session.output.result({"orphans": orphans, "drained": drained})
    return DONE if orphans.complete else COULD_NOT


@click.command()
@shared
def seal(session: Session) -> None:
    """Turn what was drained into exact numbers."""
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
    """Delete what has expired.

    Where the store does so by itself there is nothing to do. An expired record is never read, deleted or not.
    """
    with session.runtime() as runtime, session.output.progress("Purging"):
        purged = purged_records(runtime)
    session.output.say(f"{count(purged, 'expired record')} deleted.")
    session.output.result({"purged": purged})


def sent_orphans(runtime: Runtime) -> Orphans:
    """Send what dead processes on this machine left."""
    deadline = Deadline.after(STEP, runtime.clock)
    sent, complete = send_orphans(runtime.config, lambda: runtime.queue, runtime.clock, deadline=deadline)
    return Orphans(sent=sent, complete=complete)


def drained_queue(runtime: Runtime) -> Drained:
    """Empty the queue into the store."""
    return jobs.drain(runtime, deadline=Deadline.after(STEP, runtime.clock))


def sealed_hours(runtime: Runtime) -> Sealed:
    """Seal every hour and day with something new in it."""
    return jobs.seal(runtime, deadline=Deadline.after(STEP, runtime.clock))


def purged_records(runtime: Runtime) -> int:
    """Delete expired records; return how many."""
    return jobs.purge(runtime, deadline=Deadline.after(STEP, runtime.clock))


def sent_reports(runtime: Runtime) -> list[Sent]:
    """Send the mails that are owed, missed weeks first. Where nothing has ever arrived there is none.

    Raises:
        TuppenceError: some could not be sent; all have been tried.

    """
    from tuppence import report
    from tuppence.report.send import Status, weeks_due

    config, store, clock = runtime.config, runtime.store, runtime.clock
    deadline = Deadline.after(STEP, clock)
    newest = _newest_due(config, clock.now())
    if not config.report.to or newest is None:
        return []
    sent: list[Sent] = []
    for week in weeks_due(store, config.project, config.report.to, newest, deadline=deadline):
        built = report.build(store, config, week, clock, deadline=deadline)
        if built.kind != "empty":
            sent += mailed(runtime, built, config.report.to, deadline=deadline)
    refused = [one for one in sent if one.status is Status.REFUSED]
    if refused:
        raise TuppenceError(f"{count(len(refused), 'mail')} could not be sent: {refused[0].detail}")
    return sent


def mailed(
    runtime: Runtime, built: Report, to: Sequence[str], *, force: bool = False, deadline: Deadline
) -> list[Sent]:
    """Mail a report to each of these addresses that has not had it, or with `force` to each."""
    from tuppence.report.send import send_week

    return send_week(
        built,
        store=runtime.store,
        mailer=runtime.mailer,
        sender=runtime.config.report.sender,
        recipients=to,
        clock=runtime.clock,
        deadline=deadline,
        force=force,
    )


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
