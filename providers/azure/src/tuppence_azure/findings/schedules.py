"""What there is to say of the schedules, beside whether their apps are there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from tuppence.clock import Deadline
from tuppence.findings import Finding, wrong
from tuppence_azure.compute import PARTS
from tuppence_azure.findings import looked, where
from tuppence_azure.timers import SCHEDULE, TIMER, read, schedule_of

if TYPE_CHECKING:
    from tuppence_azure.scheduler import TimerScheduler

_OPERATION: Final = "scheduler.findings"


def findings(scheduler: TimerScheduler, deadline: Deadline) -> Iterator[Finding]:
    """Look for timers that do not fire as their schedules say."""

    def changed(deadline: Deadline) -> Iterator[Finding]:
        for part in PARTS:
            settings = scheduler.settings(part, _OPERATION, deadline)
            for setting, text in settings.items():
                schedule = read(text) if setting.startswith(SCHEDULE) else None
                if schedule is None:
                    continue
                timer = TIMER + setting.removeprefix(SCHEDULE)
                if settings.get(timer) != scheduler.told(schedule, _OPERATION)[timer]:
                    words = f"the timer of the schedule {schedule_of(timer)} is not what the schedule says"
                    yield wrong(words, "`tuppence deploy` sets it.")

    return looked(deadline, where(scheduler.management, _OPERATION), changed)
