from contextlib import closing, contextmanager

import pytest

from contract.locked import locked
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
        """Whatever the trouble: a file has no service that could refuse or trickle."""

        @contextmanager
        def open_in_trouble(context, _):
            with closing(open_driver(context)) as driver:
                driver.check()
                driver.close()
                with locked(tmp_path / "tuppence.db"):
                    yield driver

        return open_in_trouble
