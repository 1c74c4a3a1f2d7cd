"""What `tuppence doctor` says of the time zone: by which one days are cut, and what another one has left."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from tuppence.cli.output import count
from tuppence.clock import Deadline
from tuppence.findings import Finding, note, ok
from tuppence.pipeline.day_zone import SEEN_FOR, read_day_zone
from tuppence.pipeline.reader import read_days, recount_hours
from tuppence.runtime import Runtime

PATIENCE: Final = timedelta(seconds=30)
"""How long the look may take."""
DAYS: Final = 62
"""Days that are looked at: for so long there are hours that may be counted again."""
PART: Final = "time zone"


def days(runtime: Runtime) -> Iterator[Finding]:
    """Look at the zone that days are cut by, if it was ever changed or is not the one configured."""
    deadline = Deadline.after(PATIENCE, runtime.clock)
    store, config = runtime.store, runtime.config
    known = read_day_zone(store, config.project, deadline=deadline)
    if known is None or (known.changed_at is None and known.zone == config.timezone):
        return
    if known.zone != config.timezone and known.zone in known.seen:
        hours = SEEN_FOR // timedelta(hours=1)
        yield note(
            f"days are cut by {known.zone}, which another process is configured with or was until recently",
            f"{config.timezone} takes over {hours} hours after the last seal by a process with {known.zone}.",
            part=PART,
        )
        return
    if known.zone != config.timezone:
        yield note(
            f"days are cut by {known.zone} until something is sealed by {config.timezone}",
            "`tuppence seal` does it now.",
            part=PART,
        )
        return
    waiting = recount_hours(store, config.project, deadline=deadline)
    if waiting or known.scan_from is not None:
        left = f"{count(len(waiting), 'hour')} still to be" if waiting else "hours of another zone are being"
        yield note(f"{left} counted again by {known.zone}", "`tuppence seal` does it now.", part=PART)
        return
    today = runtime.clock.now().astimezone(ZoneInfo(known.zone)).date()
    rollups = read_days(
        store, config.project, today - timedelta(days=DAYS), today, deadline=deadline
    ).rollups.values()
    others = [{one.zone, *one.other_zones} - {known.zone} for one in rollups if one.parts]
    if any(others):
        names = ", ".join(sorted(set().union(*others)))
        yield note(
            f"{count(sum(map(bool, others)), 'day')} of the last {DAYS} stay counted by {names}: "
            f"the events it would take have expired",
            "Nothing has to be done; reports name the clock.",
            part=PART,
        )
    else:
        yield ok(f"everything is counted by {known.zone}", part=PART)
