from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tuppence.drivers import Run
from tuppence.local.scheduler import LocalScheduler
from tuppence.testing import SchedulerContract
from tuppence.testing.contract import race
from tuppence.testing.scheduler import WEEKLY


class TestLocalScheduler(SchedulerContract):
    @pytest.fixture
    def open_driver(self, tmp_path):
        def open_driver(context, *, missing=False):
            folder = tmp_path / "nowhere" if missing else tmp_path
            return LocalScheduler(LocalScheduler.Options(path=str(folder / "tuppence.db")), context)

        return open_driver

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
