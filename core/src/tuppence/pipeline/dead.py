"""Dead letters: what could not be counted, kept with its reason until it is replayed or its time is over."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from tuppence.clock import Deadline
from tuppence.config import Retention
from tuppence.drivers import Record
from tuppence.pipeline import layout
from tuppence.pipeline.intake import Unusable
from tuppence.store import Store

MAX_DETAIL: Final = 200
"""Characters of the explanation beside the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A dead letter.

    Attributes:
        id: the digest of reason and body: the same message failing in the same way is one letter.
        reason: what was wrong; a plain string where a newer release wrote one unknown to this.
        detail: the same in more words, without the message's content.
        received: when it last came in.
        events: how many events are in it, where that could be told; else 0.
        body: the message.

    """

    id: str
    reason: str
    detail: str
    received: datetime
    events: int
    body: bytes


class Group(msgspec.Struct):
    """The letters of one reason: how many, with how many events, the oldest and an example's detail."""

    letters: int
    events: int
    oldest: datetime
    detail: str


def record_of(
    project: str, body: bytes, problem: Unusable, *, events: int = 0, retention: Retention, now: datetime
) -> Record:
    """Return the record of a dead letter. It lives as long as events do, since it may hold some."""
    digest = hashlib.blake2b(problem.reason.encode() + b"\0" + body, digest_size=16).hexdigest()
    return Record(
        key=layout.dead(project, digest),
        body=body,
        attributes={
            "reason": problem.reason.value,
            "detail": problem.detail[:MAX_DETAIL],
            "received": now.isoformat(),
            "events": str(events),
        },
        expires_at=now + retention.events,
    )


def letters(store: Store, project: str, *, deadline: Deadline) -> Iterator[Letter]:
    """Yield all dead letters, one page in memory at a time."""
    for record in store.query(layout.dead(project).partition, deadline=deadline):
        yield _letter(record)


def letter(store: Store, project: str, letter_id: str, *, deadline: Deadline) -> Letter | None:
    """Return one dead letter, or `None`."""
    record = store.get(layout.dead(project, letter_id), deadline=deadline)
    return _letter(record) if record is not None else None


def grouped(found: Iterator[Letter]) -> dict[str, Group]:
    """Return letters counted by reason."""
    groups: dict[str, Group] = {}
    for one in found:
        group = groups.setdefault(one.reason, Group(0, 0, one.received, one.detail))
        group.letters += 1
        group.events += one.events
        group.oldest = min(group.oldest, one.received)
    return groups


def _letter(record: Record) -> Letter:
    told = record.attributes
    return Letter(
        id=record.key.sort,
        reason=told.get("reason", "unknown"),
        detail=told.get("detail", ""),
        received=datetime.fromisoformat(told["received"]),
        events=int(told.get("events", "0")),
        body=record.body,
    )
