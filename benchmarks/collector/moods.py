"""The ways a backend behaves, one at a time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Mood(StrEnum):
    """How requests are met."""

    HEALTHY = "healthy"
    REFUSING = "refusing"  # nobody listens
    FAILING = "failing"  # 500, and nothing is taken
    THROTTLING = "throttling"  # 429, and nothing is taken
    HANGING = "hanging"  # read, and never answered
    RESETTING = "resetting"  # read, and the connection is reset
    LOSING = "losing"  # taken, and the connection is reset before the answer


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came. `size` counts its headers too, where there are any."""

    path: str
    headers: dict[str, str]
    body: bytes
    size: int
