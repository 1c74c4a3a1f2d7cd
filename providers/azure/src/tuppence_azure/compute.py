"""The compute driver: what Azure Functions calls, by timers and with the messages of a queue.

Options: `FunctionsOptions`.
Delivery: one message a call, from Service Bus or a Storage Queue. A failed one is raised: the host lets it
come again, and sets it aside when it has failed too often: Service Bus in the queue's own sub-queue, the
host itself in `<queue>-poison` beside a Storage Queue. Draining empties both.
Runs: a timer tells no job, so the function reads its schedule from the app's settings
(`tuppence_azure.timers`) and runs it if it was due since the timer last fired. What raises has failed, and is
not called again.
Limits: a call may take as long as `timeout` says; a Flex Consumption app knows no longest one.
Errors: `tuppence_azure.errors`.
Permissions: none; those of a function are the ones of the parts it uses.
Emulator: none of the host. Microsoft's own library for Python workers calls the functions, and a stand-in of
ours is Resource Manager (tests/azure/arm.py).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from tuppence.clock import Deadline
from tuppence.drivers import (
    BatchHandler,
    ComputeDriver,
    Context,
    Delivery,
    Feature,
    Message,
    NativeHandler,
    Permission,
    Role,
    Run,
    RunHandler,
)
from tuppence.errors import ErrorCode
from tuppence.findings import Finding
from tuppence.schedule import next_due
from tuppence_azure.errors import failure
from tuppence_azure.management import AzureOptions, Management
from tuppence_azure.messages import id_of, read
from tuppence_azure.timers import FUNCTION, schedule_setting
from tuppence_azure.timers import read as read_schedule

CHECK_WAIT: Final = 10.0
PARTS: Final = {Role.PROCESSOR.value: Role.PROCESSOR, Role.REPORTER.value: Role.REPORTER}
"""The function apps, and the role of each: what may read the queue, and what may send mail."""
EARLY: Final = timedelta(seconds=5)
"""By how much a timer may fire before it should: the host's own clock waits in steps, and says so."""
_MINUTE: Final = timedelta(minutes=1)
_NEVER: Final = 1
"""The year of a time that the host does not know."""


class FunctionsOptions(AzureOptions, frozen=True, kw_only=True):
    """What the function apps are deployed with.

    Attributes:
        location: the region, as in `uksouth`; deployment needs it.
        memory: of each instance, in MB, as a Flex Consumption plan offers it; processors come in proportion.
        timeout: how long one call may take.
        mail_group: the resource group of the Communication Services that mail reports, which the app may then
            use by its own identity; empty where a key is given, or mail goes another way.

    """

    location: str = ""
    memory: Literal[512, 2048, 4096] = 2048
    timeout: timedelta = timedelta(minutes=15)
    mail_group: str = ""


class FunctionsCompute(ComputeDriver):
    """Functions of two apps of Azure's."""

    Options = FunctionsOptions
    features = frozenset({Feature.NATIVE_TRIGGER})

    def __init__(self, options: FunctionsOptions, context: Context) -> None:
        super().__init__(options, context)
        self.management = Management(options, context.project)

    def check(self) -> None:
        """Prove that the apps are there and run."""
        operation = "compute.check"
        deadline = Deadline.after(CHECK_WAIT, self.context.clock)
        for part in PARTS:
            if words := unfit(self.site(part, operation, deadline)):
                raise failure(ErrorCode.UNAVAILABLE, operation, words)

    def findings(
        self,
        *,
        deadline: Deadline,
        permissions: Mapping[Role, Sequence[Permission]] | None = None,  # noqa: ARG002 - there is no such look
    ) -> Iterable[Finding]:
        """Look at each app, and at the functions it has."""
        from tuppence_azure.findings.functions import findings

        return findings(self, deadline)

    def consumer(self, handle: BatchHandler, /) -> NativeHandler:
        """Return what a queue's trigger calls, with one message; it raises if that must come again."""

        def consume(message: Any, context: Any) -> None:  # noqa: ARG001 - the host gives one
            expires = self.context.clock.now() + self.options.timeout  # the host renews its lease meanwhile
            for error in handle([_delivery(message, expires)]):
                raise error.error

        return consume

    def runner(self, handle: RunHandler, /) -> NativeHandler:
        """Return what a timer calls. It runs the schedule whose timer it is, if that is due."""

        def run(timer: Any, context: Any) -> None:
            name = str(context.function_name).removeprefix(FUNCTION)
            schedule = read_schedule(os.environ.get(schedule_setting(name), ""))
            if schedule is None:  # removed, or not yet set
                return
            since, until = _span(timer, self.context.clock.now())
            due = next_due(schedule.cron, ZoneInfo(schedule.timezone), since)
            if due <= until:
                run_id = f"{schedule.name}@{due:%Y%m%dT%H%M%SZ}"
                handle(Run(job=schedule.job, run_id=run_id, payload=schedule.payload))

        return run

    def site(self, part: str, operation: str, deadline: Deadline) -> Any:
        """Return what Azure says of the function app of a part. Raises `DriverError`."""
        return self.management.call(operation, "GET", part, deadline=deadline)

    def close(self) -> None:
        """Let the connections go."""
        self.management.close()


def part_of(job: str) -> str:
    """Return which app runs a job."""
    return Role.REPORTER.value if job == "report" else Role.PROCESSOR.value


def unfit(site: Any) -> str:
    """Return why an app's functions are not called, or nothing."""
    about = site.get("properties", {})
    state = about.get("state", "Running")
    if state != "Running":
        return f"{site['name']} is {state}; start it in the portal, or with `az functionapp start`"
    return "" if about.get("enabled", True) else f"{site['name']} is disabled"


def _delivery(message: Any, expires: datetime) -> Delivery:
    """Return a message of either queue as core knows it."""
    if hasattr(message, "dequeue_count"):  # of a Storage Queue
        found = read(message.get_body().decode(errors="replace"), str(message.id))
        attempt = message.dequeue_count
    else:
        name = id_of(str(message.message_id or ""), message.sequence_number)
        found, attempt = Message(id=name, body=message.get_body()), message.delivery_count
    return Delivery(message=found, receipt=None, expires=expires, attempt=attempt)


def _span(timer: Any, now: datetime) -> tuple[datetime, datetime]:
    """Return since when and until when a schedule has to be due: since the timer last fired.

    https://github.com/Azure/azure-webjobs-sdk-extensions, `TimerListener`, read November 2026: a call is told
    of the last one and of the moment that it should have come at. One that comes early is recorded by that
    moment, so it counts as having come then. A timer that is new, or whose schedule is, knows of no last one.
    """
    status = timer.schedule_status
    last, planned = _time(status.get("Last")), _time(status.get("Next"))
    until = planned if planned is not None and now < planned <= now + EARLY else now
    since = last if last is not None else min(until, planned or until) - _MINUTE
    return since, until


def _time(text: Any) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    if found.year <= _NEVER:
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
