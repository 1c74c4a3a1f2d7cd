"""The contract of a queue's messages: what arrives, from whom, and how much fits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar, Final

import pytest

from tuppence.batch import LEAST_BODY
from tuppence.clock import Deadline
from tuppence.drivers import LETTERS, MAX_ID, ZERO, Context, Delivery, Kind, Message, QueueDriver
from tuppence.errors import ErrorCode
from tuppence.testing.clock import ManualClock
from tuppence.testing.contract import (
    SECOND,
    Advancing,
    OpenDriver,
    Soon,
    check_units,
    failures,
    opened,
    race,
    refused,
)
from tuppence.testing.driver import ResourceContract

A_NIGHT: Final = timedelta(hours=12)
BODIES: Final = {
    "ascii": b"plain",
    "unicode": "fünf £ \U0001f4ca".encode(),
    "every byte": bytes(range(256)),
    "one zero": b"\x00",
    "no text": b"\xff\xfe\x00\x80",
    "a line break": b"\r\n",
}
NAMES: Final = {
    "every letter": LETTERS,
    "the longest": "x" * MAX_ID,
    "a digest": "0123456789abcdef" * 2,
    "one dot": ".",
    "a sign first": "-a",
}


class QueueTests(ResourceContract):
    """What tests of queues are made of."""

    kind = Kind.QUEUE
    lease: ClassVar[timedelta] = timedelta(seconds=30)
    """What tests lease for; shorter for a service that runs on real time."""

    def take(self, queue: QueueDriver, soon: Soon, most: int = 1) -> Sequence[Delivery]:
        """Lease up to `most` messages that are there now."""
        return queue.receive(max_messages=most, wait=ZERO, lease=self.lease, deadline=soon())

    def send_all(self, queue: QueueDriver, messages: Sequence[Message], soon: Soon) -> None:
        """Send messages in their order, in as few calls as the limits allow."""
        most = queue.limits.batch_items
        for first in range(0, len(messages), most):
            assert not queue.send(messages[first : first + most], deadline=soon())

    def take_all(self, queue: QueueDriver, soon: Soon, count: int) -> list[Delivery]:
        """Lease `count` messages, however many the service gives in one call."""
        taken: list[Delivery] = []
        while len(taken) < count and (more := self.take(queue, soon, count - len(taken))):
            taken += more
        assert len(taken) == count
        return taken

    def drained(self, queue: QueueDriver, soon: Soon) -> list[str]:
        """Receive and acknowledge until nothing comes; return the ids in the order they came."""
        ids: list[str] = []
        while deliveries := self.take(queue, soon, queue.limits.batch_items):
            ids += [delivery.message.id for delivery in deliveries]
            assert not queue.ack(deliveries, deadline=soon())
        return ids

    def outlive_leases(self, clock: Advancing) -> None:
        """Let so much time pass that every lease has run out."""
        clock.advance(self.lease + SECOND)


class MessagesContract(QueueTests):
    """What a queue takes and gives. Part of `QueueContract`."""

    about = "messages and limits"

    @pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
    def test_a_message_arrives_as_it_was_sent(self, driver: QueueDriver, soon: Soon, body: bytes) -> None:
        """Bodies are bytes, ids come back."""
        errors = driver.send([Message(id="one", body=body, lane="a")], deadline=soon())

        (delivery,) = self.take(driver, soon)

        assert not errors
        assert (delivery.message.id, delivery.message.body) == ("one", body)

    @pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
    def test_an_id_and_a_lane_come_back(self, driver: QueueDriver, soon: Soon, name: str) -> None:
        """Of every letter that is allowed, and as long as is allowed; a lane may be dropped, not changed."""
        driver.send([Message(id=name, body=b"x", lane=name)], deadline=soon())

        (delivery,) = self.take(driver, soon)

        assert delivery.message.id == name
        assert delivery.message.lane in {name, ""}

    def test_a_message_without_a_lane_arrives(self, driver: QueueDriver, soon: Soon) -> None:
        """A lane may be left out, also where there is order."""
        driver.send([Message(id=name, body=b"x") for name in ("a", "b")], deadline=soon())

        assert sorted(self.drained(driver, soon)) == ["a", "b"]

    def test_ids_that_differ_only_in_case_are_two(self, driver: QueueDriver, soon: Soon) -> None:
        """Ids are compared to the letter."""
        driver.send([Message(id=name, body=b"x") for name in ("Aa", "aA", "aa")], deadline=soon())

        assert sorted(self.drained(driver, soon)) == ["Aa", "aA", "aa"]

    def test_equal_bodies_are_two_messages(self, driver: QueueDriver, soon: Soon) -> None:
        """What makes a message the same is its id, not its content."""
        driver.send([Message(id=name, body=b"same", lane="a") for name in ("a", "b")], deadline=soon())

        assert sorted(self.drained(driver, soon)) == ["a", "b"]

    def test_an_empty_queue_gives_nothing(self, driver: QueueDriver, soon: Soon) -> None:
        """`receive` returns empty, and does not raise, when no message came."""
        assert not self.take(driver, soon)

    def test_no_more_come_than_were_asked_for(self, driver: QueueDriver, soon: Soon) -> None:
        """The drain asks for as much as it can hold in memory."""
        driver.send([Message(id=f"{n}", body=b"x", lane=f"{n}") for n in range(5)], deadline=soon())

        assert 1 <= len(self.take(driver, soon, 2)) <= 2

    def test_another_process_receives_what_was_sent(
        self, driver: QueueDriver, soon: Soon, open_driver: OpenDriver[QueueDriver], context: Context
    ) -> None:
        """A queue is shared: the sender is an application, the drain is not."""
        driver.send(messages(2), deadline=soon())

        with opened(open_driver, context) as other:
            assert sorted(self.drained(other, soon)) == [message.id for message in messages(2)]

    def test_a_full_batch_arrives(self, driver: QueueDriver, soon: Soon) -> None:
        """`batch_items` messages go in one call, and all come out once."""
        sent = messages(driver.limits.batch_items)

        errors = driver.send(sent, deadline=soon())

        assert not errors
        assert sorted(self.drained(driver, soon)) == sorted(message.id for message in sent)

    def test_a_batch_over_the_limit_is_refused_whole(self, driver: QueueDriver, soon: Soon) -> None:
        """A call beyond `limits` is the caller's mistake, and nothing of it is sent."""
        with refused(ErrorCode.INVALID, ErrorCode.TOO_LARGE):
            driver.send(messages(driver.limits.batch_items + 1), deadline=soon())

        assert not self.take(driver, soon)

    @pytest.mark.parametrize("under", [1, 0])
    def test_bodies_within_the_limit_of_a_call_are_taken(
        self, driver: QueueDriver, soon: Soon, under: int
    ) -> None:
        """`batch_bytes` counts bodies alone, to the byte: core fills calls up to it."""
        sent = _weighing(driver, driver.limits.batch_bytes - under)

        errors = driver.send(sent, deadline=soon())

        assert not errors
        assert sorted(self.drained(driver, soon)) == [message.id for message in sent]

    def test_bodies_over_the_limit_of_a_call_are_refused_whole(self, driver: QueueDriver, soon: Soon) -> None:
        """One byte over, and nothing of the call is sent."""
        with refused(ErrorCode.INVALID, ErrorCode.TOO_LARGE):
            driver.send(_weighing(driver, driver.limits.batch_bytes + 1), deadline=soon())

        assert not self.take(driver, soon)

    @pytest.mark.parametrize("under", [1, 0])
    def test_a_message_within_the_limit_is_taken(self, driver: QueueDriver, soon: Soon, under: int) -> None:
        """`item_bytes` is what a body may have, to the byte, however long its id and lane."""
        body = bytes(driver.limits.item_bytes - under)

        errors = driver.send([Message(id="i" * MAX_ID, body=body, lane="l" * MAX_ID)], deadline=soon())

        assert not errors
        assert [delivery.message.body for delivery in self.take(driver, soon)] == [body]

    def test_a_message_over_the_limit_fails_alone(self, driver: QueueDriver, soon: Soon) -> None:
        """`TOO_LARGE` at its position; the others of the batch are sent."""
        over = Message(id="over", body=bytes(driver.limits.item_bytes + 1))
        before, after = messages(2)

        errors = driver.send([before, over, after], deadline=soon())

        assert failures(errors) == [(1, ErrorCode.TOO_LARGE)]
        assert sorted(self.drained(driver, soon)) == [before.id, after.id]

    def test_several_messages_over_the_limit_are_each_named(self, driver: QueueDriver, soon: Soon) -> None:
        """Positions are those of the call, the first and the last too."""
        over = [Message(id=name, body=bytes(driver.limits.item_bytes + 1)) for name in ("first", "last")]

        errors = driver.send([over[0], *messages(1), over[1]], deadline=soon())

        assert failures(errors) == [(0, ErrorCode.TOO_LARGE), (2, ErrorCode.TOO_LARGE)]
        assert self.drained(driver, soon) == [message.id for message in messages(1)]

    def test_the_limits_go_together(self, driver: QueueDriver) -> None:
        """A full call can be reached, an item fits into a call, and no event is too large for an item."""
        limits = driver.limits

        assert limits.batch_items >= 1
        assert LEAST_BODY <= limits.item_bytes <= limits.batch_bytes <= limits.batch_items * limits.item_bytes

    def test_sending_a_message_again_is_no_error(self, driver: QueueDriver, soon: Soon) -> None:
        """The same id twice is accepted, and arrives once or twice: core takes either."""
        message = messages(1)

        errors = [*driver.send(message, deadline=soon()), *driver.send(message, deadline=soon())]

        assert not errors
        assert len(self.drained(driver, soon)) in {1, 2}

    def test_racing_senders_of_one_message_all_succeed(
        self, driver: QueueDriver, soon: Soon, open_driver: OpenDriver[QueueDriver], context: Context
    ) -> None:
        """Sixteen at once, as after a crash: no error, and it arrives."""

        def send(_: int) -> int:
            with opened(open_driver, context) as queue:
                return len(queue.send(messages(1), deadline=soon()))

        failed = race(send)
        times = len(self.drained(driver, soon))

        assert sum(failed) == 0
        assert 1 <= times <= len(failed)

    def test_depth_counts_what_waits_and_what_is_leased(self, driver: QueueDriver, soon: Soon) -> None:
        """Acknowledged messages no longer count; an empty queue has no age."""
        empty = driver.depth(deadline=soon())
        driver.send(messages(3), deadline=soon())
        leased = self.take(driver, soon)
        full, age = driver.depth(deadline=soon())
        driver.ack(leased, deadline=soon())

        assert empty == (0, None)
        assert full == 3
        assert age is None or age >= ZERO
        assert driver.depth(deadline=soon())[0] == 2

    def test_one_message_twice_in_a_call_is_no_error(self, driver: QueueDriver, soon: Soon) -> None:
        """What a sender has put together twice arrives, once or twice, and so do its neighbours."""
        first, second = messages(2)

        errors = driver.send([first, second, first], deadline=soon())

        assert not errors
        assert sorted(set(self.drained(driver, soon))) == [first.id, second.id]

    def test_the_age_is_that_of_the_oldest(self, driver: QueueDriver, soon: Soon, clock: Advancing) -> None:
        """Where one is known: `status` warns by it, and a new message does not make the old one young."""
        driver.send(messages(1), deadline=soon())
        clock.advance(3 * SECOND)
        driver.send(messages(2)[1:], deadline=soon())

        age = driver.depth(deadline=soon())[1]

        assert age is None or age >= 2 * SECOND

    def test_a_message_waits_for_hours(self, driver: QueueDriver, soon: Soon, clock: Advancing) -> None:
        """As long as nobody comes for it; tried where time can be moved."""
        driver.send(messages(1), deadline=soon())
        clock.advance(A_NIGHT if isinstance(clock, ManualClock) else ZERO)

        assert self.drained(driver, soon) == [messages(1)[0].id]

    def test_depth_counts_what_was_given_back(
        self, driver: QueueDriver, soon: Soon, clock: Advancing
    ) -> None:
        """Also while it stays away; and where an age is known, it is that of the first sending."""
        driver.send(messages(1), deadline=soon())
        clock.advance(2 * SECOND)
        driver.nack(self.take(driver, soon), delay=self.lease, deadline=soon())

        count, age = driver.depth(deadline=soon())

        assert count == 1
        assert age is None or age >= SECOND

    def test_waiting_ends_at_the_deadline(self, driver: QueueDriver, clock: Advancing) -> None:
        """`wait` is bounded by the deadline, whichever comes first."""
        start = clock.monotonic()

        received = driver.receive(
            max_messages=1,
            wait=timedelta(hours=1),
            lease=self.lease,
            deadline=Deadline.after(timedelta(seconds=2), clock),
        )

        assert not received
        assert clock.monotonic() - start <= 2

    def test_what_is_billed_is_counted(self, driver: QueueDriver, soon: Soon, context: Context) -> None:
        """The month's bill is read from it, and a budget is kept by it."""
        driver.send(messages(1), deadline=soon())

        check_units(context)


def messages(count: int) -> list[Message]:
    """Return small messages of one lane."""
    return [Message(id=f"message-{number:04}", body=b"body", lane="lane") for number in range(count)]


def _weighing(driver: QueueDriver, total: int) -> list[Message]:
    """Return messages whose bodies weigh `total` bytes together, as few as can be."""
    most = driver.limits.item_bytes
    sizes = [min(most, total - at) for at in range(0, total, most)]
    return [Message(id=f"{n:03}", body=bytes(size), lane=f"{n}") for n, size in enumerate(sizes)]
