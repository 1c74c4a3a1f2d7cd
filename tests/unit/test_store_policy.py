"""What core adds to a store: size, retries, conditions that know themselves."""

from dataclasses import replace
from datetime import timedelta

import pytest

from pipeline.world import Crash, World, unavailable
from tuppence.drivers import Absent, ItemError, Key, Limits, Record, Version
from tuppence.errors import DriverError, ErrorCode
from tuppence.store import RACES

SMALL = Limits(batch_items=5, batch_bytes=4_000, item_bytes=800)
KEY = Key(partition="bot.things", sort="one")
BIG = bytes(range(256)) * 20


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path, limits=SMALL)
    yield world
    world.close()


@pytest.fixture
def store(world):
    return world.store


def raw(world):
    """Return every item of the partition, chunks too."""
    return world.drivers[1].query("bot.things", limit=100, deadline=world.deadline).records


def fail_once(world, when, operation, error):
    """Let the next call of `operation` fail, before or after it was done."""
    left = [error]

    def fail(name):
        if name == operation and left:
            raise left.pop()

    setattr(world.faults, when, fail)


def test_a_record_of_any_size_comes_back_as_it_was(world, store):
    record = Record(key=KEY, body=BIG, attributes={"colour": "grün"})

    store.put(record, deadline=world.deadline)

    found = store.get(KEY, deadline=world.deadline)
    assert (found.body, found.attributes) == (BIG, {"colour": "grün"})


def test_no_item_of_a_big_record_is_over_the_limit_and_all_expire_with_it(world, store):
    expires = world.clock.now() + timedelta(days=1)

    store.put(Record(key=KEY, body=BIG, expires_at=expires), deadline=world.deadline)

    assert len(raw(world)) > 1
    assert all(item.size <= SMALL.item_bytes and item.expires_at == expires for item in raw(world))


@pytest.mark.parametrize("size", range(640, 800, 13))
def test_records_about_as_large_as_an_item_are_kept(world, store, size):
    store.put(Record(key=KEY, body=b"x" * size), condition=Absent(), deadline=world.deadline)

    assert store.get(KEY, deadline=world.deadline).body == b"x" * size


def test_chunks_are_no_records_of_a_query(world, store):
    store.put(Record(key=KEY, body=BIG), deadline=world.deadline)
    store.put(Record(key=replace(KEY, sort="two"), body=b"2"), deadline=world.deadline)

    found = list(store.query("bot.things", deadline=world.deadline))

    assert [(one.key.sort, one.body) for one in found] == [("one", BIG), ("two", b"2")]


@pytest.mark.parametrize("body", [b"small", BIG[::-1]])
def test_chunks_of_a_replaced_record_are_deleted(world, store, body):
    store.put(Record(key=KEY, body=BIG), deadline=world.deadline)
    found = store.get(KEY, deadline=world.deadline)

    assert store.put(replace(found, body=body), condition=Version(found.version), deadline=world.deadline)

    assert store.get(KEY, deadline=world.deadline).body == body
    generations = {item.key.sort.partition("~")[2].partition(".")[0] for item in raw(world)} - {""}
    assert len(generations) == (len(body) > SMALL.item_bytes)


def test_chunks_whose_head_lost_the_race_are_deleted(world, store):
    store.put(Record(key=KEY, body=b"first"), deadline=world.deadline)

    assert not store.put(Record(key=KEY, body=BIG), condition=Absent(), deadline=world.deadline)

    assert [item.body for item in raw(world)] == [b"first"]


def test_deleting_a_big_record_deletes_its_chunks(world, store):
    store.put(Record(key=KEY, body=BIG), deadline=world.deadline)

    store.delete(KEY, deadline=world.deadline)

    assert raw(world) == []


def test_a_version_of_a_big_record_is_a_condition_for_deleting_it(world, store):
    store.put(Record(key=KEY, body=BIG), deadline=world.deadline)
    old = store.get(KEY, deadline=world.deadline)
    store.put(Record(key=KEY, body=BIG + b"!"), deadline=world.deadline)
    new = store.get(KEY, deadline=world.deadline)

    assert not store.delete(KEY, condition=Version(old.version), deadline=world.deadline)
    assert store.delete(KEY, condition=Version(new.version), deadline=world.deadline)
    assert raw(world) == []


def test_a_crash_at_any_point_of_a_replacement_leaves_the_old_record_or_the_new(tmp_path):
    crashed = True
    point = 0
    while crashed:
        folder = tmp_path / str(point)
        folder.mkdir()
        world = World(folder, limits=SMALL)
        world.store.put(Record(key=KEY, body=BIG), deadline=world.deadline)
        world.faults.crash_at = world.faults.calls + point
        try:
            world.store.put(Record(key=KEY, body=BIG[::-1]), deadline=world.deadline)
            crashed = False
        except Crash:
            point += 1
        world.faults.crash_at = None

        assert world.store.get(KEY, deadline=world.deadline).body in (BIG, BIG[::-1])
        world.close()
    assert point > 10


