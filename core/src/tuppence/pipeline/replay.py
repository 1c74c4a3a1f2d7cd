"""Dead letters tried again, by the drain's own code.

They do not go back through the queue: one that remembers ids would swallow them.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

import msgspec

from tuppence.clock import Clock, Deadline
from tuppence.config import Retention
from tuppence.drivers import Delivery, Message
from tuppence.pipeline import dead, layout
from tuppence.pipeline.dead import Letter
from tuppence.pipeline.drain import Drain
from tuppence.pipeline.intake import Reason, Segment, Unusable, segment_of
from tuppence.pipeline.seal import may_seal
from tuppence.store import Store


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """How many letters became segments, and how many stay because the reason still holds."""

    replayed: int = 0
    kept: int = 0


def replay(
    store: Store,
    letter_id: str | None = None,
    *,
    project: str,
    zone: ZoneInfo,
    retention: Retention,
    clock: Clock,
    deadline: Deadline,
    redacted: bool = True,
) -> Replayed:
    """Store the segments of dead letters that can be read by now, and delete those letters.

    A letter goes only after its segment has been read back. Once sealed, it is counted like any other; a
    repeat counts nothing twice.

    Args:
        store: where the letters and segments are.
        letter_id: the one to try; all of them if left out.
        project: whose they are.
        zone: the owner's: a letter of a closed period stays unless its hour and day can still be made again.
        retention: how long the segments live, from now.
        clock: what dates them.
        deadline: when to give up.
        redacted: as in `Drain`.

    """
    work = Drain(store, project=project, retention=retention, clock=clock, redacted=redacted, renewed=True)
    chosen = [letter_id] if letter_id else [one.id for one in dead.letters(store, project, deadline=deadline)]
    replayed = kept = 0
    for one in chosen:
        letter = dead.letter(store, project, one, deadline=deadline)
        if letter is None:
            continue
        kept += 1
        segment = _segment(letter, project, redacted=redacted)
        if segment is None:
            continue
        if letter.reason == Reason.PERIOD_CLOSED and not may_seal(
            store,
            segment.hour,
            project=project,
            zone=zone,
            retention=retention,
            clock=clock,
            deadline=deadline,
        ):
            continue
        _store(work, letter, clock, deadline)
        if store.get(layout.segment(project, segment.hour, segment.id), deadline=deadline) is not None:
            store.delete(layout.dead(project, letter.id), deadline=deadline)
            replayed, kept = replayed + 1, kept - 1
    return Replayed(replayed=replayed, kept=kept)


def _segment(letter: Letter, project: str, *, redacted: bool) -> Segment | None:
    """Return the segment a letter would become, or `None` where it still cannot be read."""
    try:
        return segment_of(letter.body, project=project, redacted=redacted)
    except Unusable:
        return None


def _store(work: Drain, letter: Letter, clock: Clock, deadline: Deadline) -> None:
    message = Message(id=letter.id, body=letter.body)
    errors = work.handle([Delivery(message=message, receipt=None, expires=clock.now())], deadline=deadline)
    if errors:
        raise errors[0].error
