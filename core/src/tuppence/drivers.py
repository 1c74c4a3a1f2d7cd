"""The five interfaces a provider implements. This file is the contract; core writes policy on top of it.

A driver is dumb: it does one call on one service and says what happened to each item. Core owns batching,
chunking, retries, deadlines, deduplication, TTL and poison messages, so a driver never retries, never splits
and never sleeps longer than it was asked to.

What holds for every driver:

- Methods are synchronous. Core never calls one instance from two threads at once, but may build it in one
  thread and use it in another, and closes and rebuilds it after a fork.
- The constructor does no I/O: it succeeds offline and fails at the first call.
- Every method that takes a `deadline` returns or raises `DriverError(TIMEOUT)` by then.
- Only `DriverError` crosses this line. A raised error means that no item of the call is known to have
  succeeded; items that failed alone are returned as `ItemError`.
"""

from __future__ import annotations

import string
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar, Final, Protocol

from tuppence.clock import Clock, Deadline
from tuppence.errors import DriverError, ErrorCode
from tuppence.findings import Finding
from tuppence.kinds import Kind as Kind  # noqa: PLC0414 - part of the interface

ZERO = timedelta(0)
LETTERS: Final = string.ascii_letters + string.digits + "._~-"
"""What ids, lanes and keys are made of. Core checks it, so that drivers need not."""
MAX_ID: Final = 128
"""Bytes of a message's id, and of its lane."""
MAX_KEY: Final = 512
"""Bytes of a key's two parts together."""


class Feature(StrEnum):
    """What core does otherwise with a driver that claims it. An instance may claim less than its class."""

    NATIVE_TRIGGER = "native_trigger"  # compute: the service calls the consumer by itself
    NATIVE_TTL = "native_ttl"  # store: the service deletes expired records; purge has nothing to do
    POLLED = "polled"  # scheduler: fires nothing by itself; a worker asks what is due
    IDEMPOTENT_MAIL = "idempotent_mail"  # mailer: the same idempotency key is sent once
    WRITES_FILES = "writes_files"  # mailer: a mail becomes a file, whose path is its id, and reaches nobody


class Role(StrEnum):
    """The deployed components, each with permissions of its own."""

    PRODUCER = "producer"
    PROCESSOR = "processor"
    REPORTER = "reporter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """One thing a role must be allowed to do, in the provider's own words."""

    action: str
    resource: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one call takes at most. Of the instance, since service tiers differ."""

    batch_items: int
    batch_bytes: int
    item_bytes: int


class Meter(Protocol):
    """Where a driver counts the units its vendor bills."""

    def count(self, unit: str, amount: int = 1) -> None:
        """Add `amount` of `unit`, a dotted name such as `sqs.requests`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What core hands every driver beside its options."""

    project: str
    meter: Meter
    clock: Clock


@dataclass(frozen=True, slots=True)
class ItemError:
    """What happened to the item at `position` (from 0) of a batch call.

    `whole_call` is set by core alone, where the call failed as a whole: then the error says nothing about
    this very item, and nothing may be concluded from it about the item. A driver raises such an error.
    """

    position: int
    error: DriverError
    whole_call: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message to send.

    `lane` says where it comes from: a service that keeps order keeps it within a lane, and any other may drop
    it, since core relies on no order. `id` and `lane` are made of `LETTERS`, at most `MAX_ID` each; only a
    lane may be empty.
    """

    id: str
    body: bytes
    lane: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message as received, leased to the receiver until `expires`.

    `receipt` is the handle of the instance that received it. `attempt` counts from 1, where anyone counts.
    """

    message: Message
    receipt: Any
    expires: datetime
    attempt: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Key:
    """Where a record lives. Neither part is empty, both are made of `LETTERS`, at most `MAX_KEY` together."""

    partition: str
    sort: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a store keeps.

    Attributes:
        key: where it lives.
        body: at most the store's `limits.item_bytes`, attributes and key included.
        attributes: a few short strings beside the body, for people and for sorting out; names are ASCII.
        expires_at: from this second on no read returns it, a fraction left aside; `None` keeps it.
        version: set by the store on reads; changes with every completed put; ignored on writes.

    """

    key: Key
    body: bytes
    attributes: Mapping[str, str] = field(default_factory=dict)
    expires_at: datetime | None = None
    version: str | None = None

    @property
    def size(self) -> int:
        """The bytes that count against a limit: body, key, and the attributes' names and values in UTF-8."""
        attributes = sum(len(text.encode()) for pair in self.attributes.items() for text in pair)
        return len(self.body) + len(self.key.partition) + len(self.key.sort) + attributes


