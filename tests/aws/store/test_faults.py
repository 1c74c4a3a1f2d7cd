"""What becomes of a call that goes wrong on its way, and of the work that core does with such calls."""

import json
import threading
from datetime import timedelta

import pytest

from aws import faulty as faults
from aws.store.faults import exhausted, halved
from pipeline.world import NINE, World, captured, fresh_world, question
from tuppence.clock import Deadline, SystemClock
from tuppence.drivers import Absent, Key, Record, Version
from tuppence.errors import DriverError, ErrorCode
from tuppence.store import Store
from tuppence.testing import ManualClock
from tuppence.testing.contract import failures
from tuppence_aws.items import ITEM_BYTES

EVENTS = 5_000
EACH = 50
"""Events of one batch."""


def key(number):
    return Key(partition="p", sort=f"{number:04}")


def records(count, body=b"x"):
    return [Record(key=key(number), body=body) for number in range(count)]


def written(plain, soon, count):
    return [plain.get([key(number)], deadline=soon())[0] is not None for number in range(count)]


@pytest.mark.parametrize(("fault", "code"), [*faults.CODES.items(), (exhausted, ErrorCode.THROTTLED)])
@pytest.mark.parametrize("call", ["put", "put under Absent", "get", "query", "delete", "delete by version"])
def test_each_fault_has_its_code_in_each_call_and_is_not_retried(faulty, driver, soon, call, fault, code):
    faulty.planned.append(fault)

    with pytest.raises(DriverError) as caught:
        {
            "put": lambda: driver.put(records(2), deadline=soon()),
            "put under Absent": lambda: driver.put(records(2), condition=Absent(), deadline=soon()),
            "get": lambda: driver.get([key(1)], deadline=soon()),
            "query": lambda: driver.query("p", limit=1, deadline=soon()),
            "delete": lambda: driver.delete([key(1)], deadline=soon()),
            "delete by version": lambda: driver.delete([key(1)], condition=Version("v"), deadline=soon()),
        }[call]()

    assert caught.value.code is code
    assert caught.value.__cause__ is not None
    assert faulty.met == {fault.__name__: 1}


def test_what_a_batch_leaves_undone_is_throttled_item_by_item(faulty, driver, plain, soon):
    faulty.planned += [halved, halved]

    unwritten = driver.put(records(5), deadline=soon())
    put = written(plain, soon, 5)
    plain.put(records(5), deadline=soon())
    kept = driver.delete([key(number) for number in range(5)], deadline=soon())

    assert failures(unwritten) == failures(kept) == [(n, ErrorCode.THROTTLED) for n in (2, 3, 4)]
    assert put == [True, True, False, False, False]
    assert written(plain, soon, 5) == [False, False, True, True, True]


def test_an_answer_that_lacks_some_of_the_records_is_no_answer(faulty, driver, plain, soon):
    plain.put(records(4), deadline=soon())
    faulty.planned.append(halved)

    with pytest.raises(DriverError) as caught:
        driver.get([key(number) for number in range(4)], deadline=soon())

    assert caught.value.code is ErrorCode.THROTTLED


def test_records_behind_a_lost_answer_fail_with_it_and_are_not_tried(faulty, driver, plain, soon):
    faulty.planned += [None, None, faults.lost]

    errors = driver.put(records(5), condition=Absent(), deadline=soon())

    assert failures(errors) == [(n, ErrorCode.UNAVAILABLE) for n in (2, 3, 4)]
    assert written(plain, soon, 5) == [True, True, True, False, False]


def test_a_record_that_is_there_does_not_keep_the_next_from_being_tried(faulty, driver, plain, soon):
    plain.put(records(2), deadline=soon())
    faulty.planned += [None, None, faults.refused]

    errors = driver.put(records(4), condition=Absent(), deadline=soon())

    there, away = ErrorCode.ALREADY_EXISTS, ErrorCode.UNAVAILABLE
    assert failures(errors) == [(0, there), (1, there), (2, away), (3, away)]


