"""The jobs, each over a `Runtime`: run by hand, by the worker, or by a platform's schedule.

Each may stop between any two lines and run several times at once. At its end a job leaves a heartbeat, and
what it used is added to the month's units.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from tuppence.capture.resend import Resent, resend_set_aside
from tuppence.capture.sender import Orphans, send_orphans
from tuppence.clock import Deadline
from tuppence.config import Config
from tuppence.drivers import BatchHandler, Delivery, ItemError
from tuppence.errors import DriverError, TuppenceError
from tuppence.liveness import observe
from tuppence.pipeline import drain as drains
from tuppence.pipeline import retention
from tuppence.pipeline import seal as seals
from tuppence.pipeline.heartbeat import Failure, failure_of
from tuppence.runtime import Runtime
from tuppence.schedule import next_due
from tuppence.schedules import schedules

if TYPE_CHECKING:
    from tuppence.report.document import Report
    from tuppence.report.period import Week
    from tuppence.report.send import Sent

LOOK_BACK: Final = 6
"""Weeks that are looked at for a mail that is due; a schedule may run but once a month."""
OBSERVING: Final = 60.0
"""Seconds that looking after the other jobs may take of the report's time."""
SAVING: Final = timedelta(seconds=10)
"""How long the saving of heartbeat and units may take, beyond the job itself."""
CONSUME: Final = "consume"
"""The job of a queue that calls by itself; no schedule runs it."""


def drain(runtime: Runtime, *, deadline: Deadline) -> drains.Drained:
    """Empty the queue into the store."""
    config = runtime.config
    with _recorded(runtime, "drain"):
        return drains.drain(
            runtime.queue,
            runtime.store,
            project=config.project,
            retention=config.retention,
            clock=runtime.clock,
            deadline=deadline,
            redacted=config.capture.redact,
        )


def consume(runtime: Runtime, *, patience: timedelta) -> BatchHandler:
    """Return what stores messages that the platform has received, for `ComputeDriver.consumer`.

    Args:
        runtime: its store is used.
        patience: how long one call may take.

    """
    config = runtime.config

    def handle(deliveries: Sequence[Delivery]) -> Sequence[ItemError]:
        work = drains.Drain(
            runtime.store,
            project=config.project,
            retention=config.retention,
            clock=runtime.clock,
            redacted=config.capture.redact,
        )
        with _recorded(runtime, CONSUME, component="drain") as run:
            errors = work.handle(deliveries, deadline=Deadline.after(patience, runtime.clock))
            run.failure = failure_of(errors[0].error) if errors else None
        return errors

    return handle


def seal(runtime: Runtime, *, deadline: Deadline, settle: timedelta | None = None) -> seals.Sealed:
    """Seal every hour and day with something new in it."""
    config = runtime.config
    with _recorded(runtime, "seal"):
        return seals.seal(
            runtime.store,
            project=config.project,
            zone=ZoneInfo(config.timezone),
            retention=config.retention,
            clock=runtime.clock,
            deadline=deadline,
            settle=settle,
        )


def purge(runtime: Runtime, *, deadline: Deadline) -> int:
    """Delete expired records where the store does not; return how many."""
    with _recorded(runtime, "purge"):
        return retention.purge(runtime.store, clock=runtime.clock, deadline=deadline)


def report(runtime: Runtime, *, deadline: Deadline) -> list[Sent]:
    """Send the mails that are owed, missed weeks first.

    Where nothing has ever arrived there is none, unless that is because the jobs before this one fail.

    Raises:
        TuppenceError: some could not be sent; all have been tried.

    """
    with _recorded(runtime, "report"):
        return _send_owed(runtime, deadline)


