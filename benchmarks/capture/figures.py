"""What is kept of the runs of one client in one mode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from statistics import median


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One run; or several, by their medians, and what went wrong by the worst.

    Attributes:
        p50, p99, max: of the time a call took its caller, in µs.
        cpu: CPU time of the process from capture to delivered, in µs for each event delivered.
        requests: for each thousand events delivered.
        bytes: for each event delivered.
        start: from before the import to the return of the first call, in ms; where that is measured.
        memory: added since before the import, in MB, once all was closed.
        peak: the most that was ever added.
        close: how long the documented end took, in ms.
        captured: calls made.
        later: events that arrived only once a successor had run.
        lost: events that never arrived.
        copies: events that arrived again.
        doubled: of those, the ones that no backend could have told by an id.

    """

    p50: float
    p99: float
    max: float
    cpu: float
    requests: float
    bytes: float
    start: float
    memory: float
    peak: float
    close: float
    captured: int
    later: int
    lost: int
    copies: int
    doubled: int


_WORST = ("later", "lost", "copies", "doubled")


def together(runs: Sequence[Figures]) -> Figures:
    """Return several runs as one."""
    told = {field.name: [getattr(run, field.name) for run in runs] for field in fields(Figures)}
    return Figures(
        **{name: max(seen) if name in _WORST else round(median(seen), 3) for name, seen in told.items()}
    )
