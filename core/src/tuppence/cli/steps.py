"""`tuppence drain`, `seal` and `purge`: one step of the pipeline by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import click

from tuppence import jobs
from tuppence.capture.resend import Resent
from tuppence.capture.sender import Orphans
from tuppence.cli.app import COULD_NOT, DONE, Session, shared
from tuppence.cli.output import count, message_of
from tuppence.clock import Deadline
from tuppence.errors import TuppenceError
from tuppence.runtime import Runtime

STEP: Final = timedelta(minutes=10)
"""How long one step may take; the next one takes up what is left."""


@click.command()
@shared
def drain(session: Session) -> int:
    """Move what waits in the queue into the store.

    Before that, what dead processes on this machine left in their journals is sent, and what the queue
    refused earlier is sent once more.
    """
    output = session.output
    with session.runtime() as runtime, output.progress("Draining"):
        with output.waiting("the queue, to send what dead processes left"):
            orphans = _orphans(runtime)
        with output.waiting("the queue, to send what it refused earlier"):
            resent = _resend(runtime)
        with output.waiting("queue and store"):
            drained = jobs.drain(runtime, deadline=Deadline.after(STEP, runtime.clock))
    session.output.say(
        f"{count(orphans.sent, 'batch', 'batches')} of dead processes sent; "
        f"{count(drained.messages, 'message')} drained: "
        f"{count(drained.segments, 'segment')}, {count(drained.dead, 'dead letter')}."
    )
    if resent.sent:
        session.output.say(f"{count(resent.sent, 'event')} that had been set aside sent.")
    if resent.left:
        left = count(resent.left, "event")
        session.output.note(f"{left} could not be sent and stay set aside; see `tuppence doctor`.")
    if orphans.problem:
        session.output.note(f"Some journals could not be sent and are kept: {orphans.problem}.")
    elif not orphans.complete:
        session.output.note("A running process sends the journals of this machine.")
    session.output.result({"orphans": orphans, "set_aside": resent, "drained": drained})
    return COULD_NOT if orphans.problem or resent.left else DONE


def _orphans(runtime: Runtime) -> Orphans:
    """Send what dead processes left. What keeps that from being sent keeps nothing from being drained."""
    try:
        return jobs.orphans(runtime, deadline=Deadline.after(STEP, runtime.clock))
    except (TuppenceError, OSError) as error:
        return Orphans(sent=0, complete=False, problem=message_of(error))


def _resend(runtime: Runtime) -> Resent:
    """Send once more what was set aside, in a folder that can be read."""
    try:
        return jobs.resend(runtime, deadline=Deadline.after(STEP, runtime.clock))
    except OSError:  # which is told of the journals beside it
        return Resent(sent=0, left=0)


@click.command()
@shared
def seal(session: Session) -> None:
    """Turn what was drained into exact numbers."""
    output = session.output
    with session.runtime() as runtime, output.progress("Sealing"), output.waiting("the store"):
        sealed = jobs.seal(runtime, deadline=Deadline.after(STEP, runtime.clock))
    session.output.say(
        f"{count(sealed.hours, 'hour')} and {count(sealed.days, 'day')} sealed; "
        f"{count(sealed.closed, 'segment')} came too late; {sealed.left} left for another run."
    )
    if sealed.recounted:
        session.output.say(f"{count(sealed.recounted, 'hour')} of another time zone counted again.")
    session.output.result({"sealed": sealed})


@click.command()
@shared
def purge(session: Session) -> None:
    """Delete what has expired.

    Where the store does so by itself there is nothing to do. An expired record is never read, deleted or not.
    """
    output = session.output
    with session.runtime() as runtime, output.progress("Purging"), output.waiting("the store"):
        purged = jobs.purge(runtime, deadline=Deadline.after(STEP, runtime.clock))
    session.output.say(f"{count(purged, 'expired record')} deleted.")
    session.output.result({"purged": purged})
