import pytest

from tuppence.local.scheduler import LocalScheduler
from tuppence.testing import SchedulerContract


class TestLocalScheduler(SchedulerContract):
    @pytest.fixture
    def open_driver(self, tmp_path):
        def open_driver(context, *, missing=False):
            folder = tmp_path / "nowhere" if missing else tmp_path
            return LocalScheduler(LocalScheduler.Options(path=str(folder / "tuppence.db")), context)

        return open_driver
