"""The contract of a store."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tuppence.clock import Deadline
from tuppence.drivers import ZERO, Feature, Key, Record, StoreDriver
from tuppence.errors import ErrorCode
from tuppence.testing.conditions import KEY, SECOND, ConditionsContract, Soon, key, records
from tuppence.testing.contract import Advancing, refused


class StoreContract(ConditionsContract):
    """What every store does."""

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

    @pytest.mark.parametrize("body", [b"", b"plain", "fünf £".encode(), bytes(range(256))])
    def test_a_record_is_read_as_it_was_put(
        self, driver: StoreDriver, soon: Soon, clock: Advancing, body: bytes
    ) -> None:
        """Body, attributes and expiry come back, and a read sees a put that has completed."""
        expires = clock.now().replace(microsecond=0) + timedelta(days=1)
        record = Record(key=KEY, body=body, attributes={"why": "fünf £"}, expires_at=expires)

        errors = driver.put([record], deadline=soon())
        read = self.one(driver, soon)

        assert not errors
        assert read is not None
        assert (read.key, read.body, dict(read.attributes)) == (KEY, body, {"why": "fünf £"})
        assert read.expires_at == expires

    def test_get_answers_in_the_order_of_the_keys(self, driver: StoreDriver, soon: Soon) -> None:
        """One answer for each key, `None` where nothing is."""
        driver.put(records("a", "b"), deadline=soon())

        found = driver.get([key("b"), key("nothing"), key("a")], deadline=soon())

        assert [record and record.key.sort for record in found] == ["b", None, "a"]

    def test_a_put_replaces_the_whole_record(self, driver: StoreDriver, soon: Soon, clock: Advancing) -> None:
        """Nothing of the old record stays: no attribute, no expiry."""
        old = Record(key=KEY, body=b"old", attributes={"a": "b"}, expires_at=clock.now() + timedelta(days=1))
        driver.put([old], deadline=soon())

        driver.put([Record(key=KEY, body=b"new")], deadline=soon())
        read = self.one(driver, soon)

        assert read is not None
        assert (read.body, dict(read.attributes), read.expires_at) == (b"new", {}, None)

    def test_a_full_batch_is_stored(self, driver: StoreDriver, soon: Soon) -> None:
        """`batch_items` records go in one call, and come back in one."""
        batch = records(*(f"{number:04}" for number in range(driver.limits.batch_items)))

        errors = driver.put(batch, deadline=soon())
        found = driver.get([record.key for record in batch], deadline=soon())

        assert not errors
        assert [record and record.key for record in found] == [record.key for record in batch]

    def test_a_batch_over_the_limit_is_refused_whole(self, driver: StoreDriver, soon: Soon) -> None:
        """A call beyond `limits` is the caller's mistake, and nothing of it is written."""
        batch = records(*(f"{number:04}" for number in range(driver.limits.batch_items + 1)))

        with refused(ErrorCode.INVALID, ErrorCode.TOO_LARGE):
            driver.put(batch, deadline=soon())

        assert not self.names(driver, soon)

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

        assert [(error.position, error.error.code) for error in errors] == [(1, ErrorCode.TOO_LARGE)]
        assert self.names(driver, soon) == ["a", "z"]

    def test_a_query_returns_its_range_in_order(self, driver: StoreDriver, soon: Soon) -> None:
        """`start` belongs to the range, `end` does not, and an empty one is no bound."""
        driver.put(records("c", "a", "e", "b", "d"), deadline=soon())

        assert self.names(driver, soon) == ["a", "b", "c", "d", "e"]
        assert self.names(driver, soon, start="b", end="d") == ["b", "c"]
        assert self.names(driver, soon, start="d") == ["d", "e"]
        assert self.names(driver, soon, end="b") == ["a"]
        assert not self.names(driver, soon, start="x")

    def test_a_query_sorts_by_bytes(self, driver: StoreDriver, soon: Soon) -> None:
        """Digits, capitals, small letters: the order of ASCII, not of a language."""
        letters = ["b", "B", "a", "A", "1", "~", "_", "-", "."]
        driver.put(records(*letters), deadline=soon())

        assert self.names(driver, soon) == sorted(letters)

    def test_a_query_stays_in_its_partition(self, driver: StoreDriver, soon: Soon) -> None:
        """Not even a partition whose name begins the same gets in."""
        driver.put(
            [Record(key=Key(partition=p, sort="s"), body=b"x") for p in ("p", "p.q", "pq")], deadline=soon()
        )

        assert self.names(driver, soon, "p") == ["s"]

    def test_pages_hold_everything_once(self, driver: StoreDriver, soon: Soon) -> None:
        """Following the cursor until it is `None` gives each record once."""
        expected = [f"{number:03}" for number in range(20)]
        driver.put(records(*expected), deadline=soon())

        assert self.names(driver, soon) == expected

    def test_pages_survive_writers(self, driver: StoreDriver, soon: Soon) -> None:
        """What was there before and stays is returned once, whatever is written and removed meanwhile."""
        driver.put(records(*(f"{number:03}" for number in range(0, 20, 2))), deadline=soon())
        page = driver.query(KEY.partition, limit=4, deadline=soon())
        found = [record.key.sort for record in page.records]

        driver.put(records("001", "005", "015"), deadline=soon())
        driver.delete([key(found[-1])], deadline=soon())
        while page.cursor is not None:
            page = driver.query(KEY.partition, limit=4, cursor=page.cursor, deadline=soon())
            found += [record.key.sort for record in page.records]

        assert [name for name in found if int(name) % 2 == 0] == [f"{n:03}" for n in range(0, 20, 2)]
        assert len(found) == len(set(found))

    def test_a_foreign_cursor_is_refused(self, driver: StoreDriver, soon: Soon) -> None:
        """A cursor belongs to the query that gave it; any other text is `INVALID`."""
        driver.put(records("a", "b"), deadline=soon())

        with refused(ErrorCode.INVALID):
            driver.query(KEY.partition, limit=1, cursor="made up", deadline=soon())

    def test_a_deleted_record_is_gone(self, driver: StoreDriver, soon: Soon) -> None:
        """What is not there is no error."""
        driver.put(records("a", "b"), deadline=soon())

        errors = driver.delete([key("a"), key("nothing")], deadline=soon())

        assert not errors
        assert self.names(driver, soon) == ["b"]

    def test_a_record_is_gone_from_the_second_it_expires(
        self, driver: StoreDriver, soon: Soon, clock: Advancing
    ) -> None:
        """Neither get nor query returns it from then on, deleted or not."""
        expires = clock.now().replace(microsecond=0) + timedelta(seconds=3)
        driver.put([Record(key=KEY, body=b"x", expires_at=expires)], deadline=soon())

        clock.advance(expires - clock.now() - SECOND)
        before = self.one(driver, soon), self.names(driver, soon)
        clock.advance(SECOND)

        assert before[0] is not None
        assert before[1] == ["one"]
        assert self.one(driver, soon) is None
        assert not self.names(driver, soon)

    def test_purge_deletes_what_has_expired(self, driver: StoreDriver, soon: Soon, clock: Advancing) -> None:
        """At most `limit` a call, nothing that lives; where TTL is native there is nothing to do."""
        expires = clock.now() + SECOND
        short = [Record(key=key(f"s{n}"), body=b"x", expires_at=expires) for n in range(3)]
        long = Record(key=key("long"), body=b"x", expires_at=expires + timedelta(days=1))
        driver.put([*short, long, *records("kept")], deadline=soon())
        early = driver.purge(before=clock.now() + timedelta(days=9), limit=10, deadline=soon())
        clock.advance(timedelta(seconds=5))

        counts = [driver.purge(before=clock.now(), limit=2, deadline=soon()) for _ in range(3)]

        assert early == 0
        assert counts == ([0, 0, 0] if Feature.NATIVE_TTL in driver.features else [2, 1, 0])
        assert self.names(driver, soon) == ["kept", "long"]

    def test_no_call_starts_after_the_deadline(
        self, driver: StoreDriver, clock: Advancing, soon: Soon
    ) -> None:
        """`TIMEOUT`, and nothing is written."""
        late = Deadline.after(ZERO, clock)

        with refused(ErrorCode.TIMEOUT):
            driver.put(records("one"), deadline=late)
        with refused(ErrorCode.TIMEOUT):
            driver.get([KEY], deadline=late)

        assert self.one(driver, soon) is None

    def test_a_missing_store_is_not_found(self, missing: StoreDriver, soon: Soon) -> None:
        """Every call on a resource that is not there says so."""
        with refused(ErrorCode.NOT_FOUND):
            missing.put(records("one"), deadline=soon())
        with refused(ErrorCode.NOT_FOUND):
            missing.get([KEY], deadline=soon())
        with refused(ErrorCode.NOT_FOUND):
            missing.query("p", limit=1, deadline=soon())
        with refused(ErrorCode.NOT_FOUND):
            missing.delete([KEY], deadline=soon())


def _of_size(size: int) -> Record:
    """Return a record that weighs `size` bytes, key and attributes included."""
    empty = Record(key=KEY, body=b"", attributes={"name": "fünf"})
    return Record(key=KEY, body=bytes(size - empty.size), attributes=empty.attributes)
