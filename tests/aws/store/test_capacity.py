"""A driver keeps to the capacity its table was given, and core waits for as long as it is told."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from aws.store.faults import READ_UNITS, exhausted, halved
from tuppence.clock import Deadline
from tuppence.drivers import Absent, Key, Record, Version
from tuppence.errors import DriverError, ErrorCode
from tuppence.store import Store
from tuppence.testing.contract import failures
from tuppence_aws.capacity import KEPT

KIB = 1024


@pytest.fixture
def url(request, ministack_url):
    """Return where writes are counted as AWS counts them."""
    return ministack_url


def record(number, units=1):
    """Return a record that takes so many units to write."""
    return Record(key=Key(partition="p", sort=f"{number:04}"), body=bytes((units - 1) * KIB + KIB // 2))


def test_five_minutes_of_capacity_may_be_used_at_once_and_then_no_more(opened, url, table, soon, clock):
    driver = opened(url, write_units=1)

    driver.put([record(0, 200)], deadline=soon())
    driver.put([record(1, 200)], deadline=soon())
    with pytest.raises(DriverError) as caught:
        driver.put([record(2)], deadline=soon())
    clock.advance(timedelta(seconds=caught.value.retry_after))
    written = driver.put([record(2)], deadline=soon())

    assert caught.value.code is ErrorCode.THROTTLED
    assert caught.value.retry_after == pytest.approx(400 - KEPT)
    assert not written


def test_reading_and_writing_have_a_capacity_each(opened, url, table, soon):
    driver = opened(url, write_units=1)

    driver.put([record(0, 390)], deadline=soon())

    assert driver.get([record(0).key], deadline=soon()) != [None]
    with pytest.raises(DriverError, match="no capacity"):
        driver.delete([record(0).key], deadline=soon())


def test_a_table_that_is_paid_on_demand_has_no_bounds(opened, faulty, soon):
    driver = opened(faulty.url, write_units=0)
    faulty.planned += [None, None, exhausted]

    written = [driver.put([record(number, 390)], deadline=soon()) for number in range(2)]
    with pytest.raises(DriverError) as caught:
        driver.put([record(2)], deadline=soon())

    assert written == [[], []]
    assert (caught.value.code, caught.value.retry_after) == (ErrorCode.THROTTLED, None)


def test_each_item_left_undone_says_how_long_its_units_take(opened, faulty, soon):
    driver = opened(faulty.url, write_units=2)
    faulty.planned.append(halved)

    errors = driver.put([record(0), record(1), record(2, 6), record(3, 100)], deadline=soon())

    assert failures(errors) == [(2, ErrorCode.THROTTLED), (3, ErrorCode.THROTTLED)]
    assert [error.error.retry_after for error in errors] == [3.0, 50.0]


def test_an_answer_that_lacks_records_says_how_long_all_of_them_take(opened, faulty, soon):
    driver = opened(faulty.url, read_units=25)
    driver.put([record(number) for number in range(4)], deadline=soon())
    faulty.planned.append(halved)

    with pytest.raises(DriverError) as caught:
        driver.get([record(number).key for number in range(4)], deadline=soon())

    assert caught.value.retry_after == 4 * READ_UNITS / 25


def test_a_table_that_throttles_has_kept_nothing(opened, faulty, soon):
    driver = opened(faulty.url, write_units=1)
    faulty.planned += [exhausted, None]

    with pytest.raises(DriverError) as first:
        driver.put([record(0, 10)], deadline=soon())
    driver.put([record(0, 10)], deadline=soon())
    with pytest.raises(DriverError) as second:
        driver.put([record(1)], deadline=soon())

    assert first.value.retry_after == 1.0
    assert second.value.retry_after == pytest.approx(10.0)


def test_a_long_job_takes_as_long_as_its_units_take_to_come(opened, url, table, soon, clock):
    driver = opened(url, write_units=10)
    began = clock.monotonic()

    failed = Store(driver, clock).put_many(
        [record(number, 60) for number in range(100)], deadline=Deadline.after(3600, clock)
    )

    assert not failed
    took = clock.monotonic() - began
    last_call = 25 * 60 / 10
    assert 6_000 / 10 - KEPT - last_call <= took <= 6_000 / 10


def test_a_job_gives_up_before_its_deadline_and_not_after_it(opened, url, table, clock):
    driver = opened(url, write_units=1)
    deadline = Deadline.after(60, clock)

    failed = Store(driver, clock).put_many([record(number, 100) for number in range(30)], deadline=deadline)

    assert failures(failed) == [(number, ErrorCode.THROTTLED) for number in range(25, 30)]
    assert not deadline.expired


def test_writes_are_counted_as_they_are_billed(opened, url, table, soon, meter):
    driver = opened(url)

    driver.put([record(0), record(1, 3)], deadline=soon())
    batch = meter.take()
    driver.put([record(2, 2)], condition=Absent(), deadline=soon())
    conditional = meter.take()
    driver.delete([record(1).key], deadline=soon())
    deleted = meter.take()

    assert batch == {"dynamodb.wcu": 4}
    assert conditional == {"dynamodb.wcu": 2}
    assert deleted == {"dynamodb.wcu": 3}


def test_reads_are_counted_as_they_are_billed(opened, url, table, soon, meter):
    driver = opened(url)
    driver.put([record(0), record(1, 6)], deadline=soon())
    meter.take()

    driver.get([record(number).key for number in range(3)], deadline=soon())
    alone = meter.take()
    driver.query(record(0).key.partition, limit=10, deadline=soon())
    together = meter.take()

    assert alone == {"dynamodb.rcu": 1 + 2 + 1}
    assert together == {"dynamodb.rcu": 2}


def test_what_was_left_unread_is_not_billed(opened, faulty, soon, meter):
    def untold(request, forward):
        answer = halved(request, forward)
        body = json.loads(answer.body)
        del body["ConsumedCapacity"]
        return replace(answer, body=json.dumps(body).encode())

    driver = opened(faulty.url)
    driver.put([record(number) for number in range(4)], deadline=soon())
    meter.take()
    faulty.planned.append(untold)

    with pytest.raises(DriverError):
        driver.get([record(number).key for number in range(4)], deadline=soon())

    assert meter.take() == {"dynamodb.rcu": 2}


def test_a_condition_that_does_not_hold_is_billed_too(opened, url, table, soon, meter):
    driver = opened(url)
    driver.put([record(0)], deadline=soon())
    meter.take()

    driver.put([record(0, 3)], condition=Absent(), deadline=soon())
    put = meter.take()
    driver.delete([record(0).key], condition=Version("another"), deadline=soon())
    deleted = meter.take()

    assert put == {"dynamodb.wcu": 3}
    assert deleted == {"dynamodb.wcu": 1}
