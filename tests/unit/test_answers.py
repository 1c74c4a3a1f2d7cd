"""An answer of a driver that cannot be one to what was asked is an error, and is asked for again."""

from dataclasses import replace
from datetime import timedelta

import pytest

from pipeline.world import World
from tuppence.drivers import ItemError, Key, Message, Page, QueueDriver, Record, StoreDriver
from tuppence.errors import DriverError, ErrorCode
from tuppence.queue import Queue
from tuppence.store import Store

KEYS = [Key(partition="p", sort=sort) for sort in "abcd"]
LEASE = timedelta(minutes=1)


class Edited:
    """A driver of whose method's answers the first few are changed."""

    def __init__(self, driver, method, edit, times):
        self._driver = driver
        self._method = method
        self._edit = edit
        self.left = times

    def __getattr__(self, name):
        found = getattr(self._driver, name)
        if name != self._method:
            return found

        def edited(*arguments, **options):
            answer = found(*arguments, **options)
            if self.left == 0:
                return answer
            self.left -= 1
            return self._edit(answer)

        return edited


QueueDriver.register(Edited)
StoreDriver.register(Edited)


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    assert not world.store.put_many([Record(key=key, body=b"x") for key in KEYS], deadline=world.deadline)
    yield world
    world.close()


def failed(position):
    return ItemError(position, DriverError(ErrorCode.INVALID, operation="store.put", provider="made up"))


def pages(edit):
    return lambda page: Page(records=edit(page.records), cursor=page.cursor)


OTHER = Record(key=Key(partition="q", sort="b"), body=b"x")
READS = {
    "fewer than keys": ("get", lambda found: found[:-1]),
    "more than keys": ("get", lambda found: [*found, None]),
    "another record": ("get", lambda found: [OTHER, *found[1:]]),
    "in another order": ("query", pages(lambda records: records[::-1])),
    "one twice": ("query", pages(lambda records: [*records, records[-1]])),
    "another partition": ("query", pages(lambda records: [*records, OTHER])),
    "before the start": ("query", pages(lambda records: [replace(OTHER, key=KEYS[0]), *records])),
    "at the end": ("query", pages(lambda records: [*records, replace(OTHER, key=KEYS[3])])),
}


def read(store, method, deadline):
    if method == "get":
        return [record.key for record in store.get_many(KEYS, deadline=deadline)]
    return [record.key for record in store.query("p", start="b", end="d", deadline=deadline)]


@pytest.mark.parametrize(("method", "edit"), READS.values(), ids=READS)
def test_a_wrong_answer_is_asked_for_again(world, method, edit):
    right = read(world.store, method, world.deadline)
    driver = Edited(world.drivers[1], method, edit, times=1)

    assert read(Store(driver, world.clock), method, world.deadline) == right
    assert driver.left == 0


@pytest.mark.parametrize(("method", "edit"), READS.values(), ids=READS)
def test_an_answer_that_stays_wrong_is_an_error(world, method, edit):
    driver = Edited(world.drivers[1], method, edit, times=-1)

    with pytest.raises(DriverError, match="not one to what was asked"):
        read(Store(driver, world.clock), method, world.deadline)


def test_a_page_that_comes_twice_is_an_error(world, monkeypatch):
    monkeypatch.setattr("tuppence.store.PAGE", 2)
    first = world.drivers[1].query("p", limit=2, deadline=world.deadline)
    driver = Edited(world.drivers[1], "query", lambda _: first, times=-1)

    with pytest.raises(DriverError, match="outside the query"):
        list(Store(driver, world.clock).query("p", deadline=world.deadline))


@pytest.mark.parametrize("errors", [[failed(4)], [failed(-1)], [failed(1), failed(1)]])
def test_errors_of_other_items_are_no_answer(world, errors):
    driver = Edited(world.drivers[1], "put", lambda _: errors, times=-1)
    records = [Record(key=key, body=b"new") for key in KEYS]

    answered = Store(driver, world.clock).put_many(records, deadline=world.deadline)

    assert [(one.position, one.error.code) for one in answered] == [
        (position, ErrorCode.UNKNOWN) for position in range(4)
    ]


def test_more_messages_than_were_asked_for_are_left_to_come_again(world):
    world.queue.send([Message(id=f"{n}", body=b"x") for n in range(3)], deadline=world.deadline)
    driver = Edited(world.drivers[0], "receive", lambda found: [*found, *found], times=1)

    found = Queue(driver, world.clock).receive(max_messages=2, lease=LEASE, deadline=world.deadline)
    world.clock.advance(2 * LEASE)
    again = world.queue.receive(max_messages=3, lease=LEASE, deadline=world.deadline)

    assert driver.left == 0
    assert len(found) <= 2
    assert len(again) == 3
