"""The contract of a store's conditions: `Absent` and `Version`, raced."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from tuppence.clock import Deadline
from tuppence.drivers import Absent, Context, Key, Record, StoreDriver, Version
from tuppence.errors import ErrorCode
from tuppence.testing.contract import RACERS, Advancing, DriverContract, OpenDriver, race, refused

Result = TypeVar("Result")
Soon = Callable[[], Deadline]

SECOND = timedelta(seconds=1)
KEY = Key(partition="contract.things", sort="one")


class ConditionsContract(DriverContract):
    """What every store does with conditions. Part of `StoreContract`."""

    def one(self, store: StoreDriver, soon: Soon) -> Record | None:
        """Read the record at `KEY`."""
        return store.get([KEY], deadline=soon())[0]

    def version(self, store: StoreDriver, soon: Soon) -> Version:
        """Return the version it has now."""
        record = self.one(store, soon)
        assert record is not None
        assert record.version
        return Version(record.version)

    def test_every_put_changes_the_version(self, driver: StoreDriver, soon: Soon) -> None:
        """Also one with the same content, and also after a deletion."""
        versions = []
        for _ in range(2):
            driver.put(records("one"), deadline=soon())
            versions.append(self.version(driver, soon))
        driver.delete([KEY], deadline=soon())
        driver.put(records("one"), deadline=soon())
        versions.append(self.version(driver, soon))

        assert len(set(versions)) == 3

    def test_absent_writes_only_where_nothing_is(self, driver: StoreDriver, soon: Soon) -> None:
        """Each record fails alone with `ALREADY_EXISTS`, and what was there stays."""
        driver.put([Record(key=KEY, body=b"first")], deadline=soon())
        second = Record(key=KEY, body=b"second")

        errors = driver.put([*records("a"), second, *records("z")], condition=Absent(), deadline=soon())
        read = self.one(driver, soon)

        assert [(error.position, error.error.code) for error in errors] == [(1, ErrorCode.ALREADY_EXISTS)]
        assert read is not None
        assert read.body == b"first"
        assert driver.get([key("a"), key("z")], deadline=soon()).count(None) == 0

    def test_absent_holds_under_contention(
        self, driver: StoreDriver, soon: Soon, open_driver: OpenDriver[StoreDriver], context: Context
    ) -> None:
        """Sixteen writers at once: exactly one succeeds, and its record is the one that is read."""

        def write(number: int) -> bool:
            record = Record(key=KEY, body=f"{number}".encode())
            return _with_own(
                open_driver, context, lambda s: not s.put([record], condition=Absent(), deadline=soon())
            )

        won = race(write)
        read = self.one(driver, soon)

        assert won.count(True) == 1
        assert read is not None
        assert read.body == f"{won.index(True)}".encode()

    def test_version_writes_only_what_has_not_changed(self, driver: StoreDriver, soon: Soon) -> None:
        """A put on the version that was read succeeds once; then it is a `CONFLICT`."""
        driver.put([Record(key=KEY, body=b"first")], deadline=soon())
        version = self.version(driver, soon)

        fine = driver.put([Record(key=KEY, body=b"second")], condition=version, deadline=soon())
        stale = driver.put([Record(key=KEY, body=b"third")], condition=version, deadline=soon())
        read = self.one(driver, soon)

        assert not fine
        assert [(error.position, error.error.code) for error in stale] == [(0, ErrorCode.CONFLICT)]
        assert read is not None
        assert read.body == b"second"

    def test_version_does_not_bring_back_what_is_gone(self, driver: StoreDriver, soon: Soon) -> None:
        """A put or a delete on a version whose record was removed is a `CONFLICT`."""
        driver.put(records("one"), deadline=soon())
        version = self.version(driver, soon)
        driver.delete([KEY], deadline=soon())

        put = driver.put(records("one"), condition=version, deadline=soon())
        deleted = driver.delete([KEY], condition=version, deadline=soon())

        assert [error.error.code for error in [*put, *deleted]] == [ErrorCode.CONFLICT] * 2
        assert self.one(driver, soon) is None

    def test_version_holds_under_contention(
        self, driver: StoreDriver, soon: Soon, open_driver: OpenDriver[StoreDriver], context: Context
    ) -> None:
        """Sixteen writers on one version: exactly one succeeds."""
        driver.put(records("one"), deadline=soon())
        version = self.version(driver, soon)

        def write(number: int) -> bool:
            record = Record(key=KEY, body=f"{number}".encode())
            return _with_own(
                open_driver, context, lambda s: not s.put([record], condition=version, deadline=soon())
            )

        assert race(write).count(True) == 1

    def test_a_counter_kept_by_versions_loses_nothing(
        self, driver: StoreDriver, soon: Soon, open_driver: OpenDriver[StoreDriver], context: Context
    ) -> None:
        """Sixteen writers that read, add one and try again on `CONFLICT` add sixteen."""
        driver.put([Record(key=KEY, body=b"0")], deadline=soon())

        def add_one(store: StoreDriver) -> None:
            errors = [None]
            while errors:
                read = self.one(store, soon)
                assert read is not None
                record = Record(key=KEY, body=f"{int(read.body) + 1}".encode())
                condition = Version(read.version or "")
                errors = [None for _ in store.put([record], condition=condition, deadline=soon())]

        race(lambda _: _with_own(open_driver, context, add_one))
        read = self.one(driver, soon)

        assert read is not None
        assert int(read.body) == RACERS

    def test_version_takes_one_record_a_call(self, driver: StoreDriver, soon: Soon) -> None:
        """Two records cannot both have one version: `INVALID`, and neither is written."""
        with refused(ErrorCode.INVALID):
            driver.put(records("a", "b"), condition=Version("1"), deadline=soon())

        assert driver.get([key("a"), key("b")], deadline=soon()) == [None, None]

    def test_delete_with_a_version_spares_what_has_changed(self, driver: StoreDriver, soon: Soon) -> None:
        """`CONFLICT` for a stale version; a current one removes."""
        driver.put(records("one"), deadline=soon())
        stale = self.version(driver, soon)
        driver.put(records("one"), deadline=soon())

        kept = driver.delete([KEY], condition=stale, deadline=soon())
        current = self.version(driver, soon)
        removed = driver.delete([KEY], condition=current, deadline=soon())

        assert [error.error.code for error in kept] == [ErrorCode.CONFLICT]
        assert not removed
        assert self.one(driver, soon) is None

    def test_an_expired_record_counts_as_absent(
        self, driver: StoreDriver, soon: Soon, clock: Advancing
    ) -> None:
        """`Version` finds nothing to match, and `Absent` may write."""
        driver.put([Record(key=KEY, body=b"old", expires_at=clock.now() + SECOND)], deadline=soon())
        version = self.version(driver, soon)
        clock.advance(2 * SECOND)

        stale = driver.put(records("one"), condition=version, deadline=soon())
        kept = driver.delete([KEY], condition=version, deadline=soon())
        written = driver.put([Record(key=KEY, body=b"new")], condition=Absent(), deadline=soon())
        read = self.one(driver, soon)

        assert [error.error.code for error in [*stale, *kept]] == [ErrorCode.CONFLICT] * 2
        assert not written
        assert read is not None
        assert read.body == b"new"


def _with_own(
    open_driver: OpenDriver[StoreDriver], context: Context, work: Callable[[StoreDriver], Result]
) -> Result:
    store = open_driver(context)
    try:
        return work(store)
    finally:
        store.close()


def key(sort: str) -> Key:
    """Return where a record of the tests lives."""
    return Key(partition=KEY.partition, sort=sort)


def records(*sorts: str) -> list[Record]:
    """Return small records under these sort keys."""
    return [Record(key=key(sort), body=b"body") for sort in sorts]
