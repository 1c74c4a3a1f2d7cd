"""Capacity: the units a second that a table was given, and what a driver has used of them.

A table keeps for five minutes what was not used, and a driver counts on that: it uses units as fast as it can
until five minutes' worth are gone, and from then on as fast as they come. A call for which there are none is
not made: it is THROTTLED, and the error says for how long. What others use of the table nobody tells, so a
driver whose call the service throttles takes it that nothing is kept any more.
"""

from __future__ import annotations

import math
from typing import Final

from tuppence.clock import Clock

KEPT: Final = 300.0
"""Seconds for which unused units are kept (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/
burst-adaptive-capacity.html, read November 2026)."""
TICK: Final = 0.001
"""Seconds that are nothing: what may be left of a wait that has ended."""
SHORTEST: Final = 1.0
"""Seconds after a throttled call, at least: capacity is given by the second."""


class Capacity:
    """The read or the write units of a table.

    Args:
        rate: units a second; 0 where the table is paid on demand and nothing need be spared.
        clock: what they come by.

    """

    def __init__(self, rate: int, clock: Clock) -> None:
        self._rate = rate
        self._clock = clock
        self._paid = -math.inf  # when all that was used will have come in, on the monotonic clock

    def wait(self) -> float:
        """Return the seconds until something may be used, usually 0."""
        left = self._paid - KEPT - self._clock.monotonic()
        return left if self._rate and left > TICK else 0.0

    def use(self, units: float) -> None:
        """Note what a call has used."""
        if self._rate:
            self._paid = max(self._paid, self._clock.monotonic()) + units / self._rate

    def exhaust(self) -> None:
        """Note that the service has throttled: nothing is left but what comes."""
        self._paid = max(self._paid, self._clock.monotonic() + KEPT)

    def seconds_for(self, units: float) -> float | None:
        """Return how long it takes until so many units have come, for a call that was throttled."""
        return max(SHORTEST, units / self._rate) if self._rate else None
