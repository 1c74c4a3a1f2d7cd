"""The contract of a store's queries: ranges, order, and pages that lose nothing."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tuppence.drivers import LETTERS, MAX_KEY, Context, Key, Record, StoreDriver
from tuppence.errors import ErrorCode
from tuppence.testing.contract import OpenDriver, Soon, opened, refused
from tuppence.testing.records import KEY, StoreTests, key, records

STAYING = [f"{number:03}" for number in range(0, 60, 2)]
"""Even numbers, which no writer touches."""
COMING = [f"{number:03}" for number in range(1, 60, 2)]


class PagesContract(StoreTests):
    """What every store answers to a query. Part of `StoreContract`."""

    about = "queries"

    def test_a_query_returns_its_range_in_order(self, driver: StoreDriver, soon: Soon) -> None:
        """`start` belongs to the range, `end` does not, and an empty one is no bound."""
        driver.put(records("c", "a", "e", "b", "d"), deadline=soon())

        assert self.names(driver, soon) == ["a", "b", "c", "d", "e"]
        assert self.names(driver, soon, start="b", end="d") == ["b", "c"]
        assert self.names(driver, soon, start="d") == ["d", "e"]
        assert self.names(driver, soon, end="b") == ["a"]
        assert not self.names(driver, soon, start="x")
        assert not self.names(driver, soon, start="c", end="c")
        assert not self.names(driver, soon, start="d", end="b")

    def test_bounds_need_not_be_there(self, driver: StoreDriver, soon: Soon) -> None:
        """They are compared with sort keys, letter by letter, and may be shorter or longer than any."""
        driver.put(records("2026-W09", "2026-W10", "2026-W10.me", "2026-W11"), deadline=soon())

        assert self.names(driver, soon, start="2026-W10", end="2026-W10~") == ["2026-W10", "2026-W10.me"]
        assert self.names(driver, soon, start="2026-W1", end="2026-W2") == [
            "2026-W10",
            "2026-W10.me",
            "2026-W11",
        ]
        assert self.names(driver, soon, start="~") == []
        assert len(self.names(driver, soon, start="-", end="~" * (MAX_KEY - len(KEY.partition)))) == 4

    def test_a_query_sorts_by_bytes(self, driver: StoreDriver, soon: Soon) -> None:
        """Digits, capitals, small letters: the order of ASCII, not of a language."""
        names = [*LETTERS, *(f"a{letter}" for letter in LETTERS)]
        for at in range(0, len(names), driver.limits.batch_items):
            driver.put(records(*names[at : at + driver.limits.batch_items]), deadline=soon())

        assert self.names(driver, soon) == sorted(names)

    def test_a_query_stays_in_its_partition(self, driver: StoreDriver, soon: Soon) -> None:
        """Not even a partition whose name begins the same gets in."""
        driver.put(
            [Record(key=Key(partition=p, sort="s"), body=b"x") for p in ("p", "p.q", "pq", "P")],
            deadline=soon(),
        )

        assert self.names(driver, soon, "p") == ["s"]

    def test_a_query_of_nothing_is_an_empty_page(self, driver: StoreDriver, soon: Soon) -> None:
        """A partition is not made before its first record, and that is no error."""
        page = driver.query("never.written", limit=10, deadline=soon())

        assert (list(page.records), page.cursor) == ([], None)

    def test_a_query_returns_whole_records(self, driver: StoreDriver, soon: Soon) -> None:
        """The same as `get` does, version included."""
        driver.put([Record(key=KEY, body=b"\x00\xff", attributes={"why": "fünf"})], deadline=soon())

        (queried,) = driver.query(KEY.partition, limit=1, deadline=soon()).records

        assert queried == self.one(driver, soon)

    def test_pages_hold_everything_once(self, driver: StoreDriver, soon: Soon) -> None:
        """Following the cursor until it is `None` gives each record once, one by one or many at a time."""
        expected = [f"{number:03}" for number in range(20)]
        for at in range(0, 20, driver.limits.batch_items):
            driver.put(records(*expected[at : at + driver.limits.batch_items]), deadline=soon())

        for limit in (1, 7, 20, 21, 10_000):
            assert self.paged(driver, soon, limit) == expected

    def test_no_page_is_longer_than_its_limit(self, driver: StoreDriver, soon: Soon) -> None:
        """Core holds one page in memory."""
        driver.put(records("a", "b", "c"), deadline=soon())

        assert len(driver.query(KEY.partition, limit=2, deadline=soon()).records) <= 2

    def test_pages_of_a_range_stay_in_it(self, driver: StoreDriver, soon: Soon) -> None:
        """A cursor goes on where its page ended and stops where the range does."""
        driver.put(records("a", "b", "c", "d", "e", "f"), deadline=soon())

        for limit in (1, 2, 4):
            assert self.paged(driver, soon, limit, start="b", end="f") == ["b", "c", "d", "e"]

    def test_pages_of_the_largest_records_hold_everything_once(self, driver: StoreDriver, soon: Soon) -> None:
        """A service that ends a page by size ends none of its records."""
        size = driver.limits.item_bytes - Record(key=key("0"), body=b"").size
        for sort in "012345":
            driver.put([Record(key=key(sort), body=sort.encode() * size)], deadline=soon())

        assert self.paged(driver, soon, 100) == [*"012345"]

    def test_pages_survive_writers(self, driver: StoreDriver, soon: Soon) -> None:
        """What was there before and stays is returned once, whatever is written and removed meanwhile."""
        driver.put(records(*(f"{number:03}" for number in range(0, 20, 2))), deadline=soon())
        page = driver.query(KEY.partition, limit=4, deadline=soon())
        found = [record.key.sort for record in page.records]

        driver.put(records("001", "005", "015"), deadline=soon())
        driver.delete([key(found[at]) for at in (0, 1, -1)], deadline=soon())
        while page.cursor is not None:
            page = driver.query(KEY.partition, limit=4, cursor=page.cursor, deadline=soon())
            found += [record.key.sort for record in page.records]

        assert [name for name in found if int(name) % 2 == 0] == [f"{n:03}" for n in range(0, 20, 2)]
        assert len(found) == len(set(found))

    def test_a_cursor_outlives_everything_it_pointed_to(self, driver: StoreDriver, soon: Soon) -> None:
        """The records before and behind it may all be deleted: the next page is the last, and empty."""
        driver.put(records("a", "b", "c", "d"), deadline=soon())
        page = driver.query(KEY.partition, limit=2, deadline=soon())
        driver.delete([key(sort) for sort in "abcd"], deadline=soon())

        found: list[Record] = []
        while page.cursor is not None:
            page = driver.query(KEY.partition, limit=2, cursor=page.cursor, deadline=soon())
            found += page.records

        assert not found

    def test_pages_survive_writers_at_work(
        self, driver: StoreDriver, soon: Soon, open_driver: OpenDriver[StoreDriver], context: Context
    ) -> None:
        """Writers put and delete between what stays, in threads of their own, for as long as it is read."""
        for at in range(0, len(STAYING), driver.limits.batch_items):
            driver.put(records(*STAYING[at : at + driver.limits.batch_items]), deadline=soon())
        done = threading.Event()

        def write(first: int) -> None:
            with opened(open_driver, context) as store:
                while not done.is_set():
                    for sort in COMING[first::2]:
                        store.put(records(sort), deadline=soon())
                    store.delete([key(sort) for sort in COMING[first : first + 1]], deadline=soon())

        with ThreadPoolExecutor(2) as threads:
            writers = [threads.submit(write, first) for first in range(2)]
            try:
                readings = [self.paged(driver, soon, limit) for limit in (1, 3, 7)]
            finally:
                done.set()
        for writer in writers:
            writer.result()

        for found in readings:
            assert [name for name in found if int(name) % 2 == 0] == STAYING
            assert found == sorted(set(found))

    def test_a_foreign_cursor_is_refused(self, driver: StoreDriver, soon: Soon) -> None:
        """A cursor belongs to the query that gave it; any other text is `INVALID`."""
        driver.put(records("a", "b"), deadline=soon())

        with refused(ErrorCode.INVALID):
            driver.query(KEY.partition, limit=1, cursor="made up", deadline=soon())

    @pytest.mark.parametrize(
        "change",
        [
            {"partition": "contract.others"},
            {"start": "a"},
            {"start": "c"},
            {"end": "f"},
            {"start": "a", "end": "f"},
        ],
        ids=["another partition", "another start", "a start behind it", "another end", "both bounds"],
    )
    def test_a_cursor_of_another_query_is_refused(
        self, driver: StoreDriver, soon: Soon, change: dict[str, str]
    ) -> None:
        """Of another partition or range: `INVALID`, since it would skip records and say nothing."""
        driver.put(records("a", "b", "c", "d"), deadline=soon())
        driver.put([Record(key=Key(partition="contract.others", sort="a"), body=b"x")], deadline=soon())
        cursor = driver.query(KEY.partition, limit=2, deadline=soon()).cursor
        partition = change.get("partition", KEY.partition)
        bounds = {name: bound for name, bound in change.items() if name != "partition"}

        assert cursor is not None
        with refused(ErrorCode.INVALID, operation="store.query"):
            driver.query(partition, limit=2, cursor=cursor, deadline=soon(), **bounds)

    def paged(self, store: StoreDriver, soon: Soon, limit: int, **bounds: str) -> list[str]:
        """Return the sort keys of a whole query in pages of `limit`."""
        page = store.query(KEY.partition, limit=limit, deadline=soon(), **bounds)
        found = [record.key.sort for record in page.records]
        while page.cursor is not None:
            page = store.query(KEY.partition, limit=limit, cursor=page.cursor, deadline=soon(), **bounds)
            found += [record.key.sort for record in page.records]
        return found
