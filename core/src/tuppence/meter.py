"""The unit meter: what the month's bill would be made of, counted where it arises."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from tuppence.clock import Clock, Deadline
    from tuppence.drivers import Record
    from tuppence.store import Store


class UnitMeter:
    """Counts billable units by name."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def count(self, unit: str, amount: int = 1) -> None:
        """Add `amount` of `unit`."""
        self._counts[unit] = self._counts.get(unit, 0) + amount

    def take(self) -> dict[str, int]:
        """Return what was counted since the last take, and start anew."""
        taken, self._counts = self._counts, {}
        return taken

    def save(self, store: Store, project: str, *, clock: Clock, component: str, deadline: Deadline) -> None:
        """Add what was counted to this month's record of a component, such as `drain`.

        What the saving itself uses is counted for the next time. On failure nothing is forgotten; where the
        store's answer to the write was lost, units may be counted twice, never missed.
        """
        from tuppence.drivers import Record
        from tuppence.pipeline import layout

        taken = self.take()
        if not taken:
            return
        key = layout.meter(project, f"{clock.now():%Y%m}", component)

        def added(current: Record | None) -> Record:
            total = _units(current) if current is not None else {}
            for unit, amount in taken.items():
                total[unit] = total.get(unit, 0) + amount
            body = msgspec.json.encode(total, order="deterministic")
            return replace(current or Record(key=key, body=b""), body=body)

        try:
            store.update(key, added, deadline=deadline)
        except BaseException:
            for unit, amount in taken.items():
                self.count(unit, amount)
            raise


def read_month(store: Store, project: str, month: str, *, deadline: Deadline) -> dict[str, int]:
    """Return the units of a month (`202611`), of all components together."""
    from tuppence.pipeline import layout

    total: dict[str, int] = {}
    for record in store.query(layout.meter(project, month, "").partition, deadline=deadline):
        for unit, amount in _units(record).items():
            total[unit] = total.get(unit, 0) + amount
    return total


def _units(record: Record) -> dict[str, int]:
    return msgspec.json.decode(record.body, type=dict[str, int])
