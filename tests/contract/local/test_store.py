import pytest

from contract.locked import in_trouble
from tuppence.local.store import LocalStore
from tuppence.testing import StoreContract


class TestLocalStore(StoreContract):
    counterpart = "embedded, a SQLite file"

    @pytest.fixture
    def open_driver(self, tmp_path):
        def open_driver(context, *, missing=False):
            folder = tmp_path / "nowhere" if missing else tmp_path
            return LocalStore(LocalStore.Options(path=str(folder / "tuppence.db")), context)

        return open_driver

    @pytest.fixture
    def open_in_trouble(self, open_driver, tmp_path):
        return in_trouble(open_driver, tmp_path / "tuppence.db")
