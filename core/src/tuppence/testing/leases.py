"""The contract of a queue's leases: who has a message, until when, and what comes again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest

from tuppence.drivers import ZERO, Context, Delivery, ItemError, Message, QueueDriver
from tuppence.errors import ErrorCode
from tuppence.testing.contract import SECOND, Advancing, OpenDriver, Soon, failures, opened, race
from tuppence.testing.messages import QueueTests, messages

YEAR = timedelta(days=365)
SETTLING = ("ack", "nack", "extend")


class LeasesContract(QueueTests):
    """What every queue does with leases. Part of `QueueContract`."""

    about = "leases"

    def settle(
        self, queue: QueueDriver, how: str, deliveries: Sequence[Delivery], soon: Soon
    ) -> Sequence[ItemError]:
        """Acknowledge, give back or extend."""
        calls: dict[str, Callable[[], Sequence[ItemError]]] = {
            "ack": lambda: queue.ack(deliveries, deadline=soon()),
            "nack": lambda: queue.nack(deliveries, deadline=soon()),
            "extend": lambda: queue.extend(deliveries, lease=self.lease, deadline=soon()),
        }
        return calls[how]()

    def test_a_leased_message_is_hidden(self, driver: QueueDriver, soon: Soon) -> None:
        """Until `expires` no other receiver sees it."""
        driver.send(messages(1), deadline=soon())
        self.take(driver, soon)

        assert not self.take(driver, soon)

    def test_a_leased_message_is_hidden_from_another_process(
        self, driver: QueueDriver, soon: Soon, open_driver: OpenDriver[QueueDriver], context: Context
    ) -> None:
        """A lease is the service's, not the driver's."""
        driver.send(messages(1), deadline=soon())
        self.take(driver, soon)

        with opened(open_driver, context) as other:
            assert not self.take(other, soon)

    def test_the_delivery_says_when_its_lease_ends(
        self, driver: QueueDriver, soon: Soon, clock: Advancing
    ) -> None:
        """`expires` lies at most the lease ahead, and ahead."""
        driver.send(messages(1), deadline=soon())

        (delivery,) = self.take(driver, soon)

        assert clock.now() < delivery.expires <= clock.now() + self.lease

    def test_a_lease_holds_until_it_ends(self, driver: QueueDriver, soon: Soon, clock: Advancing) -> None:
        """Not shorter than said: whoever holds it goes on storing until then."""
        driver.send(messages(1), deadline=soon())
        (delivery,) = self.take(driver, soon)

        clock.advance(delivery.expires - clock.now() - SECOND)

        assert not self.take(driver, soon)

    def test_a_lease_is_clamped_to_what_the_service_can_do(
        self, driver: QueueDriver, soon: Soon, clock: Advancing
    ) -> None:
        """A lease too long is no error; the delivery tells the truth."""
        driver.send(messages(1), deadline=soon())

        (delivery,) = driver.receive(max_messages=1, wait=ZERO, lease=YEAR, deadline=soon())

        assert clock.now() < delivery.expires < clock.now() + YEAR

    def test_a_message_comes_again_when_its_lease_runs_out(
        self, driver: QueueDriver, soon: Soon, clock: Advancing
    ) -> None:
        """At least once: what is not acknowledged is delivered again."""
        driver.send(messages(1), deadline=soon())
        (first,) = self.take(driver, soon)

        self.outlive_leases(clock)
        (second,) = self.take(driver, soon)

        assert second.message == first.message

    def test_what_a_dead_process_held_comes_to_another(
        self,
        driver: QueueDriver,
        soon: Soon,
        clock: Advancing,
        open_driver: OpenDriver[QueueDriver],
        context: Context,
    ) -> None:
        """Nothing of a lease is needed to take the message over but time."""
        driver.send(messages(1), deadline=soon())
        with opened(open_driver, context) as dying:
            self.take(dying, soon)

        self.outlive_leases(clock)

        assert self.drained(driver, soon) == [messages(1)[0].id]

    def test_an_extended_lease_hides_for_longer(
        self, driver: QueueDriver, soon: Soon, clock: Advancing
    ) -> None:
        """`extend` counts from now, not from the old end."""
        driver.send(messages(1), deadline=soon())
        delivery = self.take(driver, soon)

        clock.advance(self.lease / 2)
        errors = driver.extend(delivery, lease=self.lease, deadline=soon())
        clock.advance(self.lease * 3 / 4)
        hidden = self.take(driver, soon)
        clock.advance(self.lease / 2)

        assert not errors
        assert not hidden
        assert self.take(driver, soon)

    def test_only_what_was_extended_stays_hidden(
        self, driver: QueueDriver, soon: Soon, clock: Advancing
    ) -> None:
        """Several are extended in one call; the lease of another of the same call runs out."""
        driver.send(_apart("a", "b", "c"), deadline=soon())
        taken = self.take_all(driver, soon, 3)
        chosen = [delivery for delivery in taken if delivery.message.id != "b"]

        clock.advance(self.lease / 2)
        errors = driver.extend(chosen, lease=self.lease, deadline=soon())
        clock.advance(self.lease * 3 / 4)

        assert not errors
        assert [delivery.message.id for delivery in self.take(driver, soon, 3)] == ["b"]

    def test_an_extension_is_clamped_to_what_the_service_can_do(
        self, driver: QueueDriver, soon: Soon
    ) -> None:
        """Too long is no error, and the message stays hidden."""
        driver.send(messages(1), deadline=soon())
        delivery = self.take(driver, soon)

        errors = driver.extend(delivery, lease=YEAR, deadline=soon())

        assert not errors
        assert not self.take(driver, soon)

    def test_an_extended_message_can_still_be_acknowledged(
        self, driver: QueueDriver, soon: Soon, clock: Advancing
    ) -> None:
        """The receipt of the delivery stays good."""
        driver.send(messages(1), deadline=soon())
        delivery = self.take(driver, soon)
        driver.extend(delivery, lease=self.lease, deadline=soon())

        errors = driver.ack(delivery, deadline=soon())
        self.outlive_leases(clock)

        assert not errors
        assert not self.take(driver, soon)

    def test_an_acknowledged_message_is_gone(self, driver: QueueDriver, soon: Soon, clock: Advancing) -> None:
        """`ack` removes for good, and a repeat is no error."""
        driver.send(messages(1), deadline=soon())
        delivery = self.take(driver, soon)

        errors = [*driver.ack(delivery, deadline=soon()), *driver.ack(delivery, deadline=soon())]
        self.outlive_leases(clock)

        assert not errors
        assert not self.take(driver, soon)

    def test_what_ran_out_is_acknowledged_or_comes_again(
        self, driver: QueueDriver, soon: Soon, clock: Advancing
    ) -> None:
        """A service may refuse what comes too late, also where nobody else has it; either way, it says so."""
        driver.send(messages(1), deadline=soon())
        late = self.take(driver, soon)
        self.outlive_leases(clock)

        errors = driver.ack(late, deadline=soon())
        again = self.take(driver, soon)

        assert failures(errors) in ([], [(0, ErrorCode.NOT_FOUND)])
        assert bool(again) == bool(errors)

    def test_only_what_was_acknowledged_is_gone(
        self, driver: QueueDriver, soon: Soon, clock: Advancing
    ) -> None:
        """Of several received together, the others come again."""
        driver.send(_apart("a", "b", "c"), deadline=soon())
        taken = self.take_all(driver, soon, 3)

        driver.ack([delivery for delivery in taken if delivery.message.id != "b"], deadline=soon())
        self.outlive_leases(clock)

        assert self.drained(driver, soon) == ["b"]

    @pytest.mark.parametrize("how", SETTLING)
    def test_a_lost_lease_can_do_nothing(
        self, driver: QueueDriver, soon: Soon, clock: Advancing, how: str
    ) -> None:
        """With the message at another receiver, all is `NOT_FOUND` and changes nothing."""
        driver.send(messages(1), deadline=soon())
        lost = self.take(driver, soon)
        self.outlive_leases(clock)
        held = self.take(driver, soon)

        errors = self.settle(driver, how, lost, soon)

        assert failures(errors) == [(0, ErrorCode.NOT_FOUND)]
        assert not self.take(driver, soon)
        assert not driver.ack(held, deadline=soon())

    @pytest.mark.parametrize("how", SETTLING)
    def test_one_lost_lease_does_not_stop_the_others(
        self, driver: QueueDriver, soon: Soon, clock: Advancing, how: str
    ) -> None:
        """Items of one call succeed and fail alone, wherever they stand."""
        driver.send(_apart("a", "b", "c"), deadline=soon())
        lost = {delivery.message.id: delivery for delivery in self.take_all(driver, soon, 3)}
        self.outlive_leases(clock)
        held = {delivery.message.id: delivery for delivery in self.take_all(driver, soon, 3)}

        errors = self.settle(driver, how, [lost["a"], held["b"], lost["c"]], soon)
        at_once = [delivery.message.id for delivery in self.take(driver, soon, 3)]
        self.outlive_leases(clock)
        later = [delivery.message.id for delivery in self.take_all(driver, soon, 2 if how == "ack" else 3)]

        assert failures(errors) == [(0, ErrorCode.NOT_FOUND), (2, ErrorCode.NOT_FOUND)]
        assert at_once == (["b"] if how == "nack" else [])
        assert sorted(later) == (["a", "c"] if how == "ack" else ["a", "b", "c"])

    def test_a_message_given_back_comes_again_at_once(self, driver: QueueDriver, soon: Soon) -> None:
        """`nack` ends the lease."""
        driver.send(messages(1), deadline=soon())
        delivery = self.take(driver, soon)

        errors = driver.nack(delivery, deadline=soon())

        assert not errors
        assert [again.message for again in self.take(driver, soon)] == [delivery[0].message]

    def test_a_message_given_back_waits_for_its_delay(
        self, driver: QueueDriver, soon: Soon, clock: Advancing
    ) -> None:
        """`nack` with a delay hides the message for that long and no longer."""
        driver.send(messages(1), deadline=soon())
        driver.nack(self.take(driver, soon), delay=self.lease, deadline=soon())

        hidden = self.take(driver, soon)
        self.outlive_leases(clock)

        assert not hidden
        assert self.take(driver, soon)

    def test_a_delay_is_clamped_to_what_the_service_can_do(self, driver: QueueDriver, soon: Soon) -> None:
        """A delay too long is no error, and the message stays away for now."""
        driver.send(messages(1), deadline=soon())
        delivery = self.take(driver, soon)

        errors = driver.nack(delivery, delay=YEAR, deadline=soon())

        assert not errors
        assert not self.take(driver, soon)
        assert driver.depth(deadline=soon())[0] == 1

    def test_racing_receivers_share_the_messages(
        self, driver: QueueDriver, soon: Soon, open_driver: OpenDriver[QueueDriver], context: Context
    ) -> None:
        """Sixteen receivers at once: each message goes to exactly one of them."""
        sent = _apart(*(f"{number:02}" for number in range(min(40, driver.limits.batch_items))))
        driver.send(sent, deadline=soon())

        def receive(_: int) -> list[str]:
            with opened(open_driver, context) as queue:
                return self.drained(queue, soon)

        got = [name for names in race(receive) for name in names]

        assert sorted(got) == sorted(message.id for message in sent)


def _apart(*names: str) -> list[Message]:
    """Return messages that do not wait for each other."""
    return [Message(id=name, body=b"x", lane=name) for name in names]
