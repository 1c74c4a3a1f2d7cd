"""The unit meter: what the month's bill would be made of, counted where it arises."""

from __future__ import annotations


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
