from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tuppence.drivers import Context, Run
from tuppence.local.scheduler import LocalScheduler
from tuppence.meter import UnitMeter
from tuppence.testing import ManualClock, SchedulerContract
from tuppence.testing.contract import race
from tuppence.testing.scheduler import WEEKLY


class TestLocalScheduler(SchedulerContract):
    counterpart = "embedded, a SQLite file"

    @pytest.fixture
    def open_driver(self, tmp_path):
        def open_driver(context, *, missing=False):
            folder = tmp_path / "nowhere" if missing else tmp_path
            return LocalScheduler(LocalScheduler.Options(path=str(folder / "tuppence.db")), context)

        return open_driver

    @pytest.fixture
    def fires(self, tmp_path):
        """Make the worker's clock jump from one due moment to the next, as its wait does."""

        def fires(schedule, after, count):
            clock = ManualClock(after)
            options = LocalScheduler.Options(path=str(tmp_path / "tuppence.db"))
            worker = LocalScheduler(options, Context(project="contract", meter=UnitMeter(), clock=clock))
            worker.upsert(schedule)
            fired = []
            for _ in range(count):
                clock.advance(worker.next_due() - clock.now())
                fired += [clock.now() for _ in worker.claim_due()]
            worker.close()
            return fired

        return fires

    def test_a_run_is_claimed_once_by_one_of_many_workers(self, driver, open_driver, context, clock):
        driver.upsert(WEEKLY)
        clock.advance(timedelta(days=7))

        def claim(_):
            worker = open_driver(context)
            try:
                return worker.claim_due()
            finally:
                worker.close()

        claimed = [run for runs in race(claim) for run in runs]

        assert claimed == [Run(job="report", run_id="report@20261123T070000Z", payload={"week": "last"})]

    def test_what_was_missed_is_due_once(self, driver, clock):
        driver.upsert(WEEKLY)

        clock.advance(timedelta(days=30))
        runs = driver.claim_due()

        assert [run.run_id for run in runs] == ["report@20261123T070000Z"]
        assert driver.claim_due() == []
        assert driver.next_due() == datetime(2026, 12, 21, 7, tzinfo=UTC)

    def test_a_restart_does_not_skip_what_is_due(self, driver, clock):
        driver.upsert(WEEKLY)
        clock.advance(timedelta(days=8))

        driver.upsert(WEEKLY)

        assert [run.job for run in driver.claim_due()] == ["report"]

    def test_a_changed_schedule_is_due_by_its_new_line(self, driver, clock):
        driver.upsert(WEEKLY)

        driver.upsert(replace(WEEKLY, cron="0 12 * * *"))

        assert driver.next_due() == datetime(2026, 11, 16, 12, tzinfo=UTC)

    def test_nothing_is_due_before_its_time(self, driver):
        driver.upsert(WEEKLY)

        assert driver.claim_due() == []
        assert driver.next_due() == datetime(2026, 11, 23, 7, tzinfo=UTC)

    def test_without_schedules_there_is_nothing_to_wait_for(self, driver):
        assert driver.next_due() is None
