"""Events by the hour they belong to: a batch holds those of one."""

from __future__ import annotations

from typing import Final

from tuppence.event import Event

HOUR_MS: Final = 3_600_000


def by_hour(rows: list[Event]) -> dict[int, list[Event]]:
    """Return events by their UTC hour, counted from 1970. Mostly they are all of one."""
    times = [row.time for row in rows]
    if rows and min(times) // HOUR_MS == max(times) // HOUR_MS:
        return {times[0] // HOUR_MS: rows}
    hours: dict[int, list[Event]] = {}
    for row in rows:
        hours.setdefault(row.time // HOUR_MS, []).append(row)
    return hours
