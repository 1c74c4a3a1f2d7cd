"""Composes the mail's view: every word of it, in reading order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from tuppence.report.csv import attached
from tuppence.report.declines import declines
from tuppence.report.document import Report
from tuppence.report.pipeline_state import alarms, unfinished
from tuppence.report.scoreboard import heroes, ledger
from tuppence.report.sections import sections
from tuppence.report.verdict import subject
from tuppence.report.view import WHOLE, Room, Todo, View
from tuppence.report.words import counted, days_of, joined, moment, offset, unbroken


def compose(report: Report, room: Room = WHOLE) -> View:
    """Return what the mail says, its lists cut to `room`."""
    start = datetime.fromisoformat(report.period.start)
    last_day = (datetime.fromisoformat(report.period.end) - timedelta(hours=1)).date()
    counts = report.totals.events > 0
    return View(
        subject=subject(report),
        preheader=" ".join(report.verdict[1:]),
        project=report.project,
        title=f"Week {int(report.period.week[-2:])}{'' if report.period.complete else ', unfinished'}",
        days=days_of(start.date(), last_day),
        alarm=report.kind in {"silent", "empty"} or bool(alarms(report) or declines(report)),
        verdict=tuple(map(unbroken, report.verdict)),
        heroes=heroes(report) if counts else (),
        ledger=ledger(report) if counts else (),
        legend=_legend(report) if counts else "",
        todos=tuple(
            Todo(title=one.title, why=unbroken(one.why), command=one.command) for one in report.actions
        ),
        sections=sections(report, room),
        footer=tuple(_footer(report)),
    )


def _legend(report: Report) -> str:
    """Return what the figures are compared with."""
    if not report.period.complete:
        return "A week that is not over is compared with nothing."
    if report.before is None:
        return "There is no week before to compare with."
    if report.before.partial:
        return "Compared with the week before, which was not a full one."
    return f"Compared with the week before; the bars are the last {len(report.trend)} weeks."


def _footer(report: Report) -> Iterator[str]:
    period = report.period
    start, end = datetime.fromisoformat(period.start), datetime.fromisoformat(period.end)
    yield (
        f"{period.week}: from {moment(start)} ({offset(start)}) up to {moment(end)} ({offset(end)}), "
        f"{period.zone}."
    )
    if not report.period.complete:
        yield unfinished(report)
    if report.overdue:
        yield "This mail is late: it could not be sent when it was due."
    files = [f"{one.name} ({one.title}, {counted(one.rows, 'row')})" for one in attached(report)]
    if files:
        yield f"Attached to the mail: {joined(files)}."
    send = datetime.fromisoformat(report.next.send)
    yield f"The next mail is due on {moment(send)} ({offset(send)}) and will be about {report.next.week}."
    yield (
        f"Questions are kept for {counted(report.kept.events, 'day')}, numbers for "
        f"{counted(report.kept.rollups, 'day')}. People are counted by keyed hashes, never by name."
    )
    yield f"Made by tuppence {report.program} from data in your own account."
