"""The rollups of seven days as the numbers of one week."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from tuppence.event import Outcome
from tuppence.pipeline.rollup import Cell, Rollup, Seen, merge_cells, merge_instances
from tuppence.pipeline.sketch import IdSet, total
from tuppence.report.document import WorstHour
from tuppence.report.period import Week

FAILURES: Final = (Outcome.ERROR, Outcome.TIMEOUT)
_HOUR: Final = len("2026-11-16T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """What the rollups say of one week.

    Attributes:
        total: all hours as one.
        questions, events: by weekday, Monday first, and hour of the owner's clock.
        active: the hours, as `2026-11-16T09`, that hold events, in order.
        worst: the hour with the most errors and timeouts.
        instances: what arrived of each capturing run.

    """

    week: Week
    total: Cell
    questions: list[list[int]]
    events: list[list[int]]
    active: list[str]
    worst: WorstHour | None
    instances: dict[str, Seen]
    untraced: int
    duplicates: int
    contradicted: int
    conflicting: int
    unreadable: int


def sum_week(week: Week, days: Mapping[date, Rollup]) -> Numbers:
    """Return the numbers of `week` from the rollups of its days; other days are passed over."""
    rollups = {day: days[day] for day in week.days if day in days}
    cells = _cells(week, rollups)
    return Numbers(
        week=week,
        total=merge_cells(rollup.whole for rollup in rollups.values()),
        questions=_grid(week, {hour: cell.questions for hour, cell in cells.items()}),
        events=_grid(week, {hour: cell.events for hour, cell in cells.items()}),
        active=sorted(hour for hour, cell in cells.items() if cell.events),
        worst=_worst(cells),
        instances=merge_instances(rollup.instances for rollup in rollups.values()),
        untraced=total(rollup.untraced for rollup in rollups.values()),
        duplicates=total(rollup.duplicates for rollup in rollups.values()),
        contradicted=total(rollup.contradicted for rollup in rollups.values()),
        conflicting=_conflicting(rollups),
        unreadable=total(rollup.unreadable for rollup in rollups.values()),
    )


def _cells(week: Week, rollups: Mapping[date, Rollup]) -> dict[str, Cell]:
    """Return the week's cells by hour; an hour cut in two by its zone comes in two rollups of the day."""
    wanted = {f"{day:%Y-%m-%d}" for day in week.days}
    found: dict[str, list[Cell]] = {}
    for rollup in rollups.values():
        for hour, cell in rollup.cells.items():
            if hour[: _HOUR - 1] in wanted:
                found.setdefault(hour, []).append(cell)
    return {hour: cells[0] if len(cells) == 1 else merge_cells(cells) for hour, cells in found.items()}


def _grid(week: Week, counts: Mapping[str, int]) -> list[list[int]]:
    return [[counts.get(f"{day:%Y-%m-%d}T{hour:02}", 0) for hour in range(24)] for day in week.days]


def _worst(cells: Mapping[str, Cell]) -> WorstHour | None:
    failed = {hour: sum(cell.outcomes.get(name, 0) for name in FAILURES) for hour, cell in cells.items()}
    hour = min(failed, key=lambda hour: (-failed[hour], hour), default="")
    if not failed.get(hour):
        return None
    return WorstHour(hour=hour, failed=failed[hour], questions=cells[hour].questions)


def _conflicting(rollups: Mapping[date, Rollup]) -> int:
    """Return how many events from outside carry an id that another one carries, at another time."""
    ids = IdSet.merged(rollup.ids for rollup in rollups.values())
    if ids.exact:
        return sum(rollup.identified for rollup in rollups.values()) - ids.count()
    return sum(rollup.conflicting for rollup in rollups.values())
