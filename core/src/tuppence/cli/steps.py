"""`tuppence drain`, `seal` and `purge`: one step of the pipeline by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

import click

from tuppence.capture.sender import send_orphans
from tuppence.cli.app import COULD_NOT, DONE, Session, shared
from tuppence.cli.output import count
from tuppence.clock import Deadline
from tuppence.pipeline.drain import Drained
from tuppence.pipeline.drain import drain as drain_queue
from tuppence.pipeline.seal import Sealed
from tuppence.pipeline.seal import seal as seal_hours
from tuppence.runtime import Runtime

STEP: Final = timedelta(minutes=10)
"""How long one step may take; the next one takes up what is left."""


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
    """Delete expired records until none is left or the time is over."""
    deadline = Deadline.after(STEP, runtime.clock)
    total = 0
    while True:
        purged = runtime.store.purge(before=runtime.clock.now(), limit=PURGED_AT_ONCE, deadline=deadline)
        total += purged
        if not purged or deadline.expired:
            return total


PURGED_AT_ONCE: Final = 1_000
