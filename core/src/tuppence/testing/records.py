"""The contract of a store's records: what is read back, and how much fits."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import pytest

from tuppence.drivers import LETTERS, MAX_KEY, Context, Key, Kind, Record, StoreDriver
from tuppence.errors import ErrorCode
from tuppence.testing.contract import (
    Advancing,
    OpenDriver,
    Soon,
    check_units,
    failures,
    opened,
    race,
    refused,
)
from tuppence.testing.driver import ResourceContract

KEY: Final = Key(partition="contract.things", sort="one")
DAY: Final = timedelta(days=1)
BODIES: Final = {
    "empty": b"",
    "ascii": b"plain",
    "unicode": "fünf £".encode(),
    "every byte": bytes(range(256)),
    "no text": b"\xff\xfe\x00\x80",
}
KEYS: Final = {
    "every letter": Key(partition=LETTERS, sort=LETTERS),
    "a long partition": Key(partition="p" * (MAX_KEY - 1), sort="s"),
    "a long sort": Key(partition="p", sort="s" * (MAX_KEY - 1)),
    "signs first": Key(partition="-.", sort=".~"),
    "dots alone": Key(partition="..", sort="."),
}
ATTRIBUTES: Final[Mapping[str, Mapping[str, str]]] = {
    "none": {},
    "unicode": {"why": "fünf £ \U0001f4ca", "names": "日本語"},
    "quotes": {"q": "\"'\\", "lines": "a\r\n\tb"},
    "an empty one": {"empty": ""},
    "names that services use": {"ttl": "1", "version": "2", "etag": "3", "id": "4", "Size_2": "5"},
}


class StoreTests(ResourceContract):
    """What tests of stores are made of."""

    kind = Kind.STORE

    def one(self, store: StoreDriver, soon: Soon) -> Record | None:
        """Read the record at `KEY`."""
        return store.get([KEY], deadline=soon())[0]

    def names(
        self, store: StoreDriver, soon: Soon, partition: str = KEY.partition, **bounds: str
    ) -> list[str]:
        """Return the sort keys of a whole query, page by page."""
        found: list[str] = []
        cursor: str | None = None
        while True:
            page = store.query(partition, limit=3, cursor=cursor, deadline=soon(), **bounds)
            found += [record.key.sort for record in page.records]
            cursor = page.cursor
            if cursor is None:
                return found


class RecordsContract(StoreTests):
    """What a store keeps. Part of `StoreContract`."""

    about = "records and limits"

    @pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
    def test_a_record_is_read_as_it_was_put(
        self, driver: StoreDriver, soon: Soon, clock: Advancing, body: bytes
    ) -> None:
        """Body, attributes and expiry come back, and a read sees a put that has completed."""
        expires = clock.now().replace(microsecond=0) + DAY
        record = Record(key=KEY, body=body, attributes={"why": "fünf £"}, expires_at=expires)

        errors = driver.put([record], deadline=soon())
        read = self.one(driver, soon)

        assert not errors
        assert read is not None
        assert (read.key, read.body, dict(read.attributes)) == (KEY, body, {"why": "fünf £"})
        assert read.expires_at == expires
        assert read.version

    @pytest.mark.parametrize("attributes", ATTRIBUTES.values(), ids=ATTRIBUTES)
    def test_attributes_come_back(
        self, driver: StoreDriver, soon: Soon, attributes: Mapping[str, str]
    ) -> None:
        """Any text, under any name in ASCII: none is the service's or the driver's own."""
        driver.put([Record(key=KEY, body=b"x", attributes=attributes)], deadline=soon())

        (queried,) = driver.query(KEY.partition, limit=1, deadline=soon()).records
        read = self.one(driver, soon)

        assert read is not None
        assert dict(read.attributes) == dict(queried.attributes) == attributes

    @pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
    def test_a_key_may_have_every_letter_and_length(self, driver: StoreDriver, soon: Soon, key: Key) -> None:
        """As far as the rules for keys allow; it is found by get, by query and by delete."""
        errors = driver.put([Record(key=key, body=b"x")], deadline=soon())

        (read,) = driver.get([key], deadline=soon())
        assert not errors
        assert read is not None
        assert read.key == key
        assert self.names(driver, soon, key.partition) == [key.sort]
        assert not driver.delete([key], deadline=soon())
        assert driver.get([key], deadline=soon()) == [None]

    def test_keys_that_differ_only_in_case_are_two(self, driver: StoreDriver, soon: Soon) -> None:
        """Keys are compared to the letter, in both parts."""
        keys = [Key(partition=p, sort=s) for p in ("Pp", "pP") for s in ("Ss", "sS")]

        driver.put([Record(key=key, body=f"{key}".encode()) for key in keys], deadline=soon())

        read = driver.get(keys, deadline=soon())
        assert [record and record.body for record in read] == [f"{key}".encode() for key in keys]

    def test_parts_of_a_key_do_not_run_together(self, driver: StoreDriver, soon: Soon) -> None:
        """`a` and `b.c` is another place than `a.b` and `c`."""
        keys = [
            Key(partition="a", sort="b.c"),
            Key(partition="a.b", sort="c"),
            Key(partition="a.b.", sort="c"),
        ]

        driver.put([Record(key=key, body=f"{key}".encode()) for key in keys], deadline=soon())

        read = driver.get(keys, deadline=soon())
        assert [record and record.body for record in read] == [f"{key}".encode() for key in keys]

    def test_get_answers_in_the_order_of_the_keys(self, driver: StoreDriver, soon: Soon) -> None:
        """One answer for each key, `None` where nothing is."""
        driver.put(records("a", "b"), deadline=soon())

        found = driver.get([key("b"), key("nothing"), key("a")], deadline=soon())

        assert [record and record.key.sort for record in found] == ["b", None, "a"]

    def test_one_call_may_span_partitions(self, driver: StoreDriver, soon: Soon) -> None:
        """The drain writes the segments of several hours together."""
        keys = [Key(partition=f"p{n % 3}", sort=f"{n}") for n in range(6)]

        errors = driver.put([Record(key=key, body=b"x") for key in keys], deadline=soon())
        found = driver.get(keys, deadline=soon())
        deleted = driver.delete(keys[:3], deadline=soon())

        assert not errors
        assert [record and record.key for record in found] == keys
        assert not deleted
        assert driver.get(keys[:3], deadline=soon()) == [None] * 3
        assert None not in driver.get(keys[3:], deadline=soon())

    def test_a_put_replaces_the_whole_record(self, driver: StoreDriver, soon: Soon, clock: Advancing) -> None:
        """Nothing of the old record stays: no attribute, no expiry."""
        old = Record(key=KEY, body=b"old", attributes={"a": "b"}, expires_at=clock.now() + DAY)
        driver.put([old], deadline=soon())

        driver.put([Record(key=KEY, body=b"new")], deadline=soon())
        read = self.one(driver, soon)

        assert read is not None
        assert (read.body, dict(read.attributes), read.expires_at) == (b"new", {}, None)

    def test_the_version_of_a_record_that_is_put_means_nothing(self, driver: StoreDriver, soon: Soon) -> None:
        """Core puts back what it has read and changed; only a condition is a condition."""
        errors = driver.put([Record(key=KEY, body=b"x", version="another's")], deadline=soon())

        assert not errors
        assert self.one(driver, soon) is not None

    def test_another_process_sees_what_was_written(
        self, driver: StoreDriver, soon: Soon, open_driver: OpenDriver[StoreDriver], context: Context
    ) -> None:
        """At once, by get and by query, also if it has looked before; and sees what was deleted."""
        with opened(open_driver, context) as other:
            before = self.one(other, soon), self.names(other, soon)
            driver.put(records("one"), deadline=soon())
            written = self.one(other, soon), self.names(other, soon)
            driver.delete([KEY], deadline=soon())
            deleted = self.one(other, soon), self.names(other, soon)

        assert before == deleted == (None, [])
        assert written[0] is not None
        assert written[1] == ["one"]

    def test_racing_puts_leave_one_of_them_whole(
        self, driver: StoreDriver, soon: Soon, open_driver: OpenDriver[StoreDriver], context: Context
    ) -> None:
        """Sixteen at once: body and attributes that are read belong together."""

        def write(number: int) -> int:
            record = Record(key=KEY, body=f"{number}".encode() * 99, attributes={f"n{number}": f"{number}"})
            with opened(open_driver, context) as store:
                return len(store.put([record], deadline=soon()))

        failed = race(write)
        read = self.one(driver, soon)

        assert sum(failed) == 0
        assert read is not None
        ((name, value),) = read.attributes.items()
        assert (name, read.body) == (f"n{value}", value.encode() * 99)

    def test_a_full_batch_is_stored(self, driver: StoreDriver, soon: Soon) -> None:
        """`batch_items` records go in one call, come back in one, and are deleted in one."""
        batch = records(*(f"{number:04}" for number in range(driver.limits.batch_items)))
        keys = [record.key for record in batch]

        errors = driver.put(batch, deadline=soon())
        found = driver.get(keys, deadline=soon())
        deleted = driver.delete(keys, deadline=soon())

        assert not errors
        assert [record and record.key for record in found] == keys
        assert not deleted
        assert not self.names(driver, soon)

    @pytest.mark.parametrize("call", ["put", "get", "delete"])
    def test_a_batch_over_the_limit_is_refused_whole(
        self, driver: StoreDriver, soon: Soon, call: str
    ) -> None:
        """A call beyond `limits` is the caller's mistake, and nothing of it is done."""
        batch = records(*(f"{number:04}" for number in range(driver.limits.batch_items + 1)))
        keys = [record.key for record in batch]
        driver.put(records("kept"), deadline=soon())

        with refused(ErrorCode.INVALID, ErrorCode.TOO_LARGE):
            if call == "put":
                driver.put(batch, deadline=soon())
            elif call == "get":
                driver.get(keys, deadline=soon())
            else:
                driver.delete([*keys[1:], key("kept")], deadline=soon())

        assert self.names(driver, soon) == ["kept"]

    @pytest.mark.parametrize("under", [1, 0])
    def test_records_within_the_limit_of_a_call_are_taken(
        self, driver: StoreDriver, soon: Soon, under: int
    ) -> None:
        """`batch_bytes` counts sizes as `Record.size` does, to the byte: core fills calls up to it."""
        batch = _weighing(driver, driver.limits.batch_bytes - under)

        errors = driver.put(batch, deadline=soon())

        assert not errors
        assert self.names(driver, soon) == [record.key.sort for record in batch]

    def test_records_over_the_limit_of_a_call_are_refused_whole(
        self, driver: StoreDriver, soon: Soon
    ) -> None:
        """One byte over, and nothing of the call is written."""
        with refused(ErrorCode.INVALID, ErrorCode.TOO_LARGE):
            driver.put(_weighing(driver, driver.limits.batch_bytes + 1), deadline=soon())

        assert not self.names(driver, soon)

    def test_as_many_of_the_largest_records_as_a_call_holds_are_read_in_one(
        self, driver: StoreDriver, soon: Soon
    ) -> None:
        """Core asks for as many keys as fit into `batch_bytes` at `item_bytes` each."""
        limits = driver.limits
        most = min(limits.batch_items, limits.batch_bytes // limits.item_bytes)
        batch = _weighing(driver, most * limits.item_bytes)
        driver.put(batch, deadline=soon())

        found = driver.get([record.key for record in batch], deadline=soon())

        assert [record and len(record.body) for record in found] == [len(record.body) for record in batch]

    @pytest.mark.parametrize("under", [1, 0])
    def test_a_record_within_the_limit_is_taken(self, driver: StoreDriver, soon: Soon, under: int) -> None:
        """`item_bytes` counts body, key and attributes, to the byte."""
        record = _of_size(driver.limits.item_bytes - under)

        errors = driver.put([record], deadline=soon())
        read = self.one(driver, soon)

        assert not errors
        assert read is not None
        assert read.body == record.body

    def test_a_record_over_the_limit_fails_alone(self, driver: StoreDriver, soon: Soon) -> None:
        """`TOO_LARGE` at its position; the others are written."""
        over = _of_size(driver.limits.item_bytes + 1)
        before, after = records("a", "z")

        errors = driver.put([before, over, after], deadline=soon())

        assert failures(errors) == [(1, ErrorCode.TOO_LARGE)]
        assert self.names(driver, soon) == ["a", "z"]

    def test_the_limits_go_together(self, driver: StoreDriver) -> None:
        """A full call can be reached, an item fits into a call, and a chunk's key leaves room for a chunk."""
        limits = driver.limits

        assert limits.batch_items >= 1
        assert (
            2 * MAX_KEY <= limits.item_bytes <= limits.batch_bytes <= limits.batch_items * limits.item_bytes
        )

    def test_a_deleted_record_is_gone(self, driver: StoreDriver, soon: Soon) -> None:
        """What is not there is no error, alone or among others."""
        driver.put(records("a", "b"), deadline=soon())

        errors = driver.delete([key("a"), key("nothing")], deadline=soon())
        left = self.names(driver, soon)
        again = driver.delete([key("a")], deadline=soon())

        assert not errors
        assert not again
        assert left == self.names(driver, soon) == ["b"]

    def test_what_is_billed_is_counted(self, driver: StoreDriver, soon: Soon, context: Context) -> None:
        """Writes and reads: the month's bill is read from it, and a budget is kept by it."""
        driver.put(records("one"), deadline=soon())
        check_units(context)

        driver.get([KEY], deadline=soon())
        check_units(context)


def key(sort: str) -> Key:
    """Return where a record of the tests lives."""
    return Key(partition=KEY.partition, sort=sort)


def records(*sorts: str) -> list[Record]:
    """Return small records under these sort keys."""
    return [Record(key=key(sort), body=b"body") for sort in sorts]


def _of_size(size: int) -> Record:
    """Return a record that weighs `size` bytes, key and attributes included."""
    empty = Record(key=KEY, body=b"", attributes={"name": "fünf"})
    return Record(key=KEY, body=bytes(size - empty.size), attributes=empty.attributes)


def _weighing(driver: StoreDriver, total: int) -> list[Record]:
    """Return records that weigh `total` bytes together, as few as can be, none too small to be one."""
    least = Record(key=key("000"), body=b"").size
    sizes: list[int] = []
    while total:
        size = min(driver.limits.item_bytes, total)
        rest = total - size
        sizes.append(size if rest == 0 or rest > least else size - least)
        total -= sizes[-1]
    return [Record(key=key(f"{n:03}"), body=bytes(size - least)) for n, size in enumerate(sizes)]
