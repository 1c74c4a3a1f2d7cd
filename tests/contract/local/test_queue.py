import pytest

from contract.locked import in_trouble
from contract.ordering import KeepsLanes
from tuppence.local.queue import LocalQueue
from tuppence.testing import QueueContract


class TestLocalQueue(KeepsLanes, QueueContract):
    counterpart = "embedded, a SQLite file"

    @pytest.fixture
    def open_driver(self, tmp_path):
        def open_driver(context, *, missing=False):
            folder = tmp_path / "nowhere" if missing else tmp_path
            return LocalQueue(LocalQueue.Options(path=str(folder / "tuppence.db")), context)

        return open_driver

    @pytest.fixture
    def open_in_trouble(self, open_driver, tmp_path):
        return in_trouble(open_driver, tmp_path / "tuppence.db")

    @pytest.fixture
    def misconfigured(self, missing, context, tmp_path):
        (tmp_path / "other.db").write_bytes(b"another program's file" * 100)
        other = LocalQueue(LocalQueue.Options(path=str(tmp_path / "other.db")), context)
        yield {"no such folder": missing, "no database": other}
        other.close()
