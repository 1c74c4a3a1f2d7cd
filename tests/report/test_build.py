from datetime import UTC, datetime, timedelta

import pytest

from tuppence import report
from tuppence.clock import Deadline
from tuppence.config import load
from tuppence.drivers import Context, Record
from tuppence.local.store import LocalStore
from tuppence.meter import UnitMeter
from tuppence.pipeline import dead, layout, records
from tuppence.pipeline.intake import Reason, Unusable
from tuppence.pipeline.texts import Texts
from tuppence.report.claims import Claim, take
from tuppence.store import Store
from tuppence.testing.clock import ManualClock


@pytest.fixture
def clock():
    return ManualClock(datetime(2026, 11, 16, 7, tzinfo=UTC))


@pytest.fixture
def store(tmp_path, clock):
    context = Context(project="mybot", meter=UnitMeter(), clock=clock)
    driver = LocalStore(LocalStore.Options(path=str(tmp_path / "events.db")), context)
    yield Store(driver, clock)
    driver.close()


@pytest.fixture
def config(tmp_path):
    return load(environ={}, folder=tmp_path, project="mybot", timezone="Europe/London", provider="local")


@pytest.fixture
def keep(store, clock):
    """Put a log into the store as the seal leaves it."""
    deadline = Deadline.after(60, clock)

    def keep(log):
        for day, rollup in log.days().items():
            late = {records.LATE: "2"} if day == log.week.monday else {}
            body = records.pack_rollup(rollup)
            record = Record(key=layout.day("mybot", day), body=body, attributes=late)
            store.put(record, deadline=deadline)
        for week in (log.week.previous, log.week):
            texts = Texts(days={f"{week.monday}": log.texts(week)}, left_out={f"{week.monday}": 1})
            key = layout.texts("mybot", f"{week.monday:%Y%m%d}09")
            store.put(Record(key=key, body=records.pack_texts(texts)), deadline=deadline)

    return keep


def test_a_report_built_from_the_store_is_the_one_its_facts_make(log, keep, store, config, clock):
    log.ask("Where is my parcel?", times=30, at="2026-11-09T10", users="p", ms=300)
    log.ask("Where is my parcel?", times=20, at="2026-11-03T10", users="p", ms=300)
    keep(log)

    built = report.build(store, config, log.week, clock)

    assert built == log.report(late=2, texts_left_out=1)
    assert built.next.send == "2026-11-23T07:00:00+00:00"
    assert built.next.week == "2026-W47"


def test_what_waits_and_what_failed_is_told(log, keep, store, config, clock):
    log.ask("x", at="2026-11-09T10")
    keep(log)
    deadline = Deadline.after(60, clock)
    problem = Unusable(Reason.BAD_BATCH, "cut short")
    for body, received in ((b"1", clock.now() - timedelta(days=2)), (b"2", clock.now())):
        letter = dead.record_of("mybot", body, problem, events=7, retention=config.retention, now=received)
        store.put(letter, deadline=deadline)
    store.put(records.marker(layout.dirty_hour("mybot", "2026111607")), deadline=deadline)
    take(
        store,
        "mybot",
        Claim(week="2026-W45", recipient="r", at=clock.now() - timedelta(days=7)),
        deadline=deadline,
    )

    health = report.build(store, config, log.week, clock).health

    assert (health.dead_letters, health.rejected) == (2, 7)
    assert health.waiting_hours == 1
    assert health.late == 2
    assert health.unconfirmed == ["2026-W45"]


def test_an_empty_store_makes_a_report_that_says_so(log, store, config, clock):
    built = report.build(store, config, log.week, clock)

    assert built.kind == "empty"
    assert "No events have arrived yet." in report.render_text(built)
    assert "tuppence doctor" in report.render_html(built)


def test_building_twice_gives_the_same_bytes(log, keep, store, config, clock):
    log.ask("Where is my parcel?", times=30, users="p", ms=300)
    log.ask("Do you ship to Cork?", "no_match", times=9, users="c", cause="no_source")
    keep(log)

    first, second = (report.build(store, config, log.week, clock) for _ in range(2))

    for render in (report.render_html, report.render_text, report.render_json, report.subject):
        assert render(first) == render(second)
