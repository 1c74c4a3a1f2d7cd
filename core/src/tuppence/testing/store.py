"""The contract of a store."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from tuppence.clock import Deadline
from tuppence.drivers import ZERO, Absent, Context, Feature, StoreDriver
from tuppence.errors import ErrorCode
from tuppence.testing.conditions import ConditionsContract
from tuppence.testing.contract import Advancing, OpenDriver, Soon, failures, opened, refused
from tuppence.testing.expiry import ExpiryContract
from tuppence.testing.outside import in_child
from tuppence.testing.pages import PagesContract
from tuppence.testing.records import KEY, RecordsContract, StoreTests, records
from tuppence.testing.trouble import Calls, OpenInTrouble, Trouble, TroubleContract

CALLS = ("put", "put under Absent", "get", "query", "delete", "purge")


class StoreCallsContract(StoreTests):
    """What holds for every call on a store. Part of `StoreContract`."""

    about = "every call"

    def calls(
        self, store: StoreDriver, clock: Advancing, deadline: Deadline
    ) -> Mapping[str, Callable[[], object]]:
        """Return every call there is, by name."""
        now = clock.now()
        return {
            "put": lambda: store.put(records("new"), deadline=deadline),
            "put under Absent": lambda: store.put(records("new"), condition=Absent(), deadline=deadline),
            "get": lambda: store.get([KEY], deadline=deadline),
            "query": lambda: store.query(KEY.partition, limit=1, deadline=deadline),
            "delete": lambda: store.delete([KEY], deadline=deadline),
            "purge": lambda: store.purge(before=now, limit=1, deadline=deadline),
        }

    def test_an_empty_batch_is_nothing_to_do(self, driver: StoreDriver, soon: Soon) -> None:
        """No item, no error, no answer."""
        assert not driver.put([], deadline=soon())
        assert not driver.put([], condition=Absent(), deadline=soon())
        assert not driver.get([], deadline=soon())
        assert not driver.delete([], deadline=soon())

    @pytest.mark.parametrize("call", CALLS)
    def test_no_call_starts_after_the_deadline(
        self, driver: StoreDriver, soon: Soon, clock: Advancing, call: str
    ) -> None:
        """`TIMEOUT`, and nothing is written. A purge with nothing to do may return."""
        driver.put(records("one"), deadline=soon())
        late = self.calls(driver, clock, Deadline.after(ZERO, clock))[call]

        if call == "purge" and Feature.NATIVE_TTL in driver.features:
            assert late() == 0
        else:
            with refused(ErrorCode.TIMEOUT, operation=f"store.{call.partition(' ')[0]}"):
                late()

        assert self.names(driver, soon) == ["one"]

    @pytest.mark.parametrize("call", CALLS)
    def test_a_missing_store_is_not_found(
        self, missing: StoreDriver, soon: Soon, clock: Advancing, call: str
    ) -> None:
        """Every call on a resource that is not there says so. A purge with nothing to do may return."""
        on_nothing = self.calls(missing, clock, soon())[call]

        if call == "purge" and Feature.NATIVE_TTL in missing.features:
            assert on_nothing() == 0
        else:
            with refused(ErrorCode.NOT_FOUND, operation=f"store.{call.partition(' ')[0]}"):
                on_nothing()

    @pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # forking with threads is what is tested
    def test_what_a_forked_child_writes_is_read(
        self, driver: StoreDriver, soon: Soon, open_driver: OpenDriver[StoreDriver], context: Context
    ) -> None:
        """Before and after, the parent's own driver works on the same store."""
        driver.put(records("parent"), deadline=soon())

        def write() -> None:
            driver.close()
            with opened(open_driver, context) as own:
                assert not failures(own.put(records("child"), deadline=soon()))

        problem = in_child(write)

        assert not problem, problem
        assert self.names(driver, soon) == ["child", "parent"]


class StoreTroubleContract(TroubleContract, StoreTests):
    """What a store does while its service is in trouble. Part of `StoreContract`."""

    about = "a service in trouble"

    @pytest.mark.parametrize("trouble", Trouble)
    def test_a_service_in_trouble_is_an_error_in_time(
        self, open_in_trouble: OpenInTrouble, context: Context, trouble: Trouble
    ) -> None:
        """By the deadline, to be tried again; a store that cannot be reached is not an empty one."""
        calls: Calls = {
            "store.put": lambda store, deadline: store.put(records("one"), deadline=deadline),
            "store.get": lambda store, deadline: store.get([KEY], deadline=deadline),
            "store.query": lambda store, deadline: store.query(KEY.partition, limit=1, deadline=deadline),
            "store.delete": lambda store, deadline: store.delete([KEY], deadline=deadline),
        }

        self.try_in_trouble(open_in_trouble, context, trouble, calls)


class StoreContract(
    StoreCallsContract,
    RecordsContract,
    ConditionsContract,
    ExpiryContract,
    PagesContract,
    StoreTroubleContract,
):
    """What every store does."""
