"""Retention: deletes what has expired, where the store does not do so by itself."""

from __future__ import annotations

from typing import Final

from tuppence.clock import Clock, Deadline
from tuppence.drivers import Feature
from tuppence.store import Store

SLICE: Final = 1_000
"""Records deleted in one call: short enough that others get in between."""
RESERVE: Final = 2.0
"""Seconds kept for the slice that has been begun."""


def purge(store: Store, *, clock: Clock, deadline: Deadline) -> int:
    """Delete what has expired until nothing is left or the deadline is near; return how many records.

    No read returns an expired record, deleted or not; this frees the space. A store that deletes by itself
    has nothing to do here.
    """
    if Feature.NATIVE_TTL in store.driver.features:
        return 0
    before = clock.now()
    reserve = min(RESERVE, deadline.remaining() / 4)
    purged = 0
    while deadline.remaining() > reserve:
        gone = store.purge(before=before, limit=SLICE, deadline=deadline)
        purged += gone
        if gone == 0:
            break
    return purged
