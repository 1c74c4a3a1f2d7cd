"""The contract of a queue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import ClassVar

import pytest

from tuppence.clock import Deadline
from tuppence.drivers import ZERO, Context, Delivery, Feature, Message, QueueDriver
from tuppence.errors import ErrorCode
from tuppence.testing.contract import Advancing, DriverContract, OpenDriver, race, refused

Soon = Callable[[], Deadline]

BODIES = [b"plain", "fünf £ \U0001f4ca".encode(), bytes(range(256)), b"\x00"]


class QueueContract(DriverContract):
    """What every queue does."""

    lease: ClassVar[timedelta] = timedelta(seconds=30)
    """What tests lease for; shorter for a service that runs on real time."""

    def take(self, queue: QueueDriver, soon: Soon, most: int = 1) -> Sequence[Delivery]:
        """Lease up to `most` messages that are there now."""
        return queue.receive(max_messages=most, wait=ZERO, lease=self.lease, deadline=soon())

    @pytest.mark.parametrize("body", BODIES, ids=["ascii", "unicode", "every byte", "one zero"])
    def test_a_message_arrives_as_it_was_sent(self, driver: QueueDriver, soon: Soon, body: bytes) -> None:
        """Bodies are bytes, ids come back."""
        errors = driver.send([Message(id="one", body=body, lane="a")], deadline=soon())

        (delivery,) = self.take(driver, soon)

        assert not errors
        assert (delivery.message.id, delivery.message.body) == ("one", body)

    def test_an_empty_queue_gives_nothing(self, driver: QueueDriver, soon: Soon) -> None:
        """`receive` returns empty, and does not raise, when no message came."""
        assert not self.take(driver, soon)

    def test_a_full_batch_arrives(self, driver: QueueDriver, soon: Soon) -> None:
        """`batch_items` messages go in one call, and all come out once."""
        sent = _messages(driver.limits.batch_items)

        errors = driver.send(sent, deadline=soon())

        assert not errors
        assert sorted(self.drained(driver, soon)) == sorted(message.id for message in sent)

    def test_a_batch_over_the_limit_is_refused_whole(self, driver: QueueDriver, soon: Soon) -> None:
        """A call beyond `limits` is the caller's mistake, and nothing of it is sent."""
        with refused(ErrorCode.INVALID, ErrorCode.TOO_LARGE):
            driver.send(_messages(driver.limits.batch_items + 1), deadline=soon())

        assert not self.take(driver, soon)

    @pytest.mark.parametrize("under", [1, 0])
    def test_a_message_within_the_limit_is_taken(self, driver: QueueDriver, soon: Soon, under: int) -> None:
        """`item_bytes` is what a body may have, to the byte."""
        body = bytes(driver.limits.item_bytes - under)

        errors = driver.send([Message(id="large", body=body)], deadline=soon())

        assert not errors
        assert [delivery.message.body for delivery in self.take(driver, soon)] == [body]

    def test_a_message_over_the_limit_fails_alone(self, driver: QueueDriver, soon: Soon) -> None:
        """`TOO_LARGE` at its position; the others of the batch are sent."""
        over = Message(id="over", body=bytes(driver.limits.item_bytes + 1))
        before, after = _messages(2)

        errors = driver.send([before, over, after], deadline=soon())

        assert [(error.position, error.error.code) for error in errors] == [(1, ErrorCode.TOO_LARGE)]
        assert sorted(self.drained(driver, soon)) == [before.id, after.id]

    def test_a_leased_message_is_hidden(self, driver: QueueDriver, soon: Soon) -> None:
        """Until `expires` no other receiver sees it."""
        driver.send(_messages(1), deadline=soon())
        self.take(driver, soon)

        assert not self.take(driver, soon)

    def test_the_delivery_says_when_its_lease_ends(
        self, driver: QueueDriver, soon: Soon, clock: Advancing
    ) -> None:
        """`expires` lies at most the lease ahead, and ahead."""
        driver.send(_messages(1), deadline=soon())

        (delivery,) = self.take(driver, soon)

        assert clock.now() < delivery.expires <= clock.now() + self.lease

    def test_a_lease_is_clamped_to_what_the_service_can_do(
        self, driver: QueueDriver, soon: Soon, clock: Advancing
    ) -> None:
        """A lease too long is no error; the delivery tells the truth."""
        driver.send(_messages(1), deadline=soon())

        (delivery,) = driver.receive(max_messages=1, wait=ZERO, lease=timedelta(days=365), deadline=soon())

        assert clock.now() < delivery.expires < clock.now() + timedelta(days=365)

    def test_a_message_comes_again_when_its_lease_runs_out(
        self, driver: QueueDriver, soon: Soon, clock: Advancing
    ) -> None:
        """At least once: what is not acknowledged is delivered again."""
        driver.send(_messages(1), deadline=soon())
        (first,) = self.take(driver, soon)

        clock.advance(self.lease + timedelta(seconds=1))
        (second,) = self.take(driver, soon)

        assert second.message == first.message

    def test_an_extended_lease_hides_for_longer(
        self, driver: QueueDriver, soon: Soon, clock: Advancing
    ) -> None:
        """`extend` counts from now, not from the old end."""
        driver.send(_messages(1), deadline=soon())
        delivery = self.take(driver, soon)

        clock.advance(self.lease / 2)
        errors = driver.extend(delivery, lease=self.lease, deadline=soon())
        clock.advance(self.lease * 3 / 4)
        hidden = self.take(driver, soon)
        clock.advance(self.lease / 2)

        assert not errors
        assert not hidden
        assert self.take(driver, soon)

    def test_an_acknowledged_message_is_gone(self, driver: QueueDriver, soon: Soon, clock: Advancing) -> None:
        """`ack` removes for good, and a repeat is no error."""
        driver.send(_messages(1), deadline=soon())
        delivery = self.take(driver, soon)

        errors = [*driver.ack(delivery, deadline=soon()), *driver.ack(delivery, deadline=soon())]
        clock.advance(self.lease + timedelta(seconds=1))

        assert not errors
        assert not self.take(driver, soon)

    def test_a_lost_lease_can_do_nothing(self, driver: QueueDriver, soon: Soon, clock: Advancing) -> None:
        """With the message at another receiver, all is `NOT_FOUND` and changes nothing."""
        driver.send(_messages(1), deadline=soon())
        lost = self.take(driver, soon)
        clock.advance(self.lease + timedelta(seconds=1))
        held = self.take(driver, soon)

        errors = [
            *driver.extend(lost, lease=self.lease, deadline=soon()),
            *driver.nack(lost, deadline=soon()),
            *driver.ack(lost, deadline=soon()),
        ]

        assert [error.error.code for error in errors] == [ErrorCode.NOT_FOUND] * 3
        assert not self.take(driver, soon)
        assert not driver.ack(held, deadline=soon())

    def test_one_lost_lease_does_not_stop_the_others(
        self, driver: QueueDriver, soon: Soon, clock: Advancing
    ) -> None:
        """Items of one call succeed and fail alone."""
        driver.send(_messages(1), deadline=soon())
        lost = self.take(driver, soon)
        clock.advance(self.lease + timedelta(seconds=1))
        driver.send([Message(id="other", body=b"x", lane="other")], deadline=soon())
        held = [*self.take(driver, soon), *self.take(driver, soon)]
        other = next(delivery for delivery in held if delivery.message.id == "other")

        errors = driver.ack([*lost, other], deadline=soon())
        clock.advance(self.lease + timedelta(seconds=1))

        assert [(error.position, error.error.code) for error in errors] == [(0, ErrorCode.NOT_FOUND)]
        assert [delivery.message.id for delivery in self.take(driver, soon, 2)] == [lost[0].message.id]

    def test_a_message_given_back_comes_again_at_once(self, driver: QueueDriver, soon: Soon) -> None:
        """`nack` ends the lease."""
        driver.send(_messages(1), deadline=soon())
        delivery = self.take(driver, soon)

        errors = driver.nack(delivery, deadline=soon())

        assert not errors
        assert [again.message for again in self.take(driver, soon)] == [delivery[0].message]

    def test_a_message_given_back_waits_for_its_delay(
        self, driver: QueueDriver, soon: Soon, clock: Advancing
    ) -> None:
        """`nack` with a delay hides the message for that long and no longer."""
        driver.send(_messages(1), deadline=soon())
        driver.nack(self.take(driver, soon), delay=self.lease, deadline=soon())

        hidden = self.take(driver, soon)
        clock.advance(self.lease + timedelta(seconds=1))

        assert not hidden
        assert self.take(driver, soon)

    def test_sending_a_message_again_is_no_error(self, driver: QueueDriver, soon: Soon) -> None:
        """The same id twice is accepted; `DEDUPLICATED` delivers it once."""
        message = _messages(1)

        errors = [*driver.send(message, deadline=soon()), *driver.send(message, deadline=soon())]

        assert not errors
        times = len(self.drained(driver, soon))
        assert times == 1 if Feature.DEDUPLICATED in driver.features else times in {1, 2}

    def test_a_lane_keeps_its_order(self, driver: QueueDriver, soon: Soon) -> None:
        """`ORDERED`: first sent, first delivered, one by one or together."""
        if Feature.ORDERED not in driver.features:
            pytest.skip("does not claim to be ordered")
        driver.send([Message(id=f"{n}", body=b"x", lane="a") for n in range(6)], deadline=soon())

        assert self.drained(driver, soon) == [f"{n}" for n in range(6)]

    def test_a_lane_waits_for_its_first_message(self, driver: QueueDriver, soon: Soon) -> None:
        """`ORDERED`: while one message is leased, later ones of its lane wait; other lanes do not."""
        if Feature.ORDERED not in driver.features:
            pytest.skip("does not claim to be ordered")
        lanes = {"a1": "a", "a2": "a", "b1": "b"}
        driver.send([Message(id=i, body=b"x", lane=lane) for i, lane in lanes.items()], deadline=soon())
        (first,) = self.take(driver, soon)

        meanwhile = [delivery.message.id for delivery in self.take(driver, soon, 3)]
        driver.ack([first], deadline=soon())
        afterwards = [delivery.message.id for delivery in self.take(driver, soon, 3)]

        assert (first.message.id, meanwhile, afterwards) == ("a1", ["b1"], ["a2"])

    def test_attempts_are_counted_or_left_out(self, driver: QueueDriver, soon: Soon) -> None:
        """`ATTEMPTS` counts from 1; a queue that does not claim it says `None` rather than guess."""
        driver.send(_messages(1), deadline=soon())

        first = self.take(driver, soon)
        driver.nack(first, deadline=soon())
        second = self.take(driver, soon)

        counted = Feature.ATTEMPTS in driver.features
        assert [first[0].attempt, second[0].attempt] == ([1, 2] if counted else [None, None])

    def test_depth_counts_what_waits_and_what_is_leased(self, driver: QueueDriver, soon: Soon) -> None:
        """Acknowledged messages no longer count; an empty queue has no age."""
        empty = driver.depth(deadline=soon())
        driver.send(_messages(3), deadline=soon())
        leased = self.take(driver, soon)
        full, age = driver.depth(deadline=soon())
        driver.ack(leased, deadline=soon())

        assert empty == (0, None)
        assert full == 3
        assert age is None or age >= ZERO
        assert driver.depth(deadline=soon())[0] == 2

    def test_racing_receivers_share_the_messages(
        self, driver: QueueDriver, soon: Soon, open_driver: OpenDriver[QueueDriver], context: Context
    ) -> None:
        """Sixteen receivers at once: each message goes to exactly one of them."""
        sent = [Message(id=f"{n}", body=b"x", lane=f"{n}") for n in range(min(40, driver.limits.batch_items))]
        driver.send(sent, deadline=soon())

        def receive(_: int) -> list[str]:
            queue = open_driver(context)
            try:
                return self.drained(queue, soon)
            finally:
                queue.close()

        got = [name for names in race(receive) for name in names]

        assert sorted(got) == sorted(message.id for message in sent)

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

    def test_no_call_starts_after_the_deadline(
        self, driver: QueueDriver, clock: Advancing, soon: Soon
    ) -> None:
        """`TIMEOUT`, and nothing is sent."""
        with refused(ErrorCode.TIMEOUT):
            driver.send(_messages(1), deadline=Deadline.after(ZERO, clock))

        assert not self.take(driver, soon)

    def test_a_missing_queue_is_not_found(self, missing: QueueDriver, soon: Soon) -> None:
        """Every call on a resource that is not there says so."""
        with refused(ErrorCode.NOT_FOUND):
            missing.send(_messages(1), deadline=soon())
        with refused(ErrorCode.NOT_FOUND):
            self.take(missing, soon)
        with refused(ErrorCode.NOT_FOUND):
            missing.depth(deadline=soon())

    def drained(self, queue: QueueDriver, soon: Soon) -> list[str]:
        """Receive and acknowledge until nothing comes; return the ids in the order they came."""
        ids: list[str] = []
        while deliveries := self.take(queue, soon, queue.limits.batch_items):
            ids += [delivery.message.id for delivery in deliveries]
            assert not queue.ack(deliveries, deadline=soon())
        return ids


def _messages(count: int) -> list[Message]:
    return [Message(id=f"message-{number:04}", body=b"body", lane="lane") for number in range(count)]
