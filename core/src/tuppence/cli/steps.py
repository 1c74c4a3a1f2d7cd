"""`tuppence drain`, `seal` and `purge`: one step of the pipeline by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import click

from tuppence import jobs
from tuppence.cli.app import COULD_NOT, DONE, Session, shared
from tuppence.cli.output import count
from tuppence.clock import Deadline

STEP: Final = timedelta(minutes=10)
"""How long one step may take; the next one takes up what is left."""


@click.command()
@shared
def drain(session: Session) -> int:
    """Move what waits in the queue into the store.

    Before that, what dead processes on this machine left in their journals is sent, and what the queue
    refused earlier is sent once more.
    """
    with session.runtime() as runtime, session.output.progress("Draining"):
        orphans = jobs.orphans(runtime, deadline=Deadline.after(STEP, runtime.clock))
        resent = jobs.resend(runtime, deadline=Deadline.after(STEP, runtime.clock))
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
    if not orphans.complete:
        session.output.note("Some journals could not be sent and are kept; see `tuppence doctor`.")
    session.output.result({"orphans": orphans, "set_aside": resent, "drained": drained})
    return DONE if orphans.complete and not resent.left else COULD_NOT


@click.command()
@shared
def seal(session: Session) -> None:
    """Turn what was drained into exact numbers."""
    with session.runtime() as runtime, session.output.progress("Sealing"):
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
    with session.runtime() as runtime, session.output.progress("Purging"):
        purged = jobs.purge(runtime, deadline=Deadline.after(STEP, runtime.clock))
    session.output.say(f"{count(purged, 'expired record')} deleted.")
    session.output.result({"purged": purged})
