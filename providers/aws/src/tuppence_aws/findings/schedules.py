"""What there is to say of the schedules, beside whether their group is there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from tuppence.clock import Deadline
from tuppence.findings import Finding, wrong
from tuppence_aws.errors import translate
from tuppence_aws.findings import looked, whose
from tuppence_aws.names import arn
from tuppence_aws.session import Session, region_of

if TYPE_CHECKING:
    from tuppence_aws.scheduler import EventBridgeScheduler

_OPERATION: Final = "scheduler.findings"


def findings(scheduler: EventBridgeScheduler, deadline: Deadline) -> Iterator[Finding]:
    """Look for schedules that somebody has disabled."""

    def disabled(deadline: Deadline) -> Iterator[Finding]:
        group = scheduler.group(_OPERATION)
        resource = arn("scheduler", region_of(scheduler.options), f"schedule/{group}/*")
        session = Session("scheduler", scheduler.options)
        try:
            client = session.client(_OPERATION, deadline)
            with translate(_OPERATION, needs=f"scheduler:ListSchedules on {resource}"):
                pages = client.get_paginator("list_schedules").paginate(GroupName=group)
                found = [one for page in pages for one in page["Schedules"]]
        finally:
            session.close()
        for one in found:
            if one.get("State") == "DISABLED":
                yield wrong(f"the schedule {one['Name']} is disabled", "`tuppence deploy` enables it.")

    return looked(deadline, whose(scheduler.options), disabled)
