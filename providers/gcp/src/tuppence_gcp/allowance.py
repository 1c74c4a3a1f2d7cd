"""What purging may delete: no more in a day than costs nothing, spread over its hours.

Firestore gives 20,000 deletes a day (https://cloud.google.com/firestore/quotas, read November 2026). Purging
follows each hourly sealing, which deletes a marker or two itself. What is counted is what this process has
deleted; a second one in the same hour has an allowance of its own.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from tuppence.clock import Clock

FREE: Final = 19_200
"""Of the free 20,000, what is purging's; the rest is for the markers of hours and for what people delete."""
HOURS: Final = 24


class Allowance:
    """Of each hour, what may still be deleted.

    Args:
        daily: documents a day; 0 sets no bound.
        clock: what hours go by.

    """

    def __init__(self, daily: int, clock: Clock) -> None:
        self._hourly = -(-daily // HOURS)
        self._clock = clock
        self._hour: datetime | None = None
        self._used = 0

    def of(self, wanted: int) -> int:
        """Return how many of as many may be deleted now."""
        if not self._hourly:
            return wanted
        hour = self._clock.now().replace(minute=0, second=0, microsecond=0)
        if hour != self._hour:
            self._hour, self._used = hour, 0
        return min(wanted, self._hourly - self._used)

    def use(self, amount: int) -> None:
        """Take down what was asked for. A deletion that its condition stopped may be billed too."""
        self._used += amount