def test_a_reader_that_loses_to_a_writer_reads_the_new_record(world, store):
    store.put(Record(key=KEY, body=BIG), deadline=world.deadline)
    writers = ["replace"]

    def replace_it(operation):
        if operation == "get" and writers:
            writers.pop()
            store.put(Record(key=KEY, body=BIG[::-1]), deadline=world.deadline)

    world.faults.after = replace_it

    assert store.get(KEY, deadline=world.deadline).body == BIG[::-1]


def test_a_big_record_that_has_lost_a_chunk_is_an_error_and_not_an_answer(world, store):
    store.put(Record(key=KEY, body=BIG), deadline=world.deadline)
    world.drivers[1].delete([raw(world)[2].key], deadline=world.deadline)

    with pytest.raises(DriverError, match="do not make up the record"):
        store.get(KEY, deadline=world.deadline)


def test_what_has_expired_is_absent(world, store):
    expires = world.clock.now() + timedelta(seconds=10)
    store.put(Record(key=KEY, body=BIG, expires_at=expires), deadline=world.deadline)

    world.clock.advance(timedelta(seconds=10))

    assert store.get(KEY, deadline=world.deadline) is None
    assert list(store.query("bot.things", deadline=world.deadline)) == []


@pytest.mark.parametrize("body", [b"small", BIG])
def test_a_conditional_put_knows_its_own_success_when_the_answer_is_lost(world, store, body):
    fail_once(world, "after", "put", unavailable())

    assert store.put(Record(key=KEY, body=body), condition=Absent(), deadline=world.deadline)

    assert store.get(KEY, deadline=world.deadline).body == body


def test_a_conditional_put_does_not_take_an_equal_record_of_another_for_its_own(world, store):
    def write_the_same(operation):
        if operation == "put":
            world.faults.before = lambda _: None
            store.put(Record(key=KEY, body=b"same"), condition=Absent(), deadline=world.deadline)
            raise unavailable()

    world.faults.before = write_the_same

    assert not store.put(Record(key=KEY, body=b"same"), condition=Absent(), deadline=world.deadline)


@pytest.mark.parametrize("code", [ErrorCode.ALREADY_EXISTS, ErrorCode.CONFLICT])
@pytest.mark.parametrize("condition", [Absent(), Version("1")], ids=["absent", "version"])
def test_an_error_of_a_whole_call_is_no_lost_race(world, store, condition, code):
    fail_once(world, "before", "put", unavailable(code=code))

    with pytest.raises(DriverError) as caught:
        store.put(Record(key=KEY, body=b"x"), condition=condition, deadline=world.deadline)

    assert caught.value.code is code


@pytest.mark.parametrize("code", [ErrorCode.ALREADY_EXISTS, ErrorCode.CONFLICT])
def test_an_error_of_a_whole_call_is_no_lost_race_for_a_delete(world, store, code):
    store.put(Record(key=KEY, body=b"x"), deadline=world.deadline)
    version = store.get(KEY, deadline=world.deadline).version
    fail_once(world, "before", "delete", unavailable(code=code))

    with pytest.raises(DriverError) as caught:
        store.delete(KEY, condition=Version(version), deadline=world.deadline)

    assert caught.value.code is code


def test_a_conditional_delete_knows_its_own_success_when_the_answer_is_lost(world, store):
    store.put(Record(key=KEY, body=b"x"), deadline=world.deadline)
    version = store.get(KEY, deadline=world.deadline).version
    fail_once(world, "after", "delete", unavailable("store.delete"))

    assert store.delete(KEY, condition=Version(version), deadline=world.deadline)


def test_attributes_that_core_adds_are_not_shown(world, store):
    store.put(Record(key=KEY, body=BIG, attributes={"a": "b"}), condition=Absent(), deadline=world.deadline)

    assert store.get(KEY, deadline=world.deadline).attributes == {"a": "b"}


def test_a_sort_key_with_the_mark_of_chunks_is_refused(world, store):
    with pytest.raises(DriverError, match="must not hold '~'"):
        store.put(Record(key=replace(KEY, sort="a~b"), body=b""), deadline=world.deadline)


def test_many_records_big_and_small_are_written_and_read_in_order(world, store):
    records = [
        Record(key=replace(KEY, sort=f"{number:02d}"), body=BIG[: 500 * (number % 4)]) for number in range(13)
    ]

    assert store.put_many(records, deadline=world.deadline) == []

    found = store.get_many([record.key for record in records], deadline=world.deadline)
    assert [record.body for record in found] == [record.body for record in records]


