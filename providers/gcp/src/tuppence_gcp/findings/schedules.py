"""What there is to say of the schedules, beside whether they are there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from tuppence.clock import Deadline
from tuppence.findings import Finding, note, ok, wrong
from tuppence_gcp.findings import looked, where
from tuppence_gcp.scheduler import ENABLED

if TYPE_CHECKING:
    from tuppence_gcp.scheduler import CloudScheduler

FREE: Final = 3
"""Jobs of a billing account that cost nothing (https://cloud.google.com/scheduler/pricing, not verified)."""
_OPERATION: Final = "scheduler.findings"


def findings(scheduler: CloudScheduler, deadline: Deadline) -> Iterator[Finding]:
    """Look whether the project's jobs are enabled, and how many there are with those of others."""

    def place(deadline: Deadline) -> Iterator[Finding]:
        found = where(scheduler.place(_OPERATION, deadline))
        yield ok(found, place=found)

    def jobs(deadline: Deadline) -> Iterator[Finding]:
        found = list(scheduler.listed(_OPERATION, deadline))
        for job in found:
            name = scheduler.ours(job)
            if name and job.state != ENABLED:
                yield wrong(f"the schedule {name} is {job.state.lower()}", "`tuppence deploy` enables it.")
        if len(found) > FREE:
            detail = f"{len(found)} jobs are in {scheduler.options.region}, and {FREE} of an account are free"
            yield note(detail, "Each more is billed, $0.10 a month.")

    return looked(deadline, place, jobs)
