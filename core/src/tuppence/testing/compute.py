"""The contract of a compute driver. The provider plays its platform."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import pytest

from tuppence.batch import MAX_BODY
from tuppence.drivers import (
    LETTERS,
    BatchHandler,
    ComputeDriver,
    Delivery,
    ItemError,
    Kind,
    Message,
    NativeHandler,
    Run,
)
from tuppence.errors import DriverError, ErrorCode
from tuppence.testing.driver import DriverContract

MESSAGES = [Message(id=f"{number}", body=bytes([number, 0, 255]), lane=f"{number}") for number in range(4)]
BODIES = {
    "unicode": "fünf £ \U0001f4ca".encode(),
    "every byte": bytes(range(256)),
    "no text": b"\xff\xfe\x00\x80",
    "looks like base64": b"aGVsbG8=",
    "looks like JSON": b'{"body": "x"}',
    "the largest": bytes(range(256)) * (MAX_BODY // 256),
}
PAYLOADS = {
    "empty": {},
    "unicode": {"why": "fünf £ \U0001f4ca"},
    "quotes": {"a": "\"'\\", "b": "<>&${x}", "c": "one\r\ntwo"},
}


def failed(position: int) -> ItemError:
    """Return what a handler answers for a message it could not store."""
    return ItemError(position, DriverError(ErrorCode.UNAVAILABLE, operation="test", provider="test"))


def failing(ids: Sequence[str]) -> BatchHandler:
    """Return a handler that cannot store the messages of these ids, and says so in their order.

    A platform may hand over all messages in one call, or each in a call of its own.
    """

    def handle(deliveries: Sequence[Delivery]) -> Sequence[ItemError]:
        places = {delivery.message.id: position for position, delivery in enumerate(deliveries)}
        return [failed(places[one]) for one in ids if one in places]

    return handle


class Platform(Protocol):
    """What a provider gives: its driver, and what its platform would do with the driver's functions."""

    driver: ComputeDriver

    def deliver(self, consumer: NativeHandler, messages: Sequence[Message]) -> set[int]:
        """Call `consumer` as the platform does, once or for each message; return what would come again."""

    def fire(self, runner: NativeHandler, run: Run) -> bool:
        """Call `runner` as the platform does; return whether it would count the run as done."""


class ComputeContract(DriverContract):
    """What every compute driver does."""

    kind = Kind.COMPUTE
    about = "calls of the platform"

    @pytest.fixture
    def platform(self) -> Platform:
        """Return the provider's own `Platform`."""
        raise NotImplementedError(f"{type(self).__name__} gives no fixture `platform`")

    @pytest.fixture
    def driver(self, platform: Platform) -> ComputeDriver:
        """Return the platform's driver."""
        return platform.driver

    def test_messages_arrive_as_they_were_sent(self, platform: Platform) -> None:
        """Ids and bodies, in order, and none comes again."""
        seen: list[tuple[str, bytes]] = []

        def handle(deliveries: Sequence[Delivery]) -> Sequence[ItemError]:
            seen.extend((delivery.message.id, delivery.message.body) for delivery in deliveries)
            return ()

        again = platform.deliver(platform.driver.consumer(handle), MESSAGES)

        assert seen == [(message.id, message.body) for message in MESSAGES]
        assert again == set()

    @pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
    def test_a_body_is_bytes(self, platform: Platform, body: bytes) -> None:
        """Nothing is decoded on the way, however much it looks like something."""
        seen: list[bytes] = []

        def handle(deliveries: Sequence[Delivery]) -> Sequence[ItemError]:
            seen.extend(delivery.message.body for delivery in deliveries)
            return ()

        again = platform.deliver(platform.driver.consumer(handle), [Message(id=LETTERS, body=body, lane="a")])

        assert (seen, again) == ([body], set())

    def test_a_delivery_says_when_its_lease_ends(self, platform: Platform) -> None:
        """With its zone: whoever stores it must know how long there is."""
        seen: list[Delivery] = []

        def handle(deliveries: Sequence[Delivery]) -> Sequence[ItemError]:
            seen.extend(deliveries)
            return ()

        platform.deliver(platform.driver.consumer(handle), MESSAGES)

        assert len(seen) == len(MESSAGES)
        assert all(delivery.expires.utcoffset() is not None for delivery in seen)
        assert all(delivery.attempt is None or delivery.attempt >= 1 for delivery in seen)

    @pytest.mark.parametrize("positions", [[2], [0], [3], [0, 1, 2, 3], [3, 1], []], ids=str)
    def test_only_what_failed_comes_again(self, platform: Platform, positions: list[int]) -> None:
        """Returned errors are answered to the platform in its own way, item by item, in any order."""
        handle = failing([MESSAGES[position].id for position in positions])

        again = platform.deliver(platform.driver.consumer(handle), MESSAGES)

        assert again == set(positions)

    def test_what_follows_a_failure_in_its_lane_may_come_again_too(self, platform: Platform) -> None:
        """A platform that keeps order holds it back; what came before the failure is done."""
        lane = [replace(message, lane="a") for message in MESSAGES]

        again = platform.deliver(platform.driver.consumer(failing(["1"])), lane)

        assert {1} <= again <= {1, 2, 3}

    def test_an_empty_call_is_nothing_to_do(self, platform: Platform) -> None:
        """A platform that calls without messages is answered, and nothing comes again."""
        assert platform.deliver(platform.driver.consumer(lambda _: ()), []) == set()

    def test_a_consumer_is_called_again_and_again(self, platform: Platform) -> None:
        """A platform keeps the function: what failed in one call has no bearing on the next."""
        broken = ["1"]
        consumer = platform.driver.consumer(failing(broken))

        assert platform.deliver(consumer, MESSAGES) == {1}
        broken.clear()
        assert platform.deliver(consumer, MESSAGES) == set()

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

    @pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
    def test_a_run_arrives_with_its_name_and_payload(
        self, platform: Platform, payload: dict[str, str]
    ) -> None:
        """The job knows which run it is, so that a repeat can be told."""
        seen: list[Run] = []
        run = Run(job="seal", run_id="seal@20261116T093000Z", payload=payload)

        done = platform.fire(platform.driver.runner(seen.append), run)

        assert done
        assert seen == [run]

    def test_each_run_is_its_own(self, platform: Platform) -> None:
        """One function is called for every schedule: each call runs its own job, with its own payload."""
        seen: list[Run] = []
        runs = [
            Run(job=job, run_id=f"{job}@202611{day}T093000Z", payload={"day": f"{day}"})
            for day, job in enumerate(("drain", "seal", "purge", "report"), start=17)
        ]
        runner = platform.driver.runner(seen.append)

        done = [platform.fire(runner, run) for run in runs]

        assert done == [True] * len(runs)
        assert seen == runs

    def test_a_run_that_raises_is_not_done(self, platform: Platform) -> None:
        """The platform is told, so that it can repeat the run or raise the alarm."""

        def handle(_: Run) -> None:
            raise ValueError("bug")

        assert not platform.fire(platform.driver.runner(handle), Run(job="seal", run_id="1"))
