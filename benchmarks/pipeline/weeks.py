"""A report on the last of eight weeks of traffic: CPU seconds, memory, and what it reads.

Two weeks are counted hour by hour, by the code of the seal; all events are questions, which cost the
report the most. Of the six before only the days are read, and they are made of those two.
"""

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from tuppence import report
from tuppence.clock import Clock, Deadline, SystemClock
from tuppence.config import load
from tuppence.drivers import Context, Key, Record
from tuppence.event import QUESTION, milliseconds
from tuppence.local.database import FileOptions
from tuppence.local.store import LocalStore
from tuppence.meter import UnitMeter
from tuppence.pipeline import layout
from tuppence.pipeline.asked import Asked
from tuppence.pipeline.cells import CellTally
from tuppence.pipeline.records import pack_rollup, pack_texts
from tuppence.pipeline.rollup import Rollup, Seen, merge_day
from tuppence.pipeline.rows import Rows
from tuppence.pipeline.texts import Texts
from tuppence.pipeline.visitors import Hashes
from tuppence.report.facts import WEEKS
from tuppence.report.period import Week
from tuppence.store import Store

from .hours import peak
from .traffic import Traffic

PROJECT = "bench"
ZONE = ZoneInfo("UTC")
PATIENCE = 3_600


def make(path: Path, a_month: int) -> dict[str, float]:
    """Write the rollups and texts of eight weeks, the last of them the one before this."""
    clock = SystemClock()
    store, week = _store(path, clock), Week.last(clock.now(), ZONE)
    traffic, hashes = Traffic(a_month), Hashes(bytes(32))
    for at in (week, week.previous):
        for day in at.days:
            hours = dict(_hours(store, traffic, hashes, day))
            _keep_day(store, day, hours)
            for weeks in range(2, WEEKS, 2):
                _keep_day(store, day - timedelta(weeks=weeks), hours)
    store.close()
    return {}


def measured(path: Path, _: int) -> dict[str, float]:
    """Build and render the report; return CPU seconds, and the most memory this process ever held."""
    clock = SystemClock()
    store, week = _store(path, clock), Week.last(clock.now(), ZONE)
    config = load(environ={}, folder=path.parent, project=PROJECT, timezone=ZONE.key, provider="local")
    before = time.process_time()
    made = report.build(store, config, week, clock, deadline=Deadline.after(PATIENCE, clock))
    report.render_html(made), report.render_text(made), report.render_json(made)
    spent = time.process_time() - before
    read = sum(_size(store, week, kind) for kind in ("days", "texts"))
    store.close()
    return {"report": spent, "memory": peak(), "read": read, "questions": made.totals.questions}


def _hours(store: Store, traffic: Traffic, hashes: Hashes, day: date) -> Iterable[tuple[str, Rollup]]:
    """Count a day's hours, and keep their texts."""
    for number in range(24):
        hour = f"{day:%Y%m%d}{number:02}"
        start = datetime(day.year, day.month, day.day, number, tzinfo=ZONE)
        hashes.trim()
        columns = traffic.columns(milliseconds(start))
        cell, asked = CellTally(hashes), Asked()
        cell.add(columns, Counter(columns.type))
        outcomes, causes = columns.data["outcome"], [None] * len(columns.time)
        cell.add_questions(Rows(columns, QUESTION, len(columns.time)), outcomes, causes)
        asked.add(columns.data["text"], outcomes, causes, hashes.users.of(columns.user))
        texts, left_out = asked.texts()
        kept = Texts(days={f"{day}": texts}, left_out={f"{day}": left_out})
        _put(store, layout.texts(PROJECT, hour), pack_texts(kept))
        first = number * traffic.an_hour + 1
        seen = Seen(received=[[first, first + traffic.an_hour - 1]], captured=first + traffic.an_hour - 1)
        yield (
            hour,
            Rollup(
                zone=ZONE.key,
                parts=[hour],
                cells={f"{start:%Y-%m-%dT%H}": cell.cell()},
                instances={f"{day}": seen},
            ),
        )


def _keep_day(store: Store, day: date, hours: Mapping[str, Rollup]) -> None:
    """Keep these hours as those of a day, whatever day they were of."""
    moved = {}
    for hour, rollup in hours.items():
        [cell] = rollup.cells.values()
        moved[f"{day:%Y%m%d}{hour[-2:]}"] = Rollup(
            zone=rollup.zone, parts=[], cells={f"{day}T{hour[-2:]}": cell}, instances=rollup.instances
        )
    _put(store, layout.day(PROJECT, day), pack_rollup(merge_day(day, ZONE.key, moved)))


def _put(store: Store, key: Key, body: bytes) -> None:
    store.put(Record(key=key, body=body), deadline=Deadline.after(PATIENCE))


def _size(store: Store, week: Week, kind: str) -> int:
    years = {
        f"{day:%Y}" if kind == "days" else f"{day:%Y%m}" for w in range(WEEKS) for day in week.ago(w).days
    }
    deadline = Deadline.after(PATIENCE)
    return sum(
        len(one.body) for at in years for one in store.query(f"{PROJECT}.{kind}.{at}", deadline=deadline)
    )


def _store(path: Path, clock: Clock) -> Store:
    context = Context(project=PROJECT, meter=UnitMeter(), clock=clock)
    return Store(LocalStore(FileOptions(str(path)), context), clock)
