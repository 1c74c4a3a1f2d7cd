"""The scheduler: EventBridge Scheduler, a group of schedules for each project.

Options: `SchedulerOptions`.
Delivery: each schedule calls the function of its job, within the minute it is due. The call is tried again
for up to an hour, after which the next one takes up what is left. A time that a change of the clocks leaves
out is left out; one that comes twice fires once
(https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html, read November 2026).
Limits: a million schedules, of which a project has three; 14 million calls a month are free.
Errors: `tuppence_aws.errors`.
Permissions: none; schedules belong to whoever deploys, and run under a role that deployment makes.
Emulator: ministack and moto keep what they are given and refuse no line; only ministack runs schedules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from tuppence.clock import Deadline
from tuppence.drivers import Context, Schedule, SchedulerDriver
from tuppence.errors import ConfigError, ErrorCode
from tuppence.findings import Finding
from tuppence.schedule import check_cron, check_timezone
from tuppence_aws.compute import FUNCTIONS
from tuppence_aws.cron import LONGEST, to_aws
from tuppence_aws.errors import failure, translate
from tuppence_aws.names import arn, named
from tuppence_aws.session import AwsOptions, Session, region_of

LONGEST_CALL: Final = 10.0
"""Seconds; the interface gives a scheduler no deadline."""
PAGE: Final = 100
"""Schedules that are listed by one call, at most."""
ATTEMPTS: Final = {"MaximumRetryAttempts": 20, "MaximumEventAgeInSeconds": 3600}
"""How often a call that could not be made is tried again, and for how long."""
RUN_ID: Final = "<aws.scheduler.execution-id>"
"""Replaced by the service with an id that stays the same when a call is tried again
(https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html).
"""

_NEW_ROLE: Final = "must allow AWS EventBridge Scheduler to assume the role"
"""What the service says of a role that was made seconds ago, which it does not know yet.

https://github.com/aws/aws-sdk-js-v3/issues/6494, read November 2026.
"""


class SchedulerOptions(AwsOptions, frozen=True, kw_only=True):
    """Which group, and what its schedules call.

    Attributes:
        group: the group's name; empty means `tuppence-<project>`.
        function_arn: what is called, `{function}` standing for `drain`, `seal` or `report`; empty means
            `tuppence-<project>-{function}` of the account and region in use.
        role_arn: the role under which it is called; empty means `tuppence-<project>-invoke`.

    """

    group: str = ""
    function_arn: str = ""
    role_arn: str = ""


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """What a schedule hands its function. The line is kept as it was given, and is not the function's."""

    job: str
    run_id: str
    payload: dict[str, str]
    cron: str