def test_a_query_goes_through_all_pages(world, store):
    keys = [replace(KEY, sort=f"{number:04d}") for number in range(250)]
    store.put_many([Record(key=key, body=b"") for key in keys], deadline=world.deadline)

    found = store.query("bot.things", start="0010", end="0240", deadline=world.deadline)

    assert [record.key for record in found] == keys[10:240]


def test_an_update_is_lost_by_no_one_when_others_write_in_between(world, store):
    others = [1, 2, 3]

    def interfere(operation):
        if operation == "get" and others:
            number = others.pop()
            store.update(KEY, lambda now: added(now, number), deadline=world.deadline)

    def added(now, number):
        return replace(now or Record(key=KEY, body=b""), body=(now.body if now else b"") + bytes([number]))

    world.faults.after = interfere

    store.update(KEY, lambda now: added(now, 9), deadline=world.deadline)

    assert sorted(store.get(KEY, deadline=world.deadline).body) == [1, 2, 3, 9]


def test_an_update_gives_up_after_so_many_lost_races(world, store):
    store.put(Record(key=KEY, body=b""), deadline=world.deadline)
    tries = []

    def change(now):
        tries.append(now)
        world.drivers[1].put([Record(key=KEY, body=b"other")], deadline=world.deadline)
        return replace(now, body=b"mine")

    with pytest.raises(DriverError) as caught:
        store.update(KEY, change, deadline=world.deadline)

    assert caught.value.code is ErrorCode.CONFLICT
    assert len(tries) == RACES


def test_an_update_that_wants_no_change_writes_nothing(world, store):
    assert store.update(KEY, lambda now: None, deadline=world.deadline) is None

    assert raw(world) == []


def test_only_the_records_that_failed_are_written_again(world, store):
    written = []
    put = world.drivers[1].put

    def flaky(records, /, **options):
        written.append([record.key.sort for record in records])
        errors = put(records[1:], **options) if len(written) == 1 else put(records, **options)
        return [ItemError(0, unavailable()), *errors] if len(written) == 1 else errors

    world.drivers[1].put = flaky
    records = [Record(key=replace(KEY, sort=sort), body=b"") for sort in "abc"]

    assert store.put_many(records, deadline=world.deadline) == []

    assert written == [["a", "b", "c"], ["a"]]


@pytest.mark.parametrize(
    "key",
    [
        Key(partition="", sort="s"),
        Key(partition="p", sort=""),
        Key(partition="p/q", sort="s"),
        Key(partition="p", sort="fünf"),
        Key(partition="p", sort="s\n"),
        Key(partition="p" * 250, sort="s" * 250),
    ],
    ids=["no partition", "no sort", "a slash", "a letter beyond ASCII", "a line break", "too long"],
)
@pytest.mark.parametrize("call", ["put", "put_many", "get", "delete", "delete on a version"])
def test_a_key_no_store_need_hold_is_refused_in_words(world, store, key, call):
    calls = {
        "put": lambda: store.put(Record(key=key, body=b"x"), deadline=world.deadline),
        "put_many": lambda: store.put_many([Record(key=key, body=b"x")], deadline=world.deadline),
        "get": lambda: store.get(key, deadline=world.deadline),
        "delete": lambda: store.delete(key, deadline=world.deadline),
        "delete on a version": lambda: store.delete(key, condition=Version("1"), deadline=world.deadline),
    }

    with pytest.raises(DriverError, match=r"made of A-Z|at most 487 bytes") as caught:
        calls[call]()

    assert caught.value.code is ErrorCode.INVALID
    assert world.faults.calls == 0


@pytest.mark.parametrize("bounds", [{"start": "a/b"}, {"end": "ü"}])
def test_a_query_no_store_need_answer_is_refused(world, store, bounds):
    with pytest.raises(DriverError, match="made of A-Z"):
        list(store.query("p", **bounds, deadline=world.deadline))
    with pytest.raises(DriverError, match="made of A-Z"):
        list(store.query("", deadline=world.deadline))


def test_the_longest_key_is_kept_also_of_a_record_that_is_split(world, store):
    world.drivers[1].limits = Limits(batch_items=5, batch_bytes=40_000, item_bytes=1_500)
    key = Key(partition="p" * 243, sort="s" * 244)

    store.put(Record(key=key, body=BIG), deadline=world.deadline)

    assert store.get(key, deadline=world.deadline).body == BIG


def test_one_key_twice_in_a_call_is_refused(world, store):
    twice = [Record(key=KEY, body=b"1"), Record(key=KEY, body=b"2")]

    for call in (
        lambda: store.put_many(twice, deadline=world.deadline),
        lambda: store.get_many([KEY, KEY], deadline=world.deadline),
        lambda: store.delete_many([KEY, KEY], deadline=world.deadline),
    ):
        with pytest.raises(DriverError, match="must all differ"):
            call()

    assert world.faults.calls == 0
