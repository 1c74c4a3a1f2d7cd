"""The embedded scheduler: schedules in the SQLite file, and what the long-running worker asks of them.

Options: `path`.
Delivery: a run is claimed once, by one worker. What fell due while no worker ran is due once, not many times.
Errors: `tuppence.local.errors`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from tuppence.clock import Deadline
from tuppence.drivers import Context, Feature, Run, Schedule, SchedulerDriver
from tuppence.errors import ConfigError, ErrorCode
from tuppence.local.database import Database, FileOptions, microseconds, moment
from tuppence.local.errors import decoding, failure
from tuppence.schedule import check_cron, check_timezone, next_due

LONGEST_CALL: Final = 10.0
"""Seconds; the interface gives a scheduler no deadline."""


class LocalScheduler(SchedulerDriver):
    """Schedules in a SQLite file."""

    Options = FileOptions
    features = frozenset({Feature.POLLED})

    def __init__(self, options: FileOptions, context: Context) -> None:
        super().__init__(options, context)
        self._database = Database(options.path)

    def check(self) -> None:
        """Prove that the file can be opened and written."""
        with self._database.write("scheduler.check", self._deadline()):
            pass

    def upsert(self, schedule: Schedule, /) -> None:
        """Create or replace a schedule. One that stays the same keeps the moment it is due."""
        try:
            check_cron(schedule.cron, schedule.name)
            check_timezone(schedule.timezone, schedule.name)
        except ConfigError as error:
            raise failure(ErrorCode.INVALID, "scheduler.upsert", str(error)) from error
        due = _due_after(schedule, self.context.clock.now())
        with self._database.write("scheduler.upsert", self._deadline()) as connection:
            connection.execute(
                "INSERT INTO schedules (project, name, definition, due) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (project, name) DO UPDATE SET definition = excluded.definition, "
                "due = excluded.due WHERE definition <> excluded.definition",
                (self.context.project, schedule.name, _encode(schedule), microseconds(due)),
            )

    def remove(self, name: str, /) -> None:
        """Remove a schedule; no error where it is not there."""
        with self._database.write("scheduler.remove", self._deadline()) as connection:
            connection.execute(
                "DELETE FROM schedules WHERE project = ? AND name = ?", (self.context.project, name)
            )

    def schedules(self) -> Sequence[Schedule]:
        """Return this project's schedules, by name."""
        with self._database.read("scheduler.schedules", self._deadline()) as connection:
            rows = connection.execute(
                "SELECT definition FROM schedules WHERE project = ? ORDER BY name", (self.context.project,)
            ).fetchall()
        with decoding("scheduler.schedules", self._database.path):
            return [_decode(definition) for (definition,) in rows]

    def claim_due(self) -> Sequence[Run]:
        """Return what is to be run now, the longest due first. No other worker is given the same.

        What was to be due later than the time after now is due then: the clock was set back.
        """
        now = self.context.clock.now()
        runs = []
        with (
            self._database.write("scheduler.claim_due", self._deadline()) as connection,
            decoding("scheduler.claim_due", self._database.path),
        ):
            rows = connection.execute(
                "SELECT definition, due FROM schedules WHERE project = ? ORDER BY due, name",
                (self.context.project,),
            ).fetchall()
            for definition, due in rows:
                schedule = _decode(definition)
                following = microseconds(_due_after(schedule, now))
                if due <= microseconds(now):
                    runs.append(_run(schedule, moment(due)))
                elif due <= following:
                    continue
                connection.execute(
                    "UPDATE schedules SET due = ? WHERE project = ? AND name = ?",
                    (following, self.context.project, schedule.name),
                )
        return runs

    def next_due(self) -> datetime | None:
        """Return when the worker should ask again, in UTC; `None` without schedules."""
        with self._database.read("scheduler.next_due", self._deadline()) as connection:
            (due,) = connection.execute(
                "SELECT min(due) FROM schedules WHERE project = ?", (self.context.project,)
            ).fetchone()
        with decoding("scheduler.next_due", self._database.path):
            return None if due is None else moment(due)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _deadline(self) -> Deadline:
        return Deadline.after(LONGEST_CALL, self.context.clock)


def _run(schedule: Schedule, due: datetime) -> Run:
    run_id = f"{schedule.name}@{due.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    return Run(job=schedule.job, run_id=run_id, payload=schedule.payload)


def _due_after(schedule: Schedule, now: datetime) -> datetime:
    return next_due(schedule.cron, ZoneInfo(schedule.timezone), now)


def _encode(schedule: Schedule) -> str:
    return msgspec.json.encode(schedule, order="deterministic").decode()


def _decode(definition: str) -> Schedule:
    return msgspec.json.decode(definition, type=Schedule)
