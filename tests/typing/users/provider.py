"""A provider of all five kinds, as a third party writes it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, assert_type

import msgspec

from tuppence.clock import Deadline
from tuppence.drivers import (
    ZERO,
    Absent,
    BatchHandler,
    ComputeDriver,
    Context,
    Delivery,
    Email,
    ItemError,
    Key,
    Kind,
    Limits,
    MailerDriver,
    Message,
    NativeHandler,
    Page,
    Permission,
    QueueDriver,
    Record,
    Role,
    Run,
    RunHandler,
    Schedule,
    SchedulerDriver,
    StoreDriver,
    Version,
)
from tuppence.errors import DriverError, ErrorCode
from tuppence.hookspecs import API, Provider, hookimpl


class AcmeOptions(msgspec.Struct, frozen=True):
    path: str = "acme"


class AcmeQueue(QueueDriver):
    Options = AcmeOptions
    options: AcmeOptions

    def __init__(self, options: AcmeOptions, context: Context) -> None:
        super().__init__(options, context)
        self.limits = Limits(batch_items=10, batch_bytes=1024, item_bytes=1024)

    def check(self) -> None:
        raise DriverError(
            ErrorCode.NOT_FOUND, operation="queue.check", provider="acme", message=self.options.path
        )

    def permissions(self, role: Role, /) -> Sequence[Permission]:
        return [Permission(action="send", resource="*")] if role is Role.PRODUCER else []

    def send(self, messages: Sequence[Message], /, *, deadline: Deadline) -> Sequence[ItemError]:
        assert_type(deadline.remaining(), float)
        error = DriverError(ErrorCode.TOO_LARGE, operation="queue.send", provider="acme", retry_after=1.5)
        return [ItemError(at, error) for at, message in enumerate(messages) if len(message.body) > 3]

    def receive(
        self, *, max_messages: int, wait: timedelta, lease: timedelta, deadline: Deadline
    ) -> Sequence[Delivery]:
        message = Message(id="a", body=b"b")
        return [Delivery(message=message, receipt=object(), expires=datetime.now(UTC) + lease)]

    def extend(
        self, deliveries: Sequence[Delivery], /, *, lease: timedelta, deadline: Deadline
    ) -> Sequence[ItemError]:
        return ()

    def ack(self, deliveries: Sequence[Delivery], /, *, deadline: Deadline) -> Sequence[ItemError]:
        self.context.meter.count("acme.requests")
        return ()

    def nack(
        self, deliveries: Sequence[Delivery], /, *, delay: timedelta = ZERO, deadline: Deadline
    ) -> Sequence[ItemError]:
        return ()

    def depth(self, *, deadline: Deadline) -> tuple[int, timedelta | None]:
        return 0, None


class AcmeStore(StoreDriver):
    Options = AcmeOptions

    def __init__(self, options: AcmeOptions, context: Context) -> None:
        super().__init__(options, context)
        self.limits = Limits(batch_items=25, batch_bytes=1024, item_bytes=1024)
        self._records: dict[Key, Record] = {}

    def check(self) -> None: ...

    def put(
        self, records: Sequence[Record], /, *, condition: Absent | Version | None = None, deadline: Deadline
    ) -> Sequence[ItemError]:
        if isinstance(condition, Version):
            assert_type(condition.value, str)
        self._records |= {record.key: record for record in records}
        return ()

    def get(self, keys: Sequence[Key], /, *, deadline: Deadline) -> Sequence[Record | None]:
        return [self._records.get(key) for key in keys]

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
        return Page(records=sorted(self._records.values(), key=lambda record: record.key), cursor=None)

    def delete(
        self, keys: Sequence[Key], /, *, condition: Version | None = None, deadline: Deadline
    ) -> Sequence[ItemError]:
        return ()

    def purge(self, *, before: datetime, limit: int, deadline: Deadline) -> int:
        return 0


class AcmeCompute(ComputeDriver):
    Options = AcmeOptions

    def check(self) -> None: ...

    def consumer(self, handle: BatchHandler, /) -> NativeHandler:
        def called(event: dict[str, Any], _: object) -> list[int]:
            return [error.position for error in handle(event["deliveries"])]

        return called

    def runner(self, handle: RunHandler, /) -> NativeHandler:
        def called(event: dict[str, str], _: object) -> None:
            handle(Run(job=event["job"], run_id=event["id"]))

        return called


class AcmeScheduler(SchedulerDriver):
    Options = AcmeOptions

    def check(self) -> None: ...

    def upsert(self, schedule: Schedule, /) -> None:
        assert_type(schedule.cron, str)

    def remove(self, name: str, /) -> None: ...

    def schedules(self) -> Sequence[Schedule]:
        return [Schedule(name="a", cron="0 7 * * MON", job="report", timezone="Europe/London")]


class AcmeMailer(MailerDriver):
    Options = AcmeOptions

    def check(self) -> None: ...

    def send(self, email: Email, /, *, idempotency_key: str, deadline: Deadline) -> str:
        assert_type([attachment.body for attachment in email.attachments], list[bytes])
        return idempotency_key


@hookimpl
def tuppence_provider() -> Provider:
    return Provider(name="acme", api=API, drivers={kind: f"acme:{kind.title()}" for kind in Kind})
