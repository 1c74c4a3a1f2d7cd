"""The time zone that days are cut by, kept in the store, and which of several configured ones it is.

Every process that seals is configured with a time zone. While a new configuration is being rolled out, or
where two machines are configured differently, those zones differ. The record in the store decides, so that
sealers never undo each other's work: a zone that nobody was configured with before replaces the one in force,
and one that was replaced comes back only when no one has been configured with the other for `SEEN_FOR`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import msgspec

from tuppence.clock import Clock, Deadline
from tuppence.drivers import Record
from tuppence.errors import TuppenceError
from tuppence.pipeline import layout
from tuppence.store import Store

VERSION: Final = 1
SEEN_FOR: Final = timedelta(hours=6)
"""How long a zone counts as configured somewhere after a process configured with it last sealed. Sealing runs
once an hour; no run lasts as long as this."""
REFRESH_INTERVAL: Final = timedelta(hours=1)
"""How often a process writes down that it is still configured with its zone, while others are not."""


class DayZone(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The zone that days are cut by.

    Attributes:
        version: of this form.
        zone: the IANA name.
        changed_at: when it replaced another one; `None` if it never did.
        previous: other zones by which hours in the store may have been counted, the newest first.
        seen: when a process configured with a zone last sealed; empty unless there are several zones.
        scan_from: the UTC hour from which rollups still have to be searched for hours counted in another
            zone, `""` for the first; `None` when all have been searched.

    """

    version: int = VERSION
    zone: str
    changed_at: datetime | None = None
    previous: list[str] = []
    seen: dict[str, datetime] = {}
    scan_from: str | None = None


def read_day_zone(store: Store, project: str, *, deadline: Deadline) -> DayZone | None:
    """Return what the store says, or `None` if nothing has been sealed yet. Raises as `update_day_zone`."""
    return _decode(store.get(layout.state(project, layout.DAY_ZONE), deadline=deadline))


def choose_day_zone(
    store: Store, project: str, configured: str, *, clock: Clock, deadline: Deadline
) -> DayZone:
    """Return the zone to cut days by, for a process that is about to seal and is configured with a zone."""
    return update_day_zone(
        store, project, lambda known: next_day_zone(known, configured, clock.now()), deadline=deadline
    )


def update_day_zone(
    store: Store, project: str, change: Callable[[DayZone | None], DayZone], *, deadline: Deadline
) -> DayZone:
    """Replace what the store says by what `change` makes of it, and return that.

    Raises:
        DriverError: the store cannot be used.
        TuppenceError: the record is damaged, or of a newer release.

    """
    key = layout.state(project, layout.DAY_ZONE)
    made: list[DayZone] = []

    def replace(record: Record | None) -> Record | None:
        known = _decode(record)
        made.append(change(known))
        return None if made[-1] == known else Record(key=key, body=msgspec.json.encode(made[-1]))

    store.update(key, replace, deadline=deadline)
    return made[-1]


def next_day_zone(known: DayZone | None, configured: str, now: datetime) -> DayZone:
    """Return the record after a process configured with this zone has come to seal."""
    if known is None:
        return DayZone(zone=configured, scan_from="")
    seen = {zone: at for zone, at in known.seen.items() if now - at < SEEN_FOR}
    in_force = known.zone in seen or not known.seen
    if configured != known.zone and (configured not in seen or not in_force):
        return _changed(known, configured, seen, now)
    if not known.seen:
        return known
    if set(seen) <= {known.zone}:
        # Runs that began before the change and sealed by the other zone are over: what they left is found.
        return msgspec.structs.replace(known, seen={}, scan_from="")
    if configured not in seen or now - seen[configured] >= REFRESH_INTERVAL:
        seen[configured] = now
    return msgspec.structs.replace(known, seen=seen)


def _changed(known: DayZone, configured: str, seen: dict[str, datetime], now: datetime) -> DayZone:
    """Return the record after another zone has come into force."""
    if not known.seen:
        seen = {known.zone: now}  # whoever is configured with it may have sealed just now
    return DayZone(
        zone=configured,
        changed_at=now,
        previous=[known.zone, *(zone for zone in known.previous if zone not in {known.zone, configured})],
        seen={**seen, configured: now},
        scan_from="",
    )


def _decode(record: Record | None) -> DayZone | None:
    if record is None:
        return None
    try:
        found = msgspec.json.decode(record.body, type=DayZone)
    except msgspec.MsgspecError:
        raise TuppenceError(
            f"the record {record.key.partition}/{record.key.sort} cannot be read; delete it, and the next "
            f"`tuppence seal` makes it again"
        ) from None
    if found.version > VERSION:
        raise TuppenceError(
            f"the record {record.key.partition}/{record.key.sort} is of a newer tuppence; upgrade this one"
        )
    return found
