"""The contract of every driver, whatever its kind."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import msgspec
import pytest

from tuppence.clock import Deadline
from tuppence.drivers import Context, Driver, Feature, Kind, Role
from tuppence.errors import ErrorCode
from tuppence.findings import State
from tuppence.testing.contract import Advancing, Contract, OpenDriver, Soon, refused
from tuppence.testing.outside import in_child, without_io

FEATURES: Final[Mapping[Kind, frozenset[Feature]]] = {
    Kind.QUEUE: frozenset(),
    Kind.COMPUTE: frozenset({Feature.NATIVE_TRIGGER}),
    Kind.STORE: frozenset({Feature.NATIVE_TTL}),
    Kind.SCHEDULER: frozenset({Feature.POLLED}),
    Kind.MAILER: frozenset({Feature.IDEMPOTENT_MAIL, Feature.WRITES_FILES}),
}
"""What a driver of each kind may claim."""


class DriverContract(Contract):
    """What holds for every driver."""

    about = "every driver"

    def test_check_succeeds_on_a_resource_that_is_there(self, driver: Driver) -> None:
        """`check` raises nothing where the driver can work."""
        driver.check()

    def test_findings_are_in_words_and_call_nothing_wrong_that_works(
        self, driver: Driver, soon: Soon
    ) -> None:
        """`doctor` shows them beside `check`, and its exit status is 1 where anything is wrong."""
        found = list(driver.findings(deadline=soon()))
        again = list(driver.findings(deadline=soon()))

        assert all(one.detail and not one.part for one in found)
        assert not [one for one in found if one.state is State.WRONG]
        assert [one.state for one in again] == [one.state for one in found]

    def test_findings_raise_nothing_when_time_is_up(self, driver: Driver, clock: Advancing) -> None:
        """`doctor` has one deadline for all its looks: the last are told, or left out."""
        found = list(driver.findings(deadline=Deadline.after(0, clock)))

        assert all(one.detail and not one.part for one in found)
        assert all(one.mend for one in found if one.state is State.WRONG)

    def test_the_constructor_does_no_io(self, driver: Driver) -> None:
        """Core builds drivers at import time of an application: that must be quick, and succeed offline."""
        with without_io():
            again = type(driver)(driver.options, driver.context)

        again.close()

    def test_options_are_frozen_and_refuse_unknown_keys(self, driver: Driver) -> None:
        """Core builds them from the configuration, where a misspelt key must be an error."""
        options = type(driver).Options

        assert issubclass(options, msgspec.Struct)
        assert isinstance(driver.options, options)
        assert options.__struct_config__.frozen
        assert options.__struct_config__.forbid_unknown_fields

    def test_features_are_those_of_the_kind(self, driver: Driver) -> None:
        """A claim that nothing checks is no promise."""
        assert isinstance(type(driver).features, frozenset)
        assert driver.features <= type(driver).features
        assert driver.features <= FEATURES[self.kind]

    @pytest.mark.parametrize("role", Role)
    def test_permissions_are_declared_without_io(self, driver: Driver, role: Role) -> None:
        """From them the policy of a component that does not exist yet is made, the same each time."""
        with without_io():
            first, second = driver.permissions(role), driver.permissions(role)

        assert list(first) == list(second)
        assert len(set(first)) == len(first)
        assert all(permission.action and permission.resource for permission in first)

    def test_a_driver_works_in_another_thread_than_it_was_built_in(self, driver: Driver) -> None:
        """The sender builds in one thread and sends in another."""
        with ThreadPoolExecutor(1) as other:
            other.submit(driver.check).result()

        driver.check()

    def test_close_may_be_called_twice(self, driver: Driver) -> None:
        """`close` is idempotent, before the first call as well as after it."""
        unused = type(driver)(driver.options, driver.context)
        driver.check()

        for one in (unused, driver):
            one.close()
            one.close()


class ResourceContract(DriverContract):
    """What holds for the drivers that live on a resource: all but compute."""

    about = "every driver on a resource"

    def test_check_names_a_resource_that_is_missing(self, missing: Driver) -> None:
        """The constructor does no I/O; `check` is the first to say `NOT_FOUND`."""
        with refused(ErrorCode.NOT_FOUND, operation=f"{self.kind.value}.check"):
            missing.check()

    def test_findings_of_a_missing_resource_are_told_and_not_raised(
        self, missing: Driver, soon: Soon
    ) -> None:
        """`doctor` goes on to the next thing; what is wrong says how to mend it."""
        found = list(missing.findings(deadline=soon()))

        assert all(one.detail for one in found)
        assert all(one.mend for one in found if one.state is State.WRONG)

    @pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # forking with threads is what is tested
    def test_a_forked_child_rebuilds_its_driver(
        self, driver: Driver, open_driver: OpenDriver[Driver], context: Context
    ) -> None:
        """The child closes what it inherited and builds anew; the parent's goes on working."""
        driver.check()

        def rebuild() -> None:
            driver.close()
            fresh = open_driver(context)
            fresh.check()
            fresh.close()

        problem = in_child(rebuild)

        assert not problem, problem
        driver.check()
