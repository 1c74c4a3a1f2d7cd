"""The contract of a compute driver. The provider plays its platform."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import pytest

from tuppence.drivers import ComputeDriver, Delivery, ItemError, Message, NativeHandler, Run
from tuppence.errors import DriverError, ErrorCode
from tuppence.testing.contract import Contract

MESSAGES = [Message(id=f"{number}", body=bytes([number, 0, 255]), lane="a") for number in range(4)]


class Platform(Protocol):
    """What a provider gives: its driver, and what its platform would do with the driver's functions."""

    driver: ComputeDriver

    def deliver(self, consumer: NativeHandler, messages: Sequence[Message]) -> set[int]:
        """Call `consumer` as the platform does; return the positions it would deliver again."""

    def fire(self, runner: NativeHandler, run: Run) -> bool:
        """Call `runner` as the platform does; return whether it would count the run as done."""


class ComputeContract(Contract):
    """What every compute driver does."""

    @pytest.fixture
    def platform(self) -> Platform:
        """Return the provider's own `Platform`."""
        raise NotImplementedError(f"{type(self).__name__} gives no fixture `platform`")

    def test_check_succeeds(self, platform: Platform) -> None:
        """`check` raises nothing where the driver can work."""
        platform.driver.check()

    def test_messages_arrive_as_they_were_sent(self, platform: Platform) -> None:
        """Ids and bodies, in order, and none comes again."""
        seen: list[tuple[str, bytes]] = []

        def handle(deliveries: Sequence[Delivery]) -> Sequence[ItemError]:
            seen.extend((delivery.message.id, delivery.message.body) for delivery in deliveries)
            return ()

        again = platform.deliver(platform.driver.consumer(handle), MESSAGES)

        assert seen == [(message.id, message.body) for message in MESSAGES]
        assert again == set()

    def test_only_what_failed_comes_again(self, platform: Platform) -> None:
        """Returned errors are answered to the platform in its own way, item by item."""
        failed = DriverError(ErrorCode.UNAVAILABLE, operation="test", provider="test")

        again = platform.deliver(platform.driver.consumer(lambda _: [ItemError(2, failed)]), MESSAGES)

        assert again == {2}

    @pytest.mark.parametrize(
        "error",
        [ValueError("bug"), DriverError(ErrorCode.UNAVAILABLE, operation="test", provider="test")],
        ids=["a bug", "a driver's error"],
    )
    def test_everything_comes_again_when_the_handler_raises(
        self, platform: Platform, error: Exception
    ) -> None:
        """A handler that died acknowledges nothing."""

        def handle(_: Sequence[Delivery]) -> Sequence[ItemError]:
            raise error

        assert platform.deliver(platform.driver.consumer(handle), MESSAGES) == {0, 1, 2, 3}

    def test_a_run_arrives_with_its_name_and_payload(self, platform: Platform) -> None:
        """The job knows which run it is, so that a repeat can be told."""
        seen: list[Run] = []
        run = Run(job="seal", run_id="seal@20261116T093000Z", payload={"why": "fünf"})

        done = platform.fire(platform.driver.runner(seen.append), run)

        assert done
        assert seen == [run]

    def test_a_run_that_raises_is_not_done(self, platform: Platform) -> None:
        """The platform is told, so that it can repeat the run or raise the alarm."""

        def handle(_: Run) -> None:
            raise ValueError("bug")

        assert not platform.fire(platform.driver.runner(handle), Run(job="seal", run_id="1"))
