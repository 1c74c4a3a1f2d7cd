"""The scheduler: jobs of Cloud Scheduler, by requests of our own (`tuppence_gcp.session`).

Options: `SchedulerOptions`.
Delivery: each job calls the function of its schedule with a token of the invoker's, within the minute it is
due. What fails is tried again up to three times, until it is next due; then that takes up what is left.
Lines: unix-cron as they are given, in capitals, as Google documents names; the line as it was is kept beside.
https://cloud.google.com/scheduler/docs/configuring/cron-job-schedules, read November 2026.
Limits: 1 MB a job. Three jobs of a billing account are free, and a project has three.
Errors: `tuppence_gcp.errors`.
Permissions: none; schedules belong to whoever deploys.
Emulator: none of Google's; in tests, a server of ours whose answers Google's own client checks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from tuppence.clock import Deadline
from tuppence.drivers import Context, Schedule, SchedulerDriver
from tuppence.errors import ConfigError, DriverError, ErrorCode
from tuppence.findings import Finding
from tuppence.schedule import check_cron, check_timezone
from tuppence_gcp.compute import FUNCTIONS, REGION, WAITED, function_url, invoker
from tuppence_gcp.errors import failure, switched_off
from tuppence_gcp.names import named
from tuppence_gcp.session import GcpOptions, Session

LONGEST_CALL: Final = 10.0
"""Seconds; the interface gives a scheduler no deadline."""
PAGE: Final = 100
"""Jobs that are listed by one call; the service takes 500 at most."""
RETRIES: Final = {
    "retryCount": 3,
    "minBackoffDuration": "60s",
    "maxBackoffDuration": "600s",
    "maxDoublings": 3,
}
"""How often a call that failed is made again; the service takes five at most (API reference of RetryConfig,
read November 2026).
"""
ENABLED: Final = "ENABLED"
PAUSED: Final = "PAUSED"
_TOLD: Final = "schedule,timeZone,httpTarget,retryConfig,attemptDeadline,description"
"""What an update replaces: all that a schedule is told of."""


class SchedulerOptions(GcpOptions, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the jobs are, and what they call.

    Attributes:
        region: where they are; that of the functions.
        function_url: what is called, `{function}` standing for `drain`, `seal` or `report`; empty means the
            address that Google gives a function.
        invoker: the service account as which it is called; empty means the one that deployment makes.

    """

    region: str = REGION
    function_url: str = ""
    invoker: str = ""


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """What a job hands its function. Project and line are kept for us, and are not the function's."""

    job: str
    payload: dict[str, str]
    project: str
    cron: str


class _Target(msgspec.Struct, frozen=True):
    body: bytes = b""


class Job(msgspec.Struct, rename="camel"):
    """A job as the service keeps it, as far as it matters here."""

    name: str
    schedule: str = ""
    time_zone: str = "UTC"
    state: str = ENABLED
    http_target: _Target = _Target()


class _Page(msgspec.Struct, rename="camel"):
    jobs: list[Job] = []
    next_page_token: str = ""


