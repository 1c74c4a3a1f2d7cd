import pytest

from tuppence.local.queue import LocalQueue
from tuppence.testing import QueueContract


class TestLocalQueue(QueueContract):
    counterpart = "embedded, a SQLite file"

    @pytest.fixture
    def open_driver(self, tmp_path):
        def open_driver(context, *, missing=False):
            folder = tmp_path / "nowhere" if missing else tmp_path
            return LocalQueue(LocalQueue.Options(path=str(folder / "tuppence.db")), context)

        return open_driver
