"""Finding the hours that were counted by another time zone than the owner's.

Done when the zone changes, and once more when no process can be sealing by the old one any longer. The marker
of such an hour is what the seal works through, over as many runs as it takes.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from msgspec.structs import replace

from tuppence.clock import Clock, Deadline
from tuppence.config import Retention
from tuppence.pipeline import layout, records
from tuppence.pipeline.day_zone import DayZone, update_day_zone
from tuppence.pipeline.reader import hours_in_other_zones
from tuppence.store import Store

AHEAD: Final = timedelta(days=2)
"""How far events may lie in the future and still be found."""
SHARE: Final = 0.5
"""Of the time there is, how much the search may take."""


def mark_other_zones(
    store: Store, project: str, known: DayZone, *, retention: Retention, clock: Clock, deadline: Deadline
) -> DayZone:
    """Write a marker for each hour that was counted in another zone; return the record as it is then.

    Raises:
        DriverError: the store cannot be used.
        TuppenceError: the record of the zone cannot be read.

    """
    start = known.scan_from
    if start is None:
        return known
    now = clock.now()
    found, following = hours_in_other_zones(
        store,
        project,
        known.zone,
        start or f"{now - retention.rollups:%Y%m%d%H}",
        f"{now + AHEAD:%Y%m%d%H}",
        reserve_s=deadline.remaining() * (1 - SHARE),
        deadline=deadline,
    )
    previous = [*known.previous, *sorted({*found.values()} - {*known.previous})]
    markers = [records.marker(layout.other_zone(project, hour)) for hour in found]
    errors = store.put_many(markers, deadline=deadline)
    if errors:
        raise errors[0].error

    def searched(latest: DayZone | None) -> DayZone:
        if latest is None or (latest.zone, latest.scan_from) != (known.zone, start):
            return latest or known  # another process has gone on, or the zone has changed again
        return replace(latest, previous=previous, scan_from=following)

    update_day_zone(store, project, searched, deadline=deadline)
    return replace(known, previous=previous, scan_from=following)