@dataclass(frozen=True, slots=True)
class Absent:
    """Put only where no unexpired record is."""


@dataclass(frozen=True, slots=True)
class Version:
    """Put or delete only while the record still has this version."""

    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Part of a query's answer. It may be short or empty; only `cursor is None` ends the answer."""

    records: Sequence[Record]
    cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One call of a job. `run_id` is the same when the platform repeats the call."""

    job: str
    run_id: str
    payload: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a job runs: a cron line of five fields in an IANA time zone.

    Names are of small letters, digits and `-`, at most 32; a payload is at most 1 KiB of any text. It fires
    by the clock on the wall. A time that a change of that clock leaves out is made up for within the hour or
    not at all; one that comes twice fires once or twice.
    """

    name: str
    cron: str
    job: str
    timezone: str = "UTC"
    payload: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that goes with a mail."""

    name: str
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Email:
    """A mail to one recipient. Header values hold no line breaks; core sees to that."""

    sender: str
    to: str
    subject: str
    text: str
    html: str
    headers: Mapping[str, str] = field(default_factory=dict)
    attachments: Sequence[Attachment] = ()


BatchHandler = Callable[[Sequence[Delivery]], Sequence[ItemError]]
RunHandler = Callable[[Run], None]
NativeHandler = Callable[..., Any]


class Driver(ABC):
    """What all five have in common."""

    Options: ClassVar[type]
    """A frozen `msgspec.Struct`; core builds it from the configuration and refuses unknown keys."""

    features: frozenset[Feature] = frozenset()

    def __init__(self, options: Any, context: Context) -> None:
        self.options = options
        self.context = context

    @abstractmethod
    def check(self) -> None:
        """Make one cheap live call that proves the resource is there and may be used."""

    def findings(self, *, deadline: Deadline) -> Iterable[Finding]:  # noqa: ARG002 - the default looks no closer
        """Look closer, for `tuppence doctor`. Raises nothing: what may not be seen is told like the rest."""
        return ()

    def permissions(self, role: Role, /) -> Sequence[Permission]:  # noqa: ARG002 - the default needs none
        """Return what `role` must be allowed to do through this driver. No I/O."""
        return ()

    def close(self) -> None:  # noqa: B027 - most drivers hold nothing that needs letting go
        """Let go of connections. May be called twice; the instance is not used afterwards."""


class QueueDriver(Driver):
    """Messages that wait, at least once each, until they are acknowledged.

    The deliveries of one call all differ; the ids of messages may not.
    """

    limits: Limits

    @abstractmethod
    def send(self, messages: Sequence[Message], /, *, deadline: Deadline) -> Sequence[ItemError]:
        """Hand over messages, within `limits`. A repeat of an accepted message is no error."""

    @abstractmethod
    def receive(
        self, *, max_messages: int, wait: timedelta, lease: timedelta, deadline: Deadline
    ) -> Sequence[Delivery]:
        """Lease up to `max_messages`, waiting up to `wait` for the first; empty when none came.

        Until `Delivery.expires` no other receiver sees them. `lease` is clamped to what the service can do.
        """

    @abstractmethod
    def extend(
        self, deliveries: Sequence[Delivery], /, *, lease: timedelta, deadline: Deadline
    ) -> Sequence[ItemError]:
        """Lease for `lease` more from now. `NOT_FOUND` where the lease was lost."""

    @abstractmethod
    def ack(self, deliveries: Sequence[Delivery], /, *, deadline: Deadline) -> Sequence[ItemError]:
        """Remove for good. A repeat is no error; `NOT_FOUND` where the lease was lost to another receiver.

        Where it has run out and nobody else has the message, that is removed, or `NOT_FOUND` and comes again.
        """

    @abstractmethod
    def nack(
        self, deliveries: Sequence[Delivery], /, *, delay: timedelta = ZERO, deadline: Deadline
    ) -> Sequence[ItemError]:
        """Give back, to be delivered again after `delay`, clamped as a lease is. `NOT_FOUND` as above."""

    @abstractmethod
    def depth(self, *, deadline: Deadline) -> tuple[int, timedelta | None]:
        """Return how many messages wait or are leased, and the age of the oldest where it is known."""

    def dead_letters(self) -> QueueDriver | None:
        """Return where the service sets aside what came too often; core drains and closes it. No I/O."""
        return None


class StoreDriver(Driver):
    """Records under a partition and a sort key, with conditions and a time to live.

    An answer is complete or it is an error; a driver never returns the part that it could read.

    A query or get sees every put that has completed. An expired record counts as absent everywhere. The keys
    of one call all differ; core sees to that.
    """

    limits: Limits

    @abstractmethod
    def put(
        self, records: Sequence[Record], /, *, condition: Absent | Version | None = None, deadline: Deadline
    ) -> Sequence[ItemError]:
        """Write records, each whole or not at all.

        With `Absent` each record fails alone with `ALREADY_EXISTS`; with `Version` (one record a call) it
        fails with `CONFLICT`, also where the record is gone. Both are atomic against every other writer.
        """

    @abstractmethod
    def get(self, keys: Sequence[Key], /, *, deadline: Deadline) -> Sequence[Record | None]:
        """Return a record or `None` for each key, in the keys' order."""

    @abstractmethod
    def query(
        self,
        partition: str,
        /,
        *,
        start: str = "",
        end: str = "",
        limit: int,
        cursor: str | None = None,
        deadline: Deadline,
    ) -> Page:
        """Return records with `start <= sort < end` in order of `sort`; an empty `end` means no end."""

    @abstractmethod
    def delete(
        self, keys: Sequence[Key], /, *, condition: Version | None = None, deadline: Deadline
    ) -> Sequence[ItemError]:
        """Remove. What is not there is no error, but `CONFLICT` under a condition (one key a call)."""

    @abstractmethod
    def purge(self, *, before: datetime, limit: int, deadline: Deadline) -> int:
        """Delete up to `limit` records that expired before `before`; return how many, 0 if TTL is native."""


