"""The tests of a provider, as a third party writes them."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import assert_type

import pytest

from tuppence.drivers import Context, QueueDriver
from tuppence.local.queue import LocalQueue
from tuppence.local.store import LocalStore
from tuppence.testing import ManualClock, QueueContract, StoreContract


class TestQueue(QueueContract):
    @pytest.fixture
    def open_driver(self, tmp_path: Path) -> Callable[..., LocalQueue]:
        def open_driver(context: Context, *, missing: bool = False) -> LocalQueue:
            folder = tmp_path / "nowhere" if missing else tmp_path
            return LocalQueue(LocalQueue.Options(path=str(folder / "tuppence.db")), context)

        return open_driver

    def test_something_of_its_own(self, driver: QueueDriver, clock: ManualClock) -> None:
        assert_type(driver.limits.batch_items, int)
        clock.advance(timedelta(seconds=1))
        assert_type(clock.monotonic(), float)


class TestStore(StoreContract):
    @pytest.fixture
    def open_driver(self, tmp_path: Path) -> Callable[..., LocalStore]:
        def open_driver(context: Context, *, missing: bool = False) -> LocalStore:
            folder = tmp_path / "nowhere" if missing else tmp_path
            return LocalStore(LocalStore.Options(path=str(folder / "tuppence.db")), context)

        return open_driver
