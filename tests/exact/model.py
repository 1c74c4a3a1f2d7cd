"""A queue and a store as values: each call of a driver is a request that turns one state into the next.

They keep every promise of the interface, held to it by the same contract as any provider (`test_model.py`),
and promise nothing more: a batch is not atomic but one request for each item, and a query is one request for
each page, so that whatever may come in between does.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from tuppence.drivers import Absent, Key, Version
from tuppence.errors import ErrorCode

LONGEST_LEASE = timedelta(hours=12)


class Item(NamedTuple):
    """What lies under a key."""

    body: bytes
    attributes: tuple[tuple[str, str], ...]
    expires_at: datetime | None
    version: str


class Waiting(NamedTuple):
    """A message that has not been acknowledged."""

    id: str
    body: bytes
    lane: str
    receipt: str = ""
    hidden_until: datetime | None = None
    attempts: int = 0


class State(NamedTuple):
    """All that outlives a process: records, messages in the order sent, receipts of acknowledged ones."""

    records: frozenset[tuple[Key, Item]] = frozenset()
    messages: tuple[Waiting, ...] = ()
    acknowledged: frozenset[str] = frozenset()

    @property
    def items(self) -> Mapping[Key, Item]:
        return dict(self.records)

    def found(self, key: Key, now: datetime) -> Item | None:
        """Return the unexpired item under a key."""
        for place, item in self.records:
            if place == key:
                return item if item.expires_at is None or item.expires_at > now else None
        return None

    def changed(self, key: Key, item: Item | None) -> State:
        """Return the state with this item under a key, or nothing there."""
        others = [pair for pair in self.records if pair[0] != key]
        return self._replace(records=frozenset(others if item is None else [*others, (key, item)]))


Answer = tuple[State, Any]


@dataclass(frozen=True, slots=True)
class Put:
    key: Key
    body: bytes
    attributes: tuple[tuple[str, str], ...]
    expires_at: datetime | None
    condition: Absent | Version | None

    def apply(self, state: State, now: datetime, name: str) -> Answer:
        """Return the code of what was wrong, or `None`."""
        wrong = _broken(self.condition, state.found(self.key, now))
        if wrong:
            return state, wrong
        return state.changed(self.key, Item(self.body, self.attributes, self.expires_at, name)), None


@dataclass(frozen=True, slots=True)
class Get:
    key: Key

    def apply(self, state: State, now: datetime, name: str) -> Answer:
        return state, state.found(self.key, now)


@dataclass(frozen=True, slots=True)
class Query:
    partition: str
    start: str
    end: str
    after: str | None
    limit: int

    def apply(self, state: State, now: datetime, name: str) -> Answer:
        """Return a page: pairs of key and item, and whether there is more."""
        keys = sorted(
            key
            for key, item in state.records
            if key.partition == self.partition
            and key.sort >= self.start
            and (not self.end or key.sort < self.end)
            and (self.after is None or key.sort > self.after)
            and (item.expires_at is None or item.expires_at > now)
        )
        items = state.items
        return state, (tuple((key, items[key]) for key in keys[: self.limit]), len(keys) > self.limit)


@dataclass(frozen=True, slots=True)
class Delete:
    key: Key
    condition: Version | None

    def apply(self, state: State, now: datetime, name: str) -> Answer:
        wrong = _broken(self.condition, state.found(self.key, now))
        return (state, wrong) if wrong else (state.changed(self.key, None), None)


@dataclass(frozen=True, slots=True)
class Purge:
    before: datetime
    limit: int

    def apply(self, state: State, now: datetime, name: str) -> Answer:
        """Return how many records were deleted."""
        before = min(self.before, now)
        gone = [key for key, item in state.records if item.expires_at and item.expires_at <= before]
        for key in sorted(gone)[: self.limit]:
            state = state.changed(key, None)
        return state, min(len(gone), self.limit)


@dataclass(frozen=True, slots=True)
class Send:
    id: str
    body: bytes
    lane: str

    def apply(self, state: State, now: datetime, name: str) -> Answer:
        return state._replace(messages=(*state.messages, Waiting(self.id, self.body, self.lane))), None


@dataclass(frozen=True, slots=True)
class Receive:
    most: int
    lease: timedelta

    def apply(self, state: State, now: datetime, name: str) -> Answer:
        """Lease what is not leased; return it."""
        until = now + min(self.lease, LONGEST_LEASE)
        messages, taken = [], []
        for position, message in enumerate(state.messages):
            found = message
            if len(taken) < self.most and (message.hidden_until is None or message.hidden_until <= now):
                found = message._replace(
                    receipt=f"{name}/{position}", hidden_until=until, attempts=message.attempts + 1
                )
                taken.append(found)
            messages.append(found)
        return state._replace(messages=tuple(messages)), tuple(taken)


@dataclass(frozen=True, slots=True)
class Hide:
    """Extend a lease, or with `give_back` end it, so that the message comes again after `span`."""

    receipt: str
    span: timedelta
    give_back: bool = False

    def apply(self, state: State, now: datetime, name: str) -> Answer:
        until = now + min(self.span, LONGEST_LEASE)
        for position, message in enumerate(state.messages):
            if message.receipt == self.receipt and message.hidden_until and message.hidden_until > now:
                kept = message._replace(hidden_until=until)
                kept = kept._replace(receipt="") if self.give_back else kept
                messages = (*state.messages[:position], kept, *state.messages[position + 1 :])
                return state._replace(messages=messages), None
        return state, ErrorCode.NOT_FOUND


@dataclass(frozen=True, slots=True)
class Ack:
    receipt: str

    def apply(self, state: State, now: datetime, name: str) -> Answer:
        """Remove, also when the lease has run out and no one else has taken the message."""
        kept = tuple(message for message in state.messages if message.receipt != self.receipt)
        if len(kept) < len(state.messages):
            known = state.acknowledged | {self.receipt}
            return state._replace(messages=kept, acknowledged=known), None
        return state, None if self.receipt in state.acknowledged else ErrorCode.NOT_FOUND


@dataclass(frozen=True, slots=True)
class Depth:
    def apply(self, state: State, now: datetime, name: str) -> Answer:
        return state, len(state.messages)


@dataclass(frozen=True, slots=True)
class RunOut:
    """All leases run out: whoever held them was too slow."""

    def apply(self, state: State, now: datetime, name: str) -> Answer:
        return without_leases(state), None


Request = Put | Get | Query | Delete | Purge | Send | Receive | Hide | Ack | Depth | RunOut


class Memory:
    """A state that requests change one after the other, as a service does; and the keys that were written."""

    def __init__(self, state: State | None = None) -> None:
        self.state = state or State()
        self.written: set[Key] = set()
        self._lock = threading.Lock()
        self._count = 0

    def do(self, request: Request, now: datetime) -> Any:
        """Make one request."""
        with self._lock:
            self._count += 1
            if isinstance(request, Put | Delete):
                self.written.add(request.key)
            self.state, answer = request.apply(self.state, now, f"m{self._count}")
            return answer


def without_leases(state: State) -> State:
    """Return the state after all leases have run out."""
    return state._replace(messages=tuple(each._replace(hidden_until=None) for each in state.messages))


def _broken(condition: Absent | Version | None, found: Item | None) -> ErrorCode | None:
    if isinstance(condition, Absent) and found is not None:
        return ErrorCode.ALREADY_EXISTS
    if isinstance(condition, Version) and (found is None or found.version != condition.value):
        return ErrorCode.CONFLICT
    return None
