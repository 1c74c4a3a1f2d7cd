"""How long what has expired lies there, and what finding it costs, seen with Microsoft's own client."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from azure.drivers import driver_of
from azure.queues import queue_at
from azure.tables import table_at
from tuppence import functions
from tuppence.batch import Header, pack
from tuppence.clock import Deadline
from tuppence.config import load
from tuppence.drivers import Key, Message, Record, Run
from tuppence.event import Event, hour_of, milliseconds
from tuppence.pipeline.reader import read_days
from tuppence.runtime import Runtime
from tuppence.testing import ManualClock
from tuppence_azure.expiry import GRACE, HOUR, NOTES
from tuppence_azure.store import TableStore

DAY = timedelta(days=1)
YEAR = 365
EVENTS = 10
KEPT, NUMBERS = 14, 60
"""Days that events and rollups are kept."""
EVERY = 4
"""Days from one purge to the next: a machine that is off for most of the time."""


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def client(connection_string, project):
    with table_at(connection_string, f"tuppence{project}") as client:
        yield client


@pytest.fixture
def store(client, account, project, clock):
    with driver_of(TableStore, project, clock, connection_string=account) as store:
        yield store


@pytest.fixture
def soon(clock):
    return lambda: Deadline.after(30, clock)


def records(partition, count, **more):
    return [Record(key=Key(partition=partition, sort=f"{n:03}"), body=b"x", **more) for n in range(count)]


def operations(store):
    return store.context.meter.take().get("tables.operations", 0)


def ends(client):
    """Return the second from which on each entity has expired, of all that have one."""
    found = client.query_entities("e gt 0", select=["PartitionKey", "e"])
    return [entity["e"].value for entity in found]


def notes(client):
    return [entity["RowKey"] for entity in client.query_entities(f"PartitionKey eq '{NOTES}'")]


def captured(project, clock, chance):
    """Return what a host sends in a day."""
    begin = milliseconds(clock.now() - timedelta(hours=2))
    header = Header(
        project=project,
        hour=hour_of(begin),
        count=EVENTS,
        instance=f"host{chance.randrange(10**12)}",
        first=1,
        last=EVENTS,
        captured=EVENTS,
        hello=True,
    )
    made = [
        Event(time=begin, type="visit", seq=n, user=f"u{chance.randrange(9)}") for n in range(1, EVENTS + 1)
    ]
    batch = pack(header, made)
    return Message(id=batch.id, body=batch.body)


@pytest.mark.slow  # a year
def test_over_a_year_of_drains_and_seals_nothing_stays_for_longer_than_from_one_purge_to_the_next(
    client, connection_string, account, project, clock, soon, tmp_path
):
    place = {"connection_string": {"env": account.env}}
    config = load(
        environ={},
        folder=tmp_path,
        provider="azure",
        project=project,
        queue={"service": "storage", **place},
        store=place,
        retention={"events": f"{KEPT}d", "rollups": f"{NUMBERS}d"},
    )
    chance, purged, most = random.Random(7), clock.now().timestamp(), 0
    last = clock.now().date() + YEAR * DAY

    def run(runtime, *jobs):
        for job in jobs:
            functions.run(runtime, Run(job=job, run_id=f"{clock.now()}"), left=timedelta(minutes=5))

    with queue_at(connection_string, f"tuppence-{project}"), Runtime(config, clock=clock) as runtime:
        for day in range(YEAR):
            assert not runtime.queue.send([captured(project, clock, chance)], deadline=soon())
            if day % EVERY == 0:
                run(runtime, "drain", "seal")  # purging follows sealing
                purged = clock.now().timestamp()
                there = ends(client)

                assert min(there) >= purged, "expired, and left by the purge"
                most = max(most, len(there))
            clock.advance(DAY)

        days = read_days(runtime.store, project, last - (NUMBERS - 1) * DAY, last, deadline=soon()).rollups
        old = [note for note in notes(client) if int(note[:8]) * HOUR < purged - HOUR - GRACE]
        clock.advance(NUMBERS * DAY)
        run(runtime, "drain", "seal")

    assert most <= KEPT * 2 + (KEPT + 30) + NUMBERS + 4 * EVERY  # segments and texts, hours, days
    assert sum(cell.events for day in days.values() for cell in day.cells.values()) == (NUMBERS - 1) * EVENTS
    assert old == []
    assert ends(client) == []
    assert notes(client) == []


def test_an_expired_record_is_never_read_however_long_it_lies_there(store, client, clock, soon):
    expires = clock.now() + DAY
    store.put(records("a", 3, expires_at=expires), deadline=soon())
    keys = [record.key for record in records("a", 3)]
    clock.advance(DAY)

    assert len(ends(client)) == 3
    assert store.get(keys, deadline=soon()) == [None] * 3
    assert store.query("a", limit=10, deadline=soon()).records == []


def test_a_note_is_written_once_for_an_hour_and_a_partition(store, client, clock, soon):
    expires = datetime(2026, 12, 16, 9, 10, tzinfo=UTC)
    store.put(records("a", 50, expires_at=expires), deadline=soon())
    first = operations(store)
    store.put(records("a", 90, expires_at=expires + timedelta(minutes=49)), deadline=soon())
    again = operations(store)
    store.put(records("b", 1, expires_at=expires), deadline=soon())

    assert (first, again, operations(store)) == (2, 1, 2)
    assert notes(client) == ["00499281!a", "00499281!b"]


def test_a_purge_looks_where_something_has_expired_and_nowhere_else(store, clock, soon):
    for number in range(20):
        store.put(records(f"later{number}", 5, expires_at=clock.now() + 9 * DAY), deadline=soon())
    store.put(records("now", 250, expires_at=clock.now() + timedelta(minutes=5))[:100], deadline=soon())
    operations(store)

    idle = store.purge(before=clock.now(), limit=1_000, deadline=soon()), operations(store)
    clock.advance(timedelta(hours=2))
    found = store.purge(before=clock.now(), limit=1_000, deadline=soon()), operations(store)

    assert idle[0] == 0
    assert idle[1] <= 2
    assert found == (100, 4)  # the notes, the partition, its hundred records, the note


def test_a_writer_that_died_before_the_records_leaves_a_note_that_goes(store, client, clock, soon):
    dying = store._expiry
    dying.note(records("a", 1, expires_at=clock.now() + DAY), int(clock.now().timestamp()), soon())
    clock.advance(2 * DAY)

    assert store.purge(before=clock.now(), limit=10, deadline=soon()) == 0
    assert notes(client) == []


def test_a_record_that_has_expired_when_it_is_written_is_deleted_too(store, client, clock, soon):
    store.put(records("a", 2, expires_at=clock.now() - 9 * DAY), deadline=soon())
    clock.advance(timedelta(seconds=2))

    assert store.purge(before=clock.now(), limit=10, deadline=soon()) == 2
    assert ends(client) == []


def test_another_process_goes_on_where_a_purge_had_to_end(store, client, account, project, clock, soon):
    for partition in ("a", "b", "c"):
        store.put(records(partition, 4, expires_at=clock.now() + DAY), deadline=soon())
    clock.advance(2 * DAY)

    counts = []
    for limit in (6, 5, 5):
        with driver_of(TableStore, project, clock, connection_string=account) as cold:
            counts.append(cold.purge(before=clock.now(), limit=limit, deadline=soon()))

    assert counts == [6, 5, 1]
    assert ends(client) == []
    assert notes(client) == []


def test_no_record_can_lie_where_the_notes_do():
    from tuppence.drivers import LETTERS

    assert set(NOTES) - set(LETTERS)