class ComputeDriver(Driver):
    """Wraps portable code in what the platform calls."""

    @abstractmethod
    def consumer(self, handle: BatchHandler, /) -> NativeHandler:
        """Return what the platform calls with queue messages; failed items are answered its way."""

    @abstractmethod
    def runner(self, handle: RunHandler, /) -> NativeHandler:
        """Return what the platform calls when a schedule fires."""

    def findings(
        self,
        *,
        deadline: Deadline,  # noqa: ARG002 - the default looks no closer
        permissions: Mapping[Role, Sequence[Permission]] | None = None,  # noqa: ARG002 - as above
    ) -> Iterable[Finding]:
        """Look closer, also at whether deployed components still have the permissions they need by role."""
        return ()


class SchedulerDriver(Driver):
    """Owns the schedules themselves; deployment only makes the role they run under.

    One that claims `POLLED` fires nothing by itself: `tuppence worker` asks it for what is due, with
    `claim_due` and `next_due`. Of any other, core calls neither.
    """

    @abstractmethod
    def upsert(self, schedule: Schedule, /) -> None:
        """Create or replace the schedule of this name."""

    @abstractmethod
    def remove(self, name: str, /) -> None:
        """Remove it; no error where it is not there."""

    @abstractmethod
    def schedules(self) -> Sequence[Schedule]:
        """Return this project's schedules, by name."""

    def claim_due(self) -> Sequence[Run]:
        """Return what is to be run now; no other worker is given the same. Needed where `POLLED` is claimed.

        What fell due several times since it was last asked is due once. `Run.run_id` names the moment.
        """
        raise self._fires_by_itself("scheduler.claim_due")

    def next_due(self) -> datetime | None:
        """Return when to ask again, in UTC; `None` without schedules. Needed where `POLLED` is claimed."""
        raise self._fires_by_itself("scheduler.next_due")

    def _fires_by_itself(self, operation: str) -> DriverError:
        words = "fires by itself, and is not polled"
        return DriverError(
            ErrorCode.UNSUPPORTED, operation=operation, provider=type(self).__name__, message=words
        )


class MailerDriver(Driver):
    """Sends one mail."""

    @abstractmethod
    def send(self, email: Email, /, *, idempotency_key: str, deadline: Deadline) -> str:
        """Send, and return the service's id for the mail. A service that knows the key is given it."""

    def findings(self, *, deadline: Deadline, sender: str = "", to: Sequence[str] = ()) -> Iterable[Finding]:  # noqa: ARG002 - as above
        """Look closer, at the addresses of mails to come too; an empty `sender` is the driver's to choose."""
        return ()