class CloudScheduler(SchedulerDriver):
    """A project's jobs in Cloud Scheduler."""

    Options = SchedulerOptions

    def __init__(self, options: SchedulerOptions, context: Context) -> None:
        super().__init__(options, context)
        self._session = Session(
            "https://cloudscheduler.googleapis.com", "SCHEDULER_EMULATOR_HOST", options, context.clock
        )

    def check(self) -> None:
        """Prove that the service is enabled in the project, and knows the region."""
        operation = "scheduler.check"
        self._call(operation, "GET", f"{self._jobs(operation)}?{urlencode({'pageSize': 1})}", None, _Page)

    def findings(self, *, deadline: Deadline) -> Iterable[Finding]:
        """Look whether its jobs are enabled, and whether one more would cost."""
        from tuppence_gcp.findings.schedules import findings

        return findings(self, deadline)

    def upsert(self, schedule: Schedule, /) -> None:
        """Create or replace a job. One that was paused goes on."""
        operation = "scheduler.upsert"
        told = self._told(schedule, operation)
        try:
            self._call(operation, "POST", self._jobs(operation), told, Job)
        except DriverError as error:
            if error.code is not ErrorCode.ALREADY_EXISTS:
                raise
            path = f"/v1/{told['name']}"
            job = self._call(operation, "PATCH", f"{path}?{urlencode({'updateMask': _TOLD})}", told, Job)
            if job.state == PAUSED:
                self._call(operation, "POST", f"{path}:resume", {}, Job)

    def remove(self, name: str, /) -> None:
        """Remove a job; no error where it is not there."""
        operation = "scheduler.remove"
        path = f"{self._jobs(operation)}/{self._name(name, operation)}"
        try:
            self._call(operation, "DELETE", path, None, dict[str, Any])
        except DriverError as error:
            if error.code is not ErrorCode.NOT_FOUND:
                raise
            self._find_region(operation)  # it is the job that is not there, and not the region

    def schedules(self) -> Sequence[Schedule]:
        """Return this project's schedules, by name. Other jobs are left out."""
        found = [self._read(job) for job in self.listed("scheduler.schedules")]
        return sorted((one for one in found if one is not None), key=lambda one: one.name)

    def listed(self, operation: str, deadline: Deadline | None = None) -> Iterator[Job]:
        """Return all jobs of the region, page by page. Raises `DriverError`."""
        asked: dict[str, Any] = {"pageSize": PAGE}
        while True:
            path = f"/v1/{self.place(operation, deadline)}/jobs?{urlencode(asked)}"
            page = self._call(operation, "GET", path, None, _Page, deadline)
            yield from page.jobs
            if not page.next_page_token:
                return
            asked["pageToken"] = page.next_page_token

    def ours(self, job: Job) -> str:
        """Return the name of the schedule that a job is, or nothing where it is another's."""
        own = f"{named(self.context.project, '', 'scheduler.read')}-"
        name = job.name.rpartition("/")[2]
        told = _body(job)
        known = told is not None and told.project == self.context.project and name.startswith(own)
        return name.removeprefix(own) if known else ""

    def place(self, operation: str, deadline: Deadline | None = None) -> str:
        """Return project and region, as Google's addresses have them. Raises `DriverError`."""
        return f"projects/{self._project(operation, deadline)}/locations/{self.options.region}"

    def close(self) -> None:
        """Let the connection go."""
        self._session.close()

    def _told(self, schedule: Schedule, operation: str) -> dict[str, Any]:
        """Return a schedule as the service is told of it."""
        try:
            check_cron(schedule.cron, schedule.name)
            check_timezone(schedule.timezone, schedule.name)
        except ConfigError as error:
            raise failure(ErrorCode.INVALID, operation, str(error)) from error
        ours, place = self.context.project, self._project(operation)
        part = FUNCTIONS.get(schedule.job, schedule.job)
        url = function_url(self.options, ours, part, place, operation)
        body = Body(job=schedule.job, payload=dict(schedule.payload), project=ours, cron=schedule.cron)
        return {
            "name": f"{self.place(operation)}/jobs/{self._name(schedule.name, operation)}",
            "description": f"tuppence, project {ours}; `tuppence deploy` keeps it as tuppence.toml says",
            "schedule": schedule.cron.upper(),
            "timeZone": schedule.timezone,
            "attemptDeadline": f"{WAITED.total_seconds():.0f}s",
            "retryConfig": RETRIES,
            "httpTarget": {
                "uri": url,
                "httpMethod": "POST",
                "headers": {"Content-Type": "application/json"},
                "body": msgspec.json.encode(body),
                "oidcToken": {
                    "serviceAccountEmail": invoker(self.options, ours, place),
                    "audience": url,
                },
            },
        }

    def _read(self, job: Job) -> Schedule | None:
        """Return a job as core knows it; `None` for one that is not ours.

        A line that someone has changed in the console is the service's own.
        """
        name, told = self.ours(job), _body(job)
        if not name or told is None:
            return None
        return Schedule(
            name=name,
            cron=told.cron if told.cron.upper() == job.schedule else job.schedule,
            job=told.job,
            timezone=job.time_zone,
            payload=told.payload,
        )

    def _find_region(self, operation: str) -> None:
        self._call(operation, "GET", f"/v1/{self.place(operation)}", None, dict[str, Any])

    def _call(
        self,
        operation: str,
        method: str,
        path: str,
        told: object,
        answer: type[Any],
        deadline: Deadline | None = None,
    ) -> Any:
        """Make one call. What is not there is the region, or the service itself."""
        by = deadline or self._soon()
        try:
            return self._session.call(operation, method, path, told, answer, deadline=by)
        except DriverError as error:
            if off := switched_off(error, operation):
                raise off from error
            if error.code is not ErrorCode.NOT_FOUND:
                raise
            words = f"Cloud Scheduler has no region {self.options.region} for this project"
            raise failure(ErrorCode.NOT_FOUND, operation, words) from error

    def _jobs(self, operation: str) -> str:
        return f"/v1/{self.place(operation)}/jobs"

    def _name(self, name: str, operation: str) -> str:
        return named(self.context.project, name, operation)

    def _project(self, operation: str, deadline: Deadline | None = None) -> str:
        return self._session.project(operation, deadline or self._soon())

    def _soon(self) -> Deadline:
        return Deadline.after(LONGEST_CALL, self.context.clock)


def _body(job: Job) -> Body | None:
    """Return what a job hands its function, where it is one of tuppence's."""
    try:
        return msgspec.json.decode(job.http_target.body, type=Body)
    except msgspec.MsgspecError:
        return None
