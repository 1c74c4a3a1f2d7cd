"""The contract of a queue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest

from tuppence.clock import Deadline
from tuppence.drivers import ZERO, Context, Delivery, ItemError, QueueDriver
from tuppence.errors import DriverError, ErrorCode
from tuppence.testing.attempts import AttemptsContract
from tuppence.testing.contract import Advancing, OpenDriver, Soon, failures, opened, refused
from tuppence.testing.leases import LeasesContract
from tuppence.testing.messages import MessagesContract, QueueTests, messages
from tuppence.testing.outside import in_child
from tuppence.testing.trouble import Calls, OpenInTrouble, Trouble, TroubleContract
from tuppence.testing.waiting import ProjectsContract, WaitingContract

Result = Sequence[ItemError] | Sequence[Delivery] | tuple[int, object]
BATCHES = ("send", "extend", "ack", "nack")
CALLS = (*BATCHES, "receive", "depth")


class QueueCallsContract(QueueTests):
    """What holds for every call on a queue. Part of `QueueContract`."""

    about = "every call"

    def calls(
        self, queue: QueueDriver, held: Sequence[Delivery], deadline: Deadline
    ) -> Mapping[str, Callable[[], Result]]:
        """Return every call there is, by name; those on deliveries with `held`."""
        return {
            "send": lambda: queue.send(messages(len(held)), deadline=deadline),
            "receive": lambda: queue.receive(max_messages=1, wait=ZERO, lease=self.lease, deadline=deadline),
            "extend": lambda: queue.extend(held, lease=self.lease, deadline=deadline),
            "ack": lambda: queue.ack(held, deadline=deadline),
            "nack": lambda: queue.nack(held, deadline=deadline),
            "depth": lambda: queue.depth(deadline=deadline),
        }

    @pytest.mark.parametrize("call", BATCHES)
    def test_an_empty_batch_is_nothing_to_do(self, driver: QueueDriver, soon: Soon, call: str) -> None:
        """No item, no error."""
        assert not self.calls(driver, [], soon())[call]()

        assert driver.depth(deadline=soon())[0] == 0

    @pytest.mark.parametrize("call", [name for name in CALLS if name != "receive"])
    def test_no_call_starts_after_the_deadline(
        self, driver: QueueDriver, soon: Soon, clock: Advancing, call: str
    ) -> None:
        """`TIMEOUT`, and nothing has changed: a message that is held can still be acknowledged."""
        driver.send(messages(1), deadline=soon())
        held = self.take(driver, soon)

        with refused(ErrorCode.TIMEOUT, operation=f"queue.{call}"):
            self.calls(driver, held, Deadline.after(ZERO, clock))[call]()

        assert not self.take(driver, soon)
        assert driver.depth(deadline=soon())[0] == 1
        assert not driver.ack(held, deadline=soon())

    def test_nothing_is_received_after_the_deadline(
        self, driver: QueueDriver, soon: Soon, clock: Advancing
    ) -> None:
        """Empty or `TIMEOUT`; the message is not leased to someone who has no time for it."""
        driver.send(messages(1), deadline=soon())

        try:
            received = self.calls(driver, [], Deadline.after(ZERO, clock))["receive"]()
        except DriverError as error:
            assert error.code is ErrorCode.TIMEOUT  # noqa: PT017 - to return nothing is right too
        else:
            assert not received

        assert self.take(driver, soon)

    @pytest.mark.parametrize("call", CALLS)
    def test_a_missing_queue_is_not_found(
        self, driver: QueueDriver, missing: QueueDriver, soon: Soon, call: str
    ) -> None:
        """Every call on a resource that is not there says so, and touches no other."""
        driver.send(messages(1), deadline=soon())
        held = self.take(driver, soon)

        with refused(ErrorCode.NOT_FOUND, operation=f"queue.{call}"):
            self.calls(missing, held, soon())[call]()

        assert not driver.ack(held, deadline=soon())

    @pytest.fixture
    def misconfigured(self, missing: QueueDriver) -> Mapping[str, QueueDriver]:
        """Return drivers that cannot send, by what is wrong with each. A provider may add to them."""
        return {"no such queue": missing}

    def test_what_is_wrong_with_a_call_is_raised_and_blamed_on_no_message(
        self, misconfigured: Mapping[str, QueueDriver], soon: Soon
    ) -> None:
        """Core sets aside a message that is refused, and keeps all messages of a call that fails."""
        for wrong, queue in misconfigured.items():
            with pytest.raises(DriverError):
                pytest.fail(f"{wrong}: returned {queue.send(messages(2), deadline=soon())}")

    @pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # forking with threads is what is tested
    def test_what_a_forked_child_sends_arrives(
        self, driver: QueueDriver, soon: Soon, open_driver: OpenDriver[QueueDriver], context: Context
    ) -> None:
        """Before and after, the parent's own driver works on the same queue."""
        first, second = messages(2)
        driver.send([first], deadline=soon())

        def send() -> None:
            driver.close()
            with opened(open_driver, context) as own:
                assert not failures(own.send([second], deadline=soon()))

        problem = in_child(send)

        assert not problem, problem
        assert sorted(self.drained(driver, soon)) == [first.id, second.id]


class QueueTroubleContract(TroubleContract, QueueTests):
    """What a queue does while its service is in trouble. Part of `QueueContract`."""

    about = "a service in trouble"

    @pytest.mark.parametrize("trouble", Trouble)
    def test_a_service_in_trouble_is_an_error_in_time(
        self, open_in_trouble: OpenInTrouble, context: Context, trouble: Trouble
    ) -> None:
        """By the deadline, to be tried again; a queue that cannot be reached is not an empty one."""
        calls: Calls = {
            "queue.send": lambda queue, deadline: queue.send(messages(1), deadline=deadline),
            "queue.receive": lambda queue, deadline: queue.receive(
                max_messages=1, wait=ZERO, lease=self.lease, deadline=deadline
            ),
            "queue.depth": lambda queue, deadline: queue.depth(deadline=deadline),
        }

        self.try_in_trouble(open_in_trouble, context, trouble, calls)


class QueueContract(
    QueueCallsContract,
    MessagesContract,
    WaitingContract,
    LeasesContract,
    AttemptsContract,
    ProjectsContract,
    QueueTroubleContract,
):
    """What every queue does."""