def _send_owed(runtime: Runtime, deadline: Deadline) -> list[Sent]:
    from tuppence.report import build
    from tuppence.report.pipeline_state import worth_sending
    from tuppence.report.send import Status, weeks_due

    config, store, clock = runtime.config, runtime.store, runtime.clock
    newest = _newest_due(config, clock.now())
    if not config.report.to or newest is None:
        return []
    sent: list[Sent] = []
    weeks = weeks_due(store, config.project, config.report.to, newest, deadline=deadline)
    # whoever runs this job by schedule is to run the others too
    pipeline = observe(runtime, schedules(config), deadline=deadline.within(OBSERVING)) if weeks else None
    for week in weeks:
        built = build(store, config, week, clock, pipeline=pipeline, deadline=deadline)
        if worth_sending(built):
            sent += mail(runtime, built, config.report.to, deadline=deadline)
    refused = [one for one in sent if one.status is Status.REFUSED]
    if refused:
        raise TuppenceError(f"{len(refused)} of {len(sent)} mails could not be sent: {refused[0].detail}")
    return sent


def mail(
    runtime: Runtime, built: Report, to: Sequence[str], *, force: bool = False, deadline: Deadline
) -> list[Sent]:
    """Mail a report to each of these addresses that has not had it, or with `force` to each."""
    from tuppence.report.send import send_week

    with _metered(runtime, "report"):
        return send_week(
            built,
            store=runtime.store,
            mailer=runtime.mailer,
            sender=runtime.config.report.sender,
            recipients=to,
            clock=runtime.clock,
            deadline=deadline,
            force=force,
        )


def orphans(runtime: Runtime, *, deadline: Deadline) -> Orphans:
    """Send what dead processes on this host left in their journals."""
    return send_orphans(runtime.config, lambda: runtime.queue, runtime.clock, deadline=deadline)


def resend(runtime: Runtime, *, deadline: Deadline) -> Resent:
    """Send once more what the queue refused on this host. By hand only: the cause has to be removed first."""
    return resend_set_aside(runtime.config, lambda: runtime.queue, runtime.clock, deadline=deadline)


JOBS: Final[Mapping[str, Callable[..., Any]]] = {
    "orphans": orphans,
    "drain": drain,
    "seal": seal,
    "report": report,
    "purge": purge,
}
"""The jobs by name, in the order of the way from the journals to the mail.

Each is called as `job(runtime, deadline=…)`.
"""


def _newest_due(config: Config, now: datetime) -> Week | None:
    """Return the newest week whose mail was to be sent by now: the schedule was due since it ended."""
    from tuppence.report.period import Week

    zone = ZoneInfo(config.timezone)
    for number in range(LOOK_BACK):
        week = Week.last(now, zone).ago(number)
        just_before = week.end - timedelta(microseconds=1)  # a schedule may be due at the very end
        if next_due(config.report.schedule, zone, just_before) <= now:
            return week
    return None


class _Run:
    """A run that goes on. `failure` is set where it fails without raising."""

    def __init__(self) -> None:
        self.failure: Failure | None = None


@contextmanager
def _recorded(runtime: Runtime, job: str, *, component: str = "") -> Iterator[_Run]:
    """Leave a heartbeat when the job is over, and save its units.

    Neither is worth a result: where they cannot be written, the age of the last heartbeat tells.
    """
    run, started = _Run(), runtime.clock.now()
    with _metered(runtime, component or job):
        try:
            yield run
        except Exception as error:
            _beat(runtime, job, started, failure_of(error))
            raise
        _beat(runtime, job, started, run.failure)


def _beat(runtime: Runtime, job: str, started: datetime, failure: Failure | None) -> None:
    until = Deadline.after(SAVING / 2, runtime.clock)
    with suppress(TuppenceError):  # of a store that cannot be built, too
        runtime.heartbeats.record(job, started=started, failure=failure, deadline=until)


@contextmanager
def _metered(runtime: Runtime, component: str) -> Iterator[None]:
    """Save the units when the job is over, also when it failed. A store that is down costs no result.

    Not when someone stopped it, who is not to wait.
    """
    try:
        yield
    except Exception:
        _save_units(runtime, component)
        raise
    _save_units(runtime, component)


def _save_units(runtime: Runtime, component: str) -> None:
    with suppress(DriverError):
        runtime.meter.save(
            runtime.store,
            runtime.config.project,
            clock=runtime.clock,
            component=component,
            deadline=Deadline.after(SAVING / 2, runtime.clock),
        )
