"""What was set aside, sent once more: someone may have removed the cause."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

import msgspec

from tuppence.capture import places
from tuppence.capture.deliver import deliver
from tuppence.capture.set_aside import Rejection, SetAsideFolder, rejection_of
from tuppence.clock import Clock, Deadline
from tuppence.config import Config
from tuppence.drivers import Message
from tuppence.queue import Queue

BATCHES_AT_ONCE: Final = 64


class Resent(msgspec.Struct, frozen=True, kw_only=True):
    """How many events of batches that had been set aside the queue has taken, and how many are left."""

    sent: int
    left: int


def resend_set_aside(
    config: Config, queue: Callable[[], Queue], clock: Clock, *, deadline: Deadline
) -> Resent:
    """Send each batch that is set aside on this host once more, and forget those that the queue takes.

    A batch has the same bytes and id each time, so sending one twice changes nothing.

    Args:
        config: says where.
        queue: returns the queue, made only if there is something to send.
        clock: dates the new reason of a batch that is refused again.
        deadline: when to give up.

    """
    folder = SetAsideFolder(places.directory(config))
    waiting = iter(folder.rejections())
    sent = 0
    while some := list(islice(waiting, BATCHES_AT_ONCE)):
        sent += _resend(folder, some, queue(), clock, deadline)
    return Resent(sent=sent, left=sum(one.events for one in folder.rejections()))


def _resend(
    folder: SetAsideFolder, rejections: list[Rejection], queue: Queue, clock: Clock, deadline: Deadline
) -> int:
    """Send some batches; return how many events the queue has taken."""
    messages = list(_messages(folder, rejections))
    result = deliver(queue, messages, deadline=deadline)
    bodies = {message.id: message.body for message in messages}
    for batch_id, error in result.rejected.items():
        since = next(one.since for one in rejections if one.batch == batch_id)
        again = rejection_of(bodies[batch_id], error, clock.now())
        folder.add(bodies[batch_id], msgspec.structs.replace(again, since=since))
    for batch_id in result.accepted:
        folder.remove(batch_id)
    return sum(one.events for one in rejections if one.batch in result.accepted)


def _messages(folder: SetAsideFolder, rejections: list[Rejection]) -> Iterator[Message]:
    for one in rejections:
        body = folder.body(one.batch)
        if body is not None:
            yield Message(id=one.batch, body=body, lane=one.batch[:1])
