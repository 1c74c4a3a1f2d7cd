"""The contract of a store's time to live, to the second."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tuppence.drivers import Absent, Context, Feature, Record, StoreDriver, Version
from tuppence.errors import ErrorCode
from tuppence.testing.clock import ManualClock
from tuppence.testing.contract import SECOND, Advancing, OpenDriver, Soon, failures, opened, race
from tuppence.testing.records import DAY, KEY, StoreTests, key, records

LIFE = timedelta(seconds=3)


class ExpiryContract(StoreTests):
    """What every store does with records whose time is over. Part of `StoreContract`."""

    about = "expiry"

    def put_expiring(
        self, store: StoreDriver, soon: Soon, clock: Advancing, *sorts: str, life: timedelta = LIFE
    ) -> datetime:
        """Put records that expire at a whole second, and return it."""
        expires = clock.now().replace(microsecond=0) + life
        batch = [Record(key=key(sort), body=b"old", expires_at=expires) for sort in sorts or ("one",)]
        assert not store.put(batch, deadline=soon())
        return expires

    def until(self, clock: Advancing, moment: datetime) -> None:
        """Let time pass until it is `moment`."""
        clock.advance(moment - clock.now())

    def test_a_record_is_gone_from_the_second_it_expires(
        self, driver: StoreDriver, soon: Soon, clock: Advancing
    ) -> None:
        """Neither get nor query returns it from then on, deleted or not."""
        expires = self.put_expiring(driver, soon, clock)

        self.until(clock, expires - SECOND)
        before = self.one(driver, soon), self.names(driver, soon)
        self.until(clock, expires)

        assert before[0] is not None
        assert before[1] == ["one"]
        assert self.one(driver, soon) is None
        assert not self.names(driver, soon)

    @pytest.mark.parametrize("fraction", [1, 300_000, 700_000, 999_999])
    def test_a_fraction_of_a_second_is_left_aside(
        self, driver: StoreDriver, soon: Soon, clock: Advancing, fraction: int
    ) -> None:
        """What expires at 3.7 is gone from 3.0 on, is there at 2.9, and says 3 itself."""
        end = clock.now().replace(microsecond=0) + LIFE
        record = Record(key=KEY, body=b"x", expires_at=end.replace(microsecond=fraction))
        driver.put([record], deadline=soon())

        self.until(clock, end - SECOND / 10)
        before, queried = self.one(driver, soon), self.names(driver, soon)
        self.until(clock, end + SECOND / 5)

        assert before is not None
        assert before.expires_at == end
        assert queried == ["one"]
        assert self.one(driver, soon) is None
        assert not self.names(driver, soon)

    @pytest.mark.parametrize("days", [31, 400, 800, 36_500])
    def test_a_life_may_be_long(self, driver: StoreDriver, soon: Soon, clock: Advancing, days: int) -> None:
        """Rollups are kept for years: nothing cuts that short, and where time can be moved, it is tried."""
        life = days * DAY
        expires = self.put_expiring(driver, soon, clock, life=life)
        if isinstance(clock, ManualClock):
            clock.advance(life - DAY)

        read = self.one(driver, soon)

        assert read is not None
        assert read.expires_at == expires
        assert self.names(driver, soon) == ["one"]

    def test_expired_records_are_left_out_among_others(
        self, driver: StoreDriver, soon: Soon, clock: Advancing
    ) -> None:
        """Pages may come out short or empty, and still lead to what lives."""
        sorts = [f"{number:02}" for number in range(20)]
        driver.put(records(*sorts), deadline=soon())
        expires = self.put_expiring(driver, soon, clock, *sorts[1:19])

        self.until(clock, expires)
        found = driver.get([key("00"), key("01"), key("19")], deadline=soon())

        assert [record is not None for record in found] == [True, False, True]
        assert self.names(driver, soon) == ["00", "19"]

    def test_a_record_that_is_put_too_late_is_never_seen(
        self, driver: StoreDriver, soon: Soon, clock: Advancing
    ) -> None:
        """An import of old events may put what has expired already; that is no error."""
        self.put_expiring(driver, soon, clock, life=-DAY)

        assert self.one(driver, soon) is None
        assert not self.names(driver, soon)

    def test_a_later_put_may_prolong_a_life(self, driver: StoreDriver, soon: Soon, clock: Advancing) -> None:
        """The last put counts."""
        first = self.put_expiring(driver, soon, clock)
        second = self.put_expiring(driver, soon, clock, life=2 * LIFE)

        self.until(clock, first)
        between = self.names(driver, soon)
        self.until(clock, second)

        assert between == ["one"]
        assert not self.names(driver, soon)

    def test_a_later_put_may_shorten_a_life(self, driver: StoreDriver, soon: Soon, clock: Advancing) -> None:
        """Also under a condition on the version."""
        self.put_expiring(driver, soon, clock, life=DAY)
        read = self.one(driver, soon)
        assert read is not None
        shortened = Record(key=KEY, body=b"x", expires_at=clock.now().replace(microsecond=0) + LIFE)

        errors = driver.put([shortened], condition=Version(read.version or ""), deadline=soon())
        clock.advance(LIFE)

        assert not errors
        assert self.one(driver, soon) is None

    def test_a_later_put_may_take_the_expiry_away(
        self, driver: StoreDriver, soon: Soon, clock: Advancing
    ) -> None:
        """Then the record stays, for reads and for purge."""
        expires = self.put_expiring(driver, soon, clock)
        driver.put(records("one"), deadline=soon())

        self.until(clock, expires + SECOND)
        driver.purge(before=clock.now(), limit=10, deadline=soon())
        read = self.one(driver, soon)

        assert read is not None
        assert read.expires_at is None

    def test_an_expired_record_counts_as_absent(
        self, driver: StoreDriver, soon: Soon, clock: Advancing
    ) -> None:
        """From its second on, `Version` finds nothing to match, and `Absent` may write."""
        expires = self.put_expiring(driver, soon, clock)
        read = self.one(driver, soon)
        assert read is not None
        version = Version(read.version or "")
        self.until(clock, expires)

        stale = driver.put(records("one"), condition=version, deadline=soon())
        kept = driver.delete([KEY], condition=version, deadline=soon())
        written = driver.put([Record(key=KEY, body=b"new")], condition=Absent(), deadline=soon())
        read = self.one(driver, soon)

        assert failures(stale) == failures(kept) == [(0, ErrorCode.CONFLICT)]
        assert not written
        assert read is not None
        assert (read.body, read.expires_at) == (b"new", None)

    def test_a_record_about_to_expire_is_still_there(
        self, driver: StoreDriver, soon: Soon, clock: Advancing
    ) -> None:
        """A second before its end, `Absent` must not write, and its version holds."""
        expires = self.put_expiring(driver, soon, clock)
        self.until(clock, expires - SECOND)
        read = self.one(driver, soon)
        assert read is not None

        taken = driver.put(records("one"), condition=Absent(), deadline=soon())
        fine = driver.put(records("one"), condition=Version(read.version or ""), deadline=soon())

        assert failures(taken) == [(0, ErrorCode.ALREADY_EXISTS)]
        assert not fine

    def test_absent_on_an_expired_record_has_one_winner(
        self,
        driver: StoreDriver,
        soon: Soon,
        clock: Advancing,
        open_driver: OpenDriver[StoreDriver],
        context: Context,
    ) -> None:
        """Sixteen writers take the place of a record whose time is over: exactly one succeeds."""
        self.until(clock, self.put_expiring(driver, soon, clock))

        def write(number: int) -> bool:
            record = Record(key=KEY, body=f"{number}".encode())
            with opened(open_driver, context) as store:
                return not store.put([record], condition=Absent(), deadline=soon())

        won = race(write)
        read = self.one(driver, soon)

        assert won.count(True) == 1
        assert read is not None
        assert read.body == f"{won.index(True)}".encode()

    def test_purge_deletes_what_has_expired(self, driver: StoreDriver, soon: Soon, clock: Advancing) -> None:
        """At most `limit` a call, nothing that lives; where TTL is native there is nothing to do."""
        expires = self.put_expiring(driver, soon, clock, "s0", "s1", "s2")
        self.put_expiring(driver, soon, clock, "long", life=DAY)
        driver.put(records("kept"), deadline=soon())
        early = driver.purge(before=clock.now() + 9 * DAY, limit=10, deadline=soon())
        self.until(clock, expires + 2 * SECOND)

        counts = [driver.purge(before=clock.now(), limit=limit, deadline=soon()) for limit in (0, 2, 2, 2)]

        assert early == 0
        assert counts == ([0] * 4 if Feature.NATIVE_TTL in driver.features else [0, 2, 1, 0])
        assert self.names(driver, soon) == ["kept", "long"]

    def test_purge_leaves_what_expired_later_than_asked(
        self, driver: StoreDriver, soon: Soon, clock: Advancing
    ) -> None:
        """`before` bounds it, so that two purges of one moment do not do each other's work."""
        first = self.put_expiring(driver, soon, clock, "first")
        second = self.put_expiring(driver, soon, clock, "second", life=2 * LIFE)
        self.until(clock, second + SECOND)

        counts = [driver.purge(before=first + SECOND, limit=10, deadline=soon()) for _ in range(2)]
        rest = driver.purge(before=clock.now(), limit=10, deadline=soon())

        native = Feature.NATIVE_TTL in driver.features
        assert [*counts, rest] == ([0, 0, 0] if native else [1, 0, 1])

    @pytest.mark.parametrize("written", ["put", "put under Absent"])
    def test_purge_spares_what_takes_an_expired_records_place(
        self,
        driver: StoreDriver,
        soon: Soon,
        clock: Advancing,
        open_driver: OpenDriver[StoreDriver],
        context: Context,
        written: str,
    ) -> None:
        """Writers and purges at once: a record that was written is there afterwards."""
        sorts = [f"{number:02}" for number in range(8)]
        self.until(clock, self.put_expiring(driver, soon, clock, *sorts) + SECOND)
        condition = Absent() if written == "put under Absent" else None

        def work(number: int) -> int:
            with opened(open_driver, context) as store:
                if number % 2:
                    store.purge(before=clock.now(), limit=100, deadline=soon())
                    return 0
                new = records(sorts[number // 2])
                return len(store.put(new, condition=condition, deadline=soon()))

        failed = race(work)

        assert sum(failed) == 0
        assert self.names(driver, soon) == sorts
