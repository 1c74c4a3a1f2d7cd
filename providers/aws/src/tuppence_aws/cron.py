"""Cron lines of five fields in the six of EventBridge Scheduler.

Its dialect (https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html, read November 2026)
differs: there is a field for the year, one of the two day fields must be `?`, and weekdays count from Sunday,
which is 1. So fields are taken apart and written anew: as `*`, one value, one range, a first value and a step
up to the end, or else a list of values. How it takes these put together is not documented.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tuppence.schedule import values

LONGEST: Final = 256
"""Letters in a schedule's expression (API reference of CreateSchedule, read November 2026)."""
_LIST: Final = 2
"""Values of which a list is shorter than a range or a step."""


def to_aws(line: str) -> str:
    """Return a portable line, as `tuppence.schedule.check_cron` lets it through, in AWS's dialect."""
    minutes, hours, days, months, weekdays = values(line)
    daily = line.endswith("*")
    fields = [
        _written(minutes, range(60)),
        _written(hours, range(24)),
        _written(days, range(1, 32)) if daily else "?",
        _written(months, range(1, 13)),
        "?" if daily else _written([day + 1 for day in weekdays], range(1, 8)),
        "*",
    ]
    return f"cron({' '.join(fields)})"


def _written(chosen: Sequence[int], span: range) -> str:
    first, last = chosen[0], chosen[-1]
    if len(chosen) == len(span):
        return "*"
    if len(chosen) > _LIST:
        if last - first == len(chosen) - 1:
            return f"{first}-{last}"
        step = chosen[1] - first
        if list(chosen) == list(span[first - span.start :: step]):
            return f"{first}/{step}"
    return ",".join(map(str, chosen))
