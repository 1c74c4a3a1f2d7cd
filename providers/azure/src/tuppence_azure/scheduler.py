"""The scheduler: timer triggers of the function apps, whose schedules are settings of these apps.

Options: `SchedulerOptions`.
Delivery: a schedule is two settings of the app that runs its job, written together: what it is, as JSON, and
when its timer fires (`tuppence_azure.cron`). The function looks whether it is due (`tuppence_azure.compute`).
A time that a change of the clocks leaves out is made up for within the hour; one that comes twice fires once.
A run that fails is not tried again: the next one takes up what is left.
Limits: settings are replaced as a whole, and nothing tells two writers of each other. So what was written is
read back, and written again where somebody else has overwritten it. An app starts anew when they change.
Errors: `tuppence_azure.errors`.
Permissions: none; schedules belong to whoever deploys.
Emulator: a stand-in for Resource Manager of our own (tests/azure/arm.py), which the official client checks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from tuppence.clock import Deadline
from tuppence.drivers import Context, Schedule, SchedulerDriver
from tuppence.errors import ConfigError, ErrorCode
from tuppence.findings import Finding
from tuppence.schedule import check_cron, check_timezone
from tuppence_azure.compute import PARTS, part_of
from tuppence_azure.cron import to_ncrontab
from tuppence_azure.errors import failure
from tuppence_azure.management import AzureOptions, Management
from tuppence_azure.timers import SCHEDULE, encoded, read, schedule_setting, timer_setting

LONGEST_CALL: Final = 60.0
"""Seconds; the interface gives a scheduler no deadline, and apps start anew meanwhile."""
TURNS: Final = 5
"""How often a writer writes again that others overwrite."""


class SchedulerOptions(AzureOptions, frozen=True, kw_only=True):
    """Which function apps, as for `[compute]`."""


class TimerScheduler(SchedulerDriver):
    """Timers of a project's function apps."""

    Options = SchedulerOptions

    def __init__(self, options: SchedulerOptions, context: Context) -> None:
        super().__init__(options, context)
        self.management = Management(options, context.project)

    def check(self) -> None:
        """Prove that the apps are there, and that their settings may be read."""
        for part in PARTS:
            self.settings(part, "scheduler.check", self._deadline())

    def findings(self, *, deadline: Deadline) -> Iterable[Finding]:
        """Look for timers that somebody has changed or disabled."""
        from tuppence_azure.findings.schedules import findings

        return findings(self, deadline)

    def upsert(self, schedule: Schedule, /) -> None:
        """Create or replace a schedule. One that is there already is left alone: its app goes on."""
        operation = "scheduler.upsert"
        wanted = self.told(schedule, operation)
        deadline = self._deadline()
        for part in PARTS:
            if part == part_of(schedule.job):
                self._change(operation, part, wanted, deadline)
            else:  # where it was, if it had another job
                self._change(operation, part, dict.fromkeys(wanted), deadline)

    def remove(self, name: str, /) -> None:
        """Remove a schedule; no error where it is not there."""
        operation, deadline = "scheduler.remove", self._deadline()
        for part in PARTS:
            self._change(operation, part, dict.fromkeys(_settings_of(name)), deadline)

    def schedules(self) -> Sequence[Schedule]:
        """Return the schedules of both apps, by name. What others have set is left out."""
        operation, deadline = "scheduler.schedules", self._deadline()
        found = [one for part in PARTS for one in _read(self.settings(part, operation, deadline))]
        return sorted(found, key=lambda one: one.name)

    def told(self, schedule: Schedule, operation: str) -> dict[str, str | None]:
        """Return the settings that make a schedule. Raises `DriverError` where nobody could run it."""
        try:
            check_cron(schedule.cron, schedule.name)
            check_timezone(schedule.timezone, schedule.name)
        except ConfigError as error:
            raise failure(ErrorCode.INVALID, operation, str(error)) from error
        zone, now = ZoneInfo(schedule.timezone), self.context.clock.now()
        settings = _settings_of(schedule.name)
        return dict(zip(settings, (encoded(schedule), to_ncrontab(schedule.cron, zone, now)), strict=True))

    def settings(self, part: str, operation: str, deadline: Deadline) -> dict[str, str]:
        """Return all settings of an app. Raises `DriverError`."""
        answer = self.management.call(operation, "POST", part, "/config/appsettings/list", deadline=deadline)
        return _properties(answer, operation)

    def close(self) -> None:
        """Let the connections go."""
        self.management.close()

    def _change(
        self, operation: str, part: str, wanted: Mapping[str, str | None], deadline: Deadline
    ) -> None:
        """Set these settings of an app, or with `None` remove them, and leave the others as they are."""
        found = self.settings(part, operation, deadline)
        for _ in range(TURNS):
            if all(found.get(name) == value for name, value in wanted.items()):
                return
            merged = {**found, **wanted}
            kept = {name: value for name, value in merged.items() if value is not None}
            self.management.call(
                operation,
                "PUT",
                part,
                "/config/appsettings",
                body={"properties": kept},
                deadline=deadline,
            )
            # What decides when an app is woken has to be told which timers it has.
            self.management.call(operation, "POST", part, "/syncfunctiontriggers", deadline=deadline)
            found = self.settings(part, operation, deadline)
        if any(found.get(name) != value for name, value in wanted.items()):
            words = "somebody else changes the app's settings all the time; try again when they have done"
            raise failure(ErrorCode.CONFLICT, operation, words)

    def _deadline(self) -> Deadline:
        return Deadline.after(LONGEST_CALL, self.context.clock)


def _settings_of(name: str) -> tuple[str, str]:
    return schedule_setting(name), timer_setting(name)


def _properties(answer: Any, operation: str) -> dict[str, str]:
    try:
        return msgspec.convert(answer["properties"], dict[str, str])
    except (msgspec.ValidationError, KeyError, TypeError) as error:
        raise failure(ErrorCode.UNAVAILABLE, operation, "the answer cannot be read") from error


def _read(settings: Mapping[str, str]) -> Iterator[Schedule]:
    for name, text in settings.items():
        if name.startswith(SCHEDULE) and (found := read(text)) is not None:
            yield found
