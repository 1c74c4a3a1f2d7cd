import pytest

from tuppence.drivers import Run
from tuppence.local.scheduler import LocalScheduler
from tuppence.testing import SchedulerContract
from tuppence.testing.polling import MONDAYS, WEEK


class TestLocalScheduler(SchedulerContract):
    counterpart = "embedded, a SQLite file"

    @pytest.fixture
    def open_driver(self, tmp_path):
        def open_driver(context, *, missing=False):
            folder = tmp_path / "nowhere" if missing else tmp_path
            return LocalScheduler(LocalScheduler.Options(path=str(folder / "tuppence.db")), context)

        return open_driver

    def test_a_runs_id_is_its_name_and_moment(self, driver, clock):
        driver.upsert(MONDAYS)
        clock.advance(WEEK)

        (run,) = driver.claim_due()

        assert run == Run(job="report", run_id="weekly@20261123T070000Z", payload=MONDAYS.payload)
