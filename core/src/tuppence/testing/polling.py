"""The contract of a scheduler that is polled: what a worker is given, and when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from tuppence.drivers import Context, Feature, Kind, Run, Schedule, SchedulerDriver
from tuppence.errors import ErrorCode
from tuppence.testing.clock import ManualClock
from tuppence.testing.contract import OpenDriver, opened, race, refused
from tuppence.testing.driver import ResourceContract

WEEK: Final = timedelta(days=7)
MONDAYS: Final = Schedule(
    name="weekly", cron="0 7 * * MON", job="report", timezone="Europe/London", payload={"week": "läßt £"}
)
NIGHTLY: Final = Schedule(name="nightly", cron="0 2 * * *", job="purge")


class PollingContract(ResourceContract):
    """What a scheduler does that claims `POLLED`, and no other. Part of `SchedulerContract`."""

    kind = Kind.SCHEDULER
    about = "who fires"

    @pytest.fixture
    def time(self) -> ManualClock:
        """Return the time that workers go by: a Monday, 2026-11-16, half past nine in London."""
        return ManualClock()

    @pytest.fixture
    def worker(
        self,
        driver: SchedulerDriver,
        open_driver: OpenDriver[SchedulerDriver],
        context: Context,
        time: ManualClock,
    ) -> Iterator[SchedulerDriver]:
        """Yield a worker's driver, where the driver claims to be polled."""
        if Feature.POLLED not in driver.features:
            pytest.skip("fires by itself")
        with opened(open_driver, replace(context, clock=time)) as worker:
            yield worker

    def test_a_scheduler_is_polled_or_fires_by_itself(self, driver: SchedulerDriver) -> None:
        """`POLLED` says which: a worker waits for the one, and must not for the other."""
        if Feature.POLLED in driver.features:
            assert (list(driver.claim_due()), driver.next_due()) == ([], None)
        else:
            for call in (driver.claim_due, driver.next_due):
                with refused(ErrorCode.UNSUPPORTED):
                    call()

    def test_nothing_is_due_before_its_time(self, worker: SchedulerDriver, time: ManualClock) -> None:
        """A worker that starts runs everything once by itself; what it makes is due when it says."""
        worker.upsert(MONDAYS)
        at_once = list(worker.claim_due())
        time.advance(worker.next_due() - time.now() - timedelta(seconds=1))  # type: ignore[operator]  # there is one

        assert not at_once
        assert not worker.claim_due()
        assert worker.next_due() == datetime(2026, 11, 23, 7, tzinfo=UTC)

    def test_the_next_is_the_first_of_all(self, worker: SchedulerDriver) -> None:
        """A worker sleeps until then."""
        worker.upsert(MONDAYS)
        worker.upsert(NIGHTLY)

        assert worker.next_due() == datetime(2026, 11, 17, 2, tzinfo=UTC)

    def test_a_run_is_what_was_scheduled(self, worker: SchedulerDriver, time: ManualClock) -> None:
        """With the job and the payload of its own schedule; nothing else is due with it."""
        worker.upsert(MONDAYS)
        worker.upsert(NIGHTLY)
        due = []
        for _ in range(8):
            time.advance(worker.next_due() - time.now())  # type: ignore[operator]  # there is one
            due.append([(run.job, dict(run.payload)) for run in worker.claim_due()])

        assert due[:6] == [[("purge", {})]] * 6
        assert due[6:] == [[("purge", {})], [("report", dict(MONDAYS.payload))]]

    def test_each_run_has_an_id_of_its_own(self, worker: SchedulerDriver, time: ManualClock) -> None:
        """What a job has done under one id, it does not do again."""
        worker.upsert(NIGHTLY)
        worker.upsert(replace(NIGHTLY, name="nightly-2"))

        ids = []
        for _ in range(3):
            time.advance(timedelta(days=1))
            ids += [run.run_id for run in worker.claim_due()]

        assert all(ids)
        assert len(set(ids)) == 6

    def test_a_run_is_claimed_once_by_one_of_many_workers(
        self,
        worker: SchedulerDriver,
        time: ManualClock,
        open_driver: OpenDriver[SchedulerDriver],
        context: Context,
    ) -> None:
        """Sixteen at once, and afterwards nobody."""
        worker.upsert(MONDAYS)
        time.advance(WEEK)

        def claim(_: int) -> list[Run]:
            with opened(open_driver, replace(context, clock=time)) as other:
                return list(other.claim_due())

        claimed = [run.job for runs in race(claim) for run in runs]

        assert claimed == ["report"]
        assert not worker.claim_due()

    def test_what_was_missed_is_due_once(self, worker: SchedulerDriver, time: ManualClock) -> None:
        """A worker that was away for a month sends one report, and then waits for the next Monday."""
        worker.upsert(MONDAYS)
        time.advance(timedelta(days=30))

        missed = [len(worker.claim_due()) for _ in range(2)]

        assert missed == [1, 0]
        assert worker.next_due() == datetime(2026, 12, 21, 7, tzinfo=UTC)

    def test_a_restart_does_not_skip_what_is_due(self, worker: SchedulerDriver, time: ManualClock) -> None:
        """A worker makes its schedules at each start: one that stays the same keeps its moment."""
        worker.upsert(MONDAYS)
        time.advance(WEEK)

        worker.upsert(MONDAYS)

        assert [run.job for run in worker.claim_due()] == ["report"]

    def test_a_changed_schedule_is_due_by_its_new_line(
        self, worker: SchedulerDriver, time: ManualClock
    ) -> None:
        """And with its new payload; the old moment means nothing any more."""
        worker.upsert(MONDAYS)

        worker.upsert(replace(MONDAYS, cron="0 12 * * *", payload={"new": "one"}))
        following = worker.next_due()
        time.advance(WEEK)

        assert following == datetime(2026, 11, 16, 12, tzinfo=UTC)
        assert [dict(run.payload) for run in worker.claim_due()] == [{"new": "one"}]

    def test_a_removed_schedule_is_not_due(self, worker: SchedulerDriver, time: ManualClock) -> None:
        """Not even where its moment had come before it was removed."""
        worker.upsert(MONDAYS)
        time.advance(WEEK)

        worker.remove(MONDAYS.name)

        assert (list(worker.claim_due()), worker.next_due()) == ([], None)

    def test_a_worker_is_given_nothing_of_another_project(
        self,
        worker: SchedulerDriver,
        time: ManualClock,
        open_driver: OpenDriver[SchedulerDriver],
        context: Context,
    ) -> None:
        """It neither runs what is another's nor waits for it, and takes nothing away."""
        worker.upsert(MONDAYS)
        time.advance(WEEK)

        with opened(open_driver, replace(context, clock=time, project="other")) as other:
            seen = list(other.claim_due()), other.next_due()

        assert seen == ([], None)
        assert [run.job for run in worker.claim_due()] == ["report"]
