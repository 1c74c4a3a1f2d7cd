"""What the queue did with each batch: took it, refused it for what it is, or could not be used.

Only a refusal of the batch itself may set it aside. An error of the whole call never does: it may be a region
that is not set, a wrong address or a permission, and would hold for any batch.

A service may answer one bad message with an error of the whole call, which would hold up what is sent with it
for ever. So after such an error batches are tried one by one. What is then refused alone, after the queue has
taken another, is refused for what it is: the call and the configuration have just been seen to work.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tuppence.clock import Deadline
from tuppence.drivers import ItemError, Message
from tuppence.errors import DriverError, ErrorCode
from tuppence.queue import Queue

MAX_PROBES: Final = 3
"""Batches that are tried alone while the queue takes none: a wrong configuration would refuse them all."""
_REFUSALS: Final = frozenset({ErrorCode.INVALID, ErrorCode.TOO_LARGE})
"""What no later try can mend, where it is said of one batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What became of batches, by id.

    Attributes:
        accepted: the queue has them.
        rejected: the queue refuses each of these for what it is, now and later.
        failed: nothing is known of these but that the call failed; to be tried again.

    """

    accepted: frozenset[str]
    rejected: Mapping[str, DriverError]
    failed: Mapping[str, DriverError]


def deliver(queue: Queue, messages: Sequence[Message], *, deadline: Deadline) -> Delivered:
    """Send messages, and say what became of each."""
    errors = _send(queue, messages, deadline)
    suspects = [one for one in messages if one.id in errors and _is_refused_call(errors[one.id])]
    if suspects:
        _isolate(queue, suspects, errors, deadline, works=len(errors) < len(messages))
    rejected = {name: one.error for name, one in errors.items() if _is_rejection(one)}
    failed = {name: one.error for name, one in errors.items() if name not in rejected}
    accepted = frozenset(message.id for message in messages) - errors.keys()
    return Delivered(accepted=accepted, rejected=rejected, failed=failed)


def _isolate(
    queue: Queue,
    suspects: Sequence[Message],
    errors: dict[str, ItemError],
    deadline: Deadline,
    *,
    works: bool,
) -> None:
    """Send batches one by one, and put what became of each alone in place of the error they shared.

    Args:
        queue: where to.
        suspects: those whose call was refused.
        errors: by id; what is accepted now is removed.
        deadline: when to give up.
        works: whether the queue has just taken another batch.

    """
    waiting = random.sample(suspects, len(suspects))  # others come first each time, should the first be bad
    probes: list[Message] = []
    while waiting and not works:
        if len(probes) == MAX_PROBES:
            return
        probe = waiting.pop()
        works = not _send(queue, [probe], deadline)
        if works:
            del errors[probe.id]
        else:
            probes.append(probe)
    for message in (*waiting, *probes) if works else ():
        alone = _send(queue, [message], deadline).get(message.id)
        if alone is None:
            del errors[message.id]
        else:
            errors[message.id] = replace(alone, whole_call=not _is_refusal(alone))


def _send(queue: Queue, messages: Sequence[Message], deadline: Deadline) -> dict[str, ItemError]:
    """Send messages; return the errors by the messages' ids."""
    return {messages[error.position].id: error for error in queue.send(messages, deadline=deadline)}


def _is_refusal(error: ItemError) -> bool:
    return error.error.code in _REFUSALS


def _is_refused_call(error: ItemError) -> bool:
    return error.whole_call and _is_refusal(error)


def _is_rejection(error: ItemError) -> bool:
    """Whether the queue has refused this very batch."""
    return not error.whole_call and _is_refusal(error)
