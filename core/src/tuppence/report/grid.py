"""When: hours by weekdays, shaded."""

from __future__ import annotations

from itertools import groupby
from math import ceil
from typing import Final

from tuppence.report.document import Report
from tuppence.report.view import Grid, GridRow
from tuppence.report.words import DASH, DAYS, compact, counted

SHADES: Final = 5


def grid(report: Report) -> Grid:
    """Return the week's grid, hours in which nothing ever happened drawn together."""
    most = max(max(day) for day in report.by_hour)
    rows = [[day[hour] for day in report.by_hour] for hour in range(24)]
    runs = [list(run) for _, run in groupby(range(24), key=lambda hour: hour if any(rows[hour]) else -1)]
    return Grid(
        caption=f"{report.by_hour_of.capitalize()} by hour and weekday",
        columns=DAYS,
        rows=(*(_row(run, rows[run[0]], most) for run in runs), _totals(report)),
    )


def busiest(report: Report) -> str:
    """Return the busiest hour as a sentence."""
    cells = [(count, -day, -hour) for day, row in enumerate(report.by_hour) for hour, count in enumerate(row)]
    count, day, hour = max(cells)
    thing = report.by_hour_of.removesuffix("s")
    return (
        f"The busiest hour was {DAYS[-day]} from {-hour:02}:00 to {-hour + 1:02}:00, "
        f"with {counted(count, thing)}."
    )


def _row(hours: list[int], counts: list[int], most: int) -> GridRow:
    label = f"{hours[0]:02}" if len(hours) == 1 else f"{hours[0]:02}{DASH}{hours[-1]:02}"
    return GridRow(
        label=label,
        cells=tuple((compact(count), ceil(SHADES * count / most) if most else 0) for count in counts),
        total=compact(sum(counts)),
    )


def _totals(report: Report) -> GridRow:
    days = [sum(day) for day in report.by_hour]
    return GridRow(label="Day", cells=tuple((compact(count), 0) for count in days), total=compact(sum(days)))
