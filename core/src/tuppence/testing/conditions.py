"""The contract of a store's conditions: `Absent` and `Version`, raced."""

from __future__ import annotations

from typing import Final

import pytest

from tuppence.drivers import Absent, Context, Record, StoreDriver, Version
from tuppence.errors import ErrorCode
from tuppence.testing.contract import RACERS, OpenDriver, Soon, failures, opened, race, refused
from tuppence.testing.records import KEY, StoreTests, key, records

ROUNDS: Final = 6
"""How often a race is run that may end well by luck."""
TRIES: Final = 4 * RACERS
"""How often one of racing writers tries: with every round that all lose to one, one is done."""


class ConditionsContract(StoreTests):
    """What every store does with conditions. Part of `StoreContract`."""

    about = "conditions"

    def version(self, store: StoreDriver, soon: Soon) -> Version:
        """Return the version that the record at `KEY` has now."""
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

        assert failures(errors) == [(1, ErrorCode.ALREADY_EXISTS)]
        assert read is not None
        assert read.body == b"first"
        assert driver.get([key("a"), key("z")], deadline=soon()).count(None) == 0

    def test_each_record_of_a_call_fails_in_its_own_way(self, driver: StoreDriver, soon: Soon) -> None:
        """One is there, one is too large, and the two that are neither are written."""
        driver.put(records("b"), deadline=soon())
        over = Record(key=key("c"), body=bytes(driver.limits.item_bytes + 1))

        errors = driver.put([*records("a", "b"), over, *records("d")], condition=Absent(), deadline=soon())

        assert failures(errors) == [(1, ErrorCode.ALREADY_EXISTS), (2, ErrorCode.TOO_LARGE)]
        assert self.names(driver, soon) == ["a", "b", "d"]

    def test_absent_holds_under_contention(
        self, driver: StoreDriver, soon: Soon, open_driver: OpenDriver[StoreDriver], context: Context
    ) -> None:
        """Sixteen writers at once: exactly one succeeds, and its record is the one that is read."""

        def write(number: int) -> bool:
            record = Record(key=KEY, body=f"{number}".encode())
            with opened(open_driver, context) as store:
                return not store.put([record], condition=Absent(), deadline=soon())

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
        assert failures(stale) == [(0, ErrorCode.CONFLICT)]
        assert read is not None
        assert read.body == b"second"

    def test_version_does_not_bring_back_what_is_gone(self, driver: StoreDriver, soon: Soon) -> None:
        """A put or a delete on a version whose record was removed is a `CONFLICT`."""
        driver.put(records("one"), deadline=soon())
        version = self.version(driver, soon)
        driver.delete([KEY], deadline=soon())

        put = driver.put(records("one"), condition=version, deadline=soon())
        deleted = driver.delete([KEY], condition=version, deadline=soon())

        assert failures(put) == failures(deleted) == [(0, ErrorCode.CONFLICT)]
        assert self.one(driver, soon) is None

    def test_version_holds_under_contention(
        self, driver: StoreDriver, soon: Soon, open_driver: OpenDriver[StoreDriver], context: Context
    ) -> None:
        """Sixteen writers on one version: exactly one succeeds."""
        driver.put(records("one"), deadline=soon())
        version = self.version(driver, soon)

        def write(number: int) -> bool:
            record = Record(key=KEY, body=f"{number}".encode())
            with opened(open_driver, context) as store:
                return not store.put([record], condition=version, deadline=soon())

        assert race(write).count(True) == 1

    def test_a_counter_kept_by_versions_loses_nothing(
        self, driver: StoreDriver, soon: Soon, open_driver: OpenDriver[StoreDriver], context: Context
    ) -> None:
        """Sixteen writers that read, add one and try again on `CONFLICT` add sixteen."""
        driver.put([Record(key=KEY, body=b"0")], deadline=soon())

        def add_one(_: int) -> None:
            with opened(open_driver, context) as store:
                for _ in range(TRIES):
                    read = self.one(store, soon)
                    assert read is not None
                    record = Record(key=KEY, body=f"{int(read.body) + 1}".encode())
                    if not store.put([record], condition=Version(read.version or ""), deadline=soon()):
                        return

        race(add_one)
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

        assert failures(kept) == [(0, ErrorCode.CONFLICT)]
        assert not removed
        assert self.one(driver, soon) is None

    def test_a_query_gives_the_version_that_get_gives(self, driver: StoreDriver, soon: Soon) -> None:
        """The sealer reads an hour's marker by a query and deletes it by its version."""
        driver.put(records("one"), deadline=soon())

        (queried,) = driver.query(KEY.partition, limit=1, deadline=soon()).records

        assert queried.version
        assert not driver.delete([KEY], condition=Version(queried.version), deadline=soon())

    def test_absent_names_each_record_that_is_there(self, driver: StoreDriver, soon: Soon) -> None:
        """Of a full batch, every second one: the others are written."""
        names = [f"{number:04}" for number in range(driver.limits.batch_items)]
        driver.put(records(*names[::2]), deadline=soon())

        errors = driver.put(records(*names), condition=Absent(), deadline=soon())

        there = range(0, len(names), 2)
        assert failures(errors) == [(position, ErrorCode.ALREADY_EXISTS) for position in there]
        assert self.names(driver, soon) == names

    def test_absent_may_write_what_was_deleted(self, driver: StoreDriver, soon: Soon) -> None:
        """A deletion leaves nothing behind that would count as there."""
        driver.put(records("one"), deadline=soon())
        driver.delete([KEY], deadline=soon())

        assert not driver.put(records("one"), condition=Absent(), deadline=soon())
        assert self.one(driver, soon) is not None

    def test_a_version_of_what_never_was_is_a_conflict(self, driver: StoreDriver, soon: Soon) -> None:
        """Not `NOT_FOUND`: to core, gone and changed are the same."""
        driver.put(records("other"), deadline=soon())
        (other,) = driver.get([key("other")], deadline=soon())
        assert other is not None
        version = Version(other.version or "")

        put = driver.put(records("one"), condition=version, deadline=soon())
        deleted = driver.delete([KEY], condition=version, deadline=soon())

        assert failures(put) == failures(deleted) == [(0, ErrorCode.CONFLICT)]
        assert self.one(driver, soon) is None

    def test_a_record_may_be_put_on_its_version_again_and_again(
        self, driver: StoreDriver, soon: Soon
    ) -> None:
        """Each put gives a new version, also with the content of one before."""
        driver.put([Record(key=KEY, body=b"0")], deadline=soon())
        versions = [self.version(driver, soon)]

        for number in range(1, 5):
            record = Record(key=KEY, body=f"{number % 2}".encode())
            assert not driver.put([record], condition=versions[-1], deadline=soon())
            versions.append(self.version(driver, soon))

        assert len(set(versions)) == len(versions)

    def test_deleting_and_putting_on_one_version_has_one_winner(
        self, driver: StoreDriver, soon: Soon, open_driver: OpenDriver[StoreDriver], context: Context
    ) -> None:
        """Eight that delete against eight that put: one succeeds, and what is read is what it left."""
        driver.put(records("one"), deadline=soon())
        version = self.version(driver, soon)

        def change(number: int) -> bool:
            record = Record(key=KEY, body=f"{number}".encode())
            with opened(open_driver, context) as store:
                if number % 2:
                    return not store.delete([KEY], condition=version, deadline=soon())
                return not store.put([record], condition=version, deadline=soon())

        won = race(change)
        read = self.one(driver, soon)

        assert won.count(True) == 1
        winner = won.index(True)
        assert (read and read.body) == (None if winner % 2 else f"{winner}".encode())

    @pytest.mark.parametrize("_", range(ROUNDS))
    def test_a_marker_written_while_it_is_deleted_by_version_stays(
        self,
        driver: StoreDriver,
        soon: Soon,
        open_driver: OpenDriver[StoreDriver],
        context: Context,
        _: int,
    ) -> None:
        """A drain marks an hour while a sealer takes the old mark away: the new mark is there afterwards."""
        driver.put([Record(key=KEY, body=b"old")], deadline=soon())
        version = self.version(driver, soon)

        def change(number: int) -> int:
            with opened(open_driver, context) as store:
                if number % 2:
                    store.delete([KEY], condition=version, deadline=soon())
                    return 0
                return len(store.put([Record(key=KEY, body=b"new")], deadline=soon()))

        failed = race(change)
        read = self.one(driver, soon)

        assert sum(failed) == 0
        assert read is not None
        assert read.body == b"new"