def test_a_service_that_does_not_answer_is_a_timeout(faulty, driver):
    def silent(request, forward):
        released.wait(faults.PATIENCE)

    released = threading.Event()
    faulty.planned.append(silent)

    with pytest.raises(DriverError) as caught:
        driver.get([key(1)], deadline=Deadline.after(0.4, SystemClock()))
    released.set()

    assert caught.value.code is ErrorCode.TIMEOUT


def test_credentials_that_are_refused_are_found_anew(faulty, store, table, soon, monkeypatch):
    def refused(request, forward):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "later")
        return faults.expired(request, forward)

    def taken(request, forward):
        shown.append(request.headers["Authorization"])
        return faults.Answer(200, {}, json.dumps({"Responses": {table: []}}).encode())

    shown = []
    faulty.planned += [refused, taken]

    assert store.get(key(1), deadline=soon()) is None
    assert "Credential=later/" in shown[0]


def test_an_absent_put_knows_its_own_success_when_the_answer_was_lost(faulty, store, soon):
    faulty.planned.append(faults.lost)

    ours = store.put(records(1, b"ours")[0], condition=Absent(), deadline=soon())
    theirs = store.put(records(1, b"theirs")[0], condition=Absent(), deadline=soon())

    assert ours
    assert not theirs
    assert store.get(key(0), deadline=soon()).body == b"ours"


@pytest.mark.parametrize("seed", range(3))
def test_core_loses_nothing_to_any_of_them(faulty, store, plain, clock, soon, seed):
    faulty._chance.seed(seed)
    faulty.rate = 0.3
    large = Record(key=Key(partition="p", sort="large"), body=bytes(ITEM_BYTES))
    new = [Record(key=Key(partition="new", sort=f"{n:04}"), body=b"n") for n in range(30)]

    put = store.put_many([*records(120), large], deadline=soon())
    absent = store.put_many(new, condition=Absent(), deadline=soon())
    for _ in range(20):
        store.update(
            key(0),
            lambda record: Record(key=key(0), body=record.body + b"1" if record else b""),
            deadline=soon(),
        )
    gone = store.delete_many([key(number) for number in range(100, 120)], deadline=soon())
    read = store.get_many([key(number) for number in range(120)], deadline=soon())
    listed = [record.key.sort for record in store.query("p", deadline=soon())]

    assert put == gone == []
    assert all(error.error.code is ErrorCode.ALREADY_EXISTS for error in absent)
    assert [record is not None for record in read] == [True] * 100 + [False] * 20
    assert read[0].body == b"x" + b"1" * 20
    assert listed == [*(f"{number:04}" for number in range(100)), "large"]
    assert len(Store(plain, clock).get_many([record.key for record in new], deadline=soon())) == 30
    assert faulty.met.total() > 10


def traffic():
    """Return batches of a busy morning, none across an hour; a third of them come twice."""
    events = [question(n + 1, n / EACH, user=f"u{n % 7}") for n in range(EVENTS)]
    batches = [captured(*events[at : at + EACH], hello=at == 0) for at in range(0, EVENTS, EACH)]
    return [*batches, *batches[::3]]


def persistently(step, clock):
    """Do what a schedule does: run a step again if it failed, a quarter of an hour later."""
    for _ in range(20):
        try:
            return step()
        except DriverError:
            clock.advance(timedelta(minutes=15))
    raise AssertionError(f"{step.__name__} failed 20 times")


def test_drained_and_sealed_through_them_every_event_counts_once(faulty, opened, tmp_path):
    afternoon = NINE + timedelta(hours=5)
    with fresh_world(clock=ManualClock(afternoon)) as quiet:
        quiet.know_visitors_by()
        quiet.take_in(*traffic())
        expected = quiet.results()
    world = World(tmp_path, clock=ManualClock(afternoon))
    world.store = Store(opened(faulty.url, clock=world.clock), world.clock)
    world.know_visitors_by()
    faulty.rate = 0.15

    world.send(*traffic())
    persistently(world.drain, world.clock)
    persistently(world.seal, world.clock)

    assert world.results() == expected
    assert sum(cell.events for cell in world.day().cells.values()) == EVENTS
    assert world.markers() == world.letters() == []
    assert faulty.met.total() > 20
    world.close()
