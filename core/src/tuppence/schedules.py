"""The schedules of a project: what is run when, and which jobs each schedule runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from tuppence.config import Config
from tuppence.drivers import Schedule, SchedulerDriver

SEAL: Final = "5 * * * *"
"""Once an hour, a little after it ended."""
SET_ASIDE: Final = "25 * * * *"
"""Once an hour, where the queue's service calls by itself: for what it has set aside."""
NAMES: Final = ("drain", "seal", "report")
SCHEDULED: Final[Mapping[str, tuple[str, ...]]] = {
    "drain": ("drain",),
    "seal": ("seal", "purge"),
    "report": ("report",),
}
"""The jobs that each schedule runs.

Purging follows sealing and has no schedule of its own: a cloud may give three away, and bill a fourth.
"""


def schedules(config: Config) -> list[Schedule]:
    """Return what is to be run when. Without recipients there is no report to send."""
    zone = config.timezone
    called = config.pipeline.trigger == "event"
    wanted = [
        Schedule(name="drain", cron=SET_ASIDE if called else every(config.pipeline.every), job="drain"),
        Schedule(name="seal", cron=SEAL, job="seal"),
    ]
    if config.report.to:
        wanted.append(
            Schedule(name="report", cron=_hourly(config.report.schedule), job="report", timezone=zone)
        )
    return wanted


def register(scheduler: SchedulerDriver, config: Config) -> None:
    """Make the scheduler's schedules those of the configuration. Others' names are left alone."""
    wanted = schedules(config)
    for schedule in wanted:
        scheduler.upsert(schedule)
    for name in set(NAMES) - {schedule.name for schedule in wanted}:
        scheduler.remove(name)


def every(span: timedelta) -> str:
    """Return the cron line that comes closest to `span` without being slower.

    Cron counts within an hour or a day, so only divisors of 60 minutes and of 24 hours come evenly.
    """
    minutes = max(1, int(span / timedelta(minutes=1)))
    if minutes < 60:  # noqa: PLR2004 - minutes in an hour
        step = _divisor(60, minutes)
        return "* * * * *" if step == 1 else f"*/{step} * * * *"
    step = _divisor(24, minutes // 60)
    return {1: "0 * * * *", 24: "0 0 * * *"}.get(step, f"0 */{step} * * *")


def _hourly(cron: str) -> str:
    """Return the line with any hour of any day. The job knows which mails are due.

    So one that failed is tried again within the hour, not in a week.
    """
    return f"{cron.split(maxsplit=1)[0]} * * * *"


def _divisor(whole: int, most: int) -> int:
    """Return the largest divisor of `whole` that is at most `most`."""
    return max(n for n in range(1, whole + 1) if whole % n == 0 and n <= most)