class EventBridgeScheduler(SchedulerDriver):
    """A group of EventBridge Scheduler."""

    Options = SchedulerOptions

    def __init__(self, options: SchedulerOptions, context: Context) -> None:
        super().__init__(options, context)
        self._session = Session("scheduler", options)
        self._identity = Session("sts", options)
        self._owner: tuple[str, str] | None = None

    def check(self) -> None:
        """Prove that the group is there."""
        operation = "scheduler.check"
        group = arn("scheduler", region_of(self.options), f"schedule-group/{self.group(operation)}")
        with translate(operation, needs=f"scheduler:GetScheduleGroup on {group}"):
            self._find_group(self._client(operation), operation)

    def findings(self, *, deadline: Deadline) -> Iterable[Finding]:
        """Look whether its schedules are enabled."""
        from tuppence_aws.findings.schedules import findings

        return findings(self, deadline)

    def upsert(self, schedule: Schedule, /) -> None:
        """Create or replace a schedule."""
        operation = "scheduler.upsert"
        told = self._told(schedule, operation)
        client = self._client(operation)
        with translate(operation):
            try:
                _create_or_replace(client, told)
            except client.exceptions.ResourceNotFoundException as error:
                raise self._missing(operation) from error
            except client.exceptions.ValidationException as error:
                words = str(error.response["Error"].get("Message", ""))[:300]
                code = ErrorCode.UNAVAILABLE if _NEW_ROLE in words else ErrorCode.INVALID
                raise failure(code, operation, words) from error

    def remove(self, name: str, /) -> None:
        """Remove a schedule; no error where it is not there."""
        operation = "scheduler.remove"
        client = self._client(operation)
        with translate(operation):
            try:
                client.delete_schedule(Name=name, GroupName=self.group(operation))
            except client.exceptions.ResourceNotFoundException:  # the schedule's, or the group's
                self._find_group(client, operation)

    def schedules(self) -> Sequence[Schedule]:
        """Return the group's schedules, by name. What others have put into it is left out."""
        operation = "scheduler.schedules"
        with translate(operation):
            self._find_group(self._client(operation), operation)
            found = [self._read(name, operation) for name in self._names(operation)]
        return sorted((one for one in found if one is not None), key=lambda one: one.name)

    def close(self) -> None:
        """Let the connections go."""
        self._session.close()
        self._identity.close()

    def _client(self, operation: str) -> Any:
        return self._session.client(operation, Deadline.after(LONGEST_CALL, self.context.clock))

    def group(self, operation: str) -> str:
        """Return the schedule group. Raises `DriverError` where the project's name is too long for one."""
        return str(self.options.group) or named(self.context.project, "", operation)

    def _told(self, schedule: Schedule, operation: str) -> dict[str, Any]:
        """Return a schedule as the service is told of it."""
        try:
            check_cron(schedule.cron, schedule.name)
            check_timezone(schedule.timezone, schedule.name)
        except ConfigError as error:
            raise failure(ErrorCode.INVALID, operation, str(error)) from error
        expression = to_aws(schedule.cron)
        if len(expression) > LONGEST:
            words = f"{schedule.cron!r} is too long for AWS once written out; use ranges and steps"
            raise failure(ErrorCode.INVALID, operation, words)
        function = FUNCTIONS.get(schedule.job, schedule.job)
        return {
            "Name": schedule.name,
            "GroupName": self.group(operation),
            "ScheduleExpression": expression,
            "ScheduleExpressionTimezone": schedule.timezone,
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "State": "ENABLED",
            "Target": {
                "Arn": self._function(function, operation),
                "RoleArn": self._role(operation),
                "Input": _encode(schedule),
                "RetryPolicy": ATTEMPTS,
            },
        }

    def _function(self, function: str, operation: str) -> str:
        if self.options.function_arn:
            return str(self.options.function_arn).replace("{function}", function)
        partition, account = self._account(operation)
        region = self._client(operation).meta.region_name
        name = named(self.context.project, function, operation)
        return f"arn:{partition}:lambda:{region}:{account}:function:{name}"

    def _role(self, operation: str) -> str:
        if self.options.role_arn:
            return str(self.options.role_arn)
        partition, account = self._account(operation)
        return f"arn:{partition}:iam::{account}:role/{named(self.context.project, 'invoke', operation)}"

    def _account(self, operation: str) -> tuple[str, str]:
        """Return partition and account of whoever asks, which everyone may know."""
        if self._owner is None:
            client = self._identity.client(operation, Deadline.after(LONGEST_CALL, self.context.clock))
            with translate(operation):
                arn = client.get_caller_identity()["Arn"].split(":")
            self._owner = (arn[1], arn[4])
        return self._owner

    def _names(self, operation: str) -> Iterator[str]:
        more: dict[str, str] = {}
        while True:
            client = self._client(operation)
            page = client.list_schedules(GroupName=self.group(operation), MaxResults=PAGE, **more)
            yield from (one["Name"] for one in page["Schedules"])
            if not page.get("NextToken"):
                return
            more = {"NextToken": page["NextToken"]}

    def _read(self, name: str, operation: str) -> Schedule | None:
        client = self._client(operation)
        try:
            found = client.get_schedule(Name=name, GroupName=self.group(operation))
        except client.exceptions.ResourceNotFoundException:  # removed in the meantime
            return None
        return _decode(found)

    def _find_group(self, client: Any, operation: str) -> None:
        try:
            client.get_schedule_group(Name=self.group(operation))
        except client.exceptions.ResourceNotFoundException as error:
            raise self._missing(operation) from error

    def _missing(self, operation: str) -> Exception:
        words = f"there is no schedule group {self.group(operation)}; `tuppence deploy` creates it"
        return failure(ErrorCode.NOT_FOUND, operation, words)


def _create_or_replace(client: Any, told: Mapping[str, Any]) -> None:
    try:
        client.create_schedule(**told)
    except client.exceptions.ConflictException:  # it is there; an update replaces all of it
        client.update_schedule(**told)


def _encode(schedule: Schedule) -> str:
    """Return what the function is handed. Only the id looks like a template: elsewhere `<` is escaped."""
    told = Input(job=schedule.job, run_id="", payload=dict(schedule.payload), cron=schedule.cron)
    plain = msgspec.json.encode(told).decode().replace("<", "\\u003c")
    return plain.replace('"run_id":""', f'"run_id":"{RUN_ID}"', 1)


def _decode(found: Mapping[str, Any]) -> Schedule | None:
    """Return a schedule as the service keeps it; `None` for one that is not tuppence's.

    A line that someone has changed in the console is the service's own.
    """
    try:
        told = msgspec.json.decode(found["Target"].get("Input", ""), type=Input)
        unchanged = to_aws(told.cron) == found["ScheduleExpression"]
    except (msgspec.DecodeError, ValueError):
        return None
    return Schedule(
        name=found["Name"],
        cron=told.cron if unchanged else found["ScheduleExpression"],
        job=told.job,
        timezone=found.get("ScheduleExpressionTimezone", "UTC"),
        payload=told.payload,
    )
