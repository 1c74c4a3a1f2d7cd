"""The jobs over a configuration, the units they count, and the deleting of what has expired."""

from datetime import timedelta

import pytest

from pipeline.world import PROJECT, captured, question, unavailable
from tuppence import config, jobs
from tuppence.clock import Deadline
from tuppence.drivers import Delivery, Feature, Key, Message, Record
from tuppence.errors import DriverError
from tuppence.meter import UnitMeter, read_month
from tuppence.pipeline import layout, retention
from tuppence.runtime import Runtime
from tuppence.testing.clock import ManualClock


@pytest.fixture
def runtime(tmp_path):
    (tmp_path / "tuppence.toml").write_text(f'provider = "local"\nproject = "{PROJECT}"\n')
    with Runtime(config.load(tmp_path / "tuppence.toml", environ={}), clock=ManualClock()) as runtime:
        yield runtime


def deadline(runtime):
    return Deadline.after(600, runtime.clock)


def units(runtime):
    return read_month(runtime.store, PROJECT, "202611", deadline=deadline(runtime))


def test_the_jobs_take_events_from_the_queue_to_the_rollups_and_save_what_they_used(runtime):
    body = captured(question(1))
    runtime.queue.send([Message(id="m", body=body)], deadline=deadline(runtime))

    assert jobs.JOBS["drain"](runtime, deadline=deadline(runtime)).segments == 1
    assert jobs.JOBS["seal"](runtime, deadline=deadline(runtime)).hours == 1
    assert jobs.JOBS["purge"](runtime, deadline=deadline(runtime)) == 0

    used = units(runtime)
    assert used["local.queue.messages"] >= 1
    assert used["local.store.writes"] >= 5


def test_messages_that_the_platform_hands_over_are_stored(runtime):
    handle = runtime.compute.consumer(jobs.consume(runtime, patience=timedelta(seconds=30)))
    bodies = [captured(question(1)), b"bad"]

    errors = handle(
        [
            Delivery(message=Message(id=f"{at}", body=body), receipt=at, expires=runtime.clock.now())
            for at, body in enumerate(bodies)
        ]
    )

    assert errors == []
    stored = runtime.store.query(layout.segments(PROJECT, "2026111609"), deadline=deadline(runtime))
    assert [segment.body for segment in stored] == bodies[:1]


def test_units_of_several_runs_and_components_add_up(world):
    for component in ("drain", "drain", "seal"):
        world.meter.take()
        world.meter.count("sqs.requests", 3)
        world.meter.save(
            world.store, PROJECT, clock=world.clock, component=component, deadline=world.deadline
        )

    assert read_month(world.store, PROJECT, "202611", deadline=world.deadline)["sqs.requests"] == 9
    assert read_month(world.store, PROJECT, "202612", deadline=world.deadline) == {}


def test_units_that_could_not_be_saved_are_kept_for_the_next_time(world):
    meter = UnitMeter()
    meter.count("sqs.requests", 3)

    def fail(operation):
        raise unavailable(operation)

    world.faults.before = fail
    with pytest.raises(DriverError):
        meter.save(world.store, PROJECT, clock=world.clock, component="drain", deadline=world.deadline)
    meter.count("sqs.requests", 1)

    assert meter.take() == {"sqs.requests": 4}


def put_expiring(world, count):
    expires = world.clock.now() + timedelta(hours=1)
    records = [
        Record(key=Key(partition="bot.x", sort=f"{n:05d}"), body=b"", expires_at=expires)
        for n in range(count)
    ]
    world.store.put_many(records, deadline=world.deadline)


def test_a_purge_deletes_all_that_has_expired_and_nothing_else(world):
    put_expiring(world, 2 * retention.SLICE + 5)
    world.store.put(Record(key=Key(partition="bot.x", sort="stays"), body=b""), deadline=world.deadline)
    world.clock.advance(timedelta(hours=2))

    assert retention.purge(world.store, clock=world.clock, deadline=world.deadline) == 2 * retention.SLICE + 5

    assert [one.key.sort for one in world.store.query("bot.x", deadline=world.deadline)] == ["stays"]


def test_a_purge_stops_before_its_deadline(world):
    put_expiring(world, 2 * retention.SLICE)
    world.clock.advance(timedelta(hours=2))
    purge = world.drivers[1].purge

    def slow(**options):
        gone = purge(**options)
        world.clock.advance(timedelta(seconds=599))
        return gone

    world.drivers[1].purge = slow

    assert retention.purge(world.store, clock=world.clock, deadline=world.deadline) == retention.SLICE


def test_a_store_that_deletes_by_itself_is_not_asked_to(world):
    put_expiring(world, 3)
    world.clock.advance(timedelta(hours=2))
    world.drivers[1].features = frozenset({Feature.NATIVE_TTL})

    assert retention.purge(world.store, clock=world.clock, deadline=world.deadline) == 0
