"""The contract of a queue's attempts: how often something came, and where it goes when it came too often."""

from __future__ import annotations

from contextlib import closing
from typing import Final

from tuppence.drivers import Message, QueueDriver
from tuppence.testing.contract import Advancing, Soon
from tuppence.testing.messages import QueueTests, messages

OFTEN: Final = 100
"""Deliveries after which a queue that sets messages aside has done so."""


class AttemptsContract(QueueTests):
    """How attempts are counted, and what comes of too many. Part of `QueueContract`."""

    about = "attempts"

    def test_attempts_are_counted_or_left_out(
        self, driver: QueueDriver, soon: Soon, clock: Advancing
    ) -> None:
        """From 1 on, given back or run out; where nobody counts, `None` and no guess."""
        driver.send(messages(1), deadline=soon())

        attempts = []
        for end in ("given back", "ran out", "given back", "ran out"):
            taken = self.take(driver, soon)
            attempts += [delivery.attempt for delivery in taken]
            if end == "given back":
                driver.nack(taken, deadline=soon())
            else:
                self.outlive_leases(clock)

        assert attempts in ([1, 2, 3, 4], [None] * 4)

    def test_each_message_has_attempts_of_its_own(self, driver: QueueDriver, soon: Soon) -> None:
        """One that came often does not age the others."""
        driver.send([Message(id=name, body=b"x", lane=name) for name in ("old", "young")], deadline=soon())
        taken = {delivery.message.id: delivery for delivery in self.take_all(driver, soon, 2)}
        driver.nack([taken["old"]], deadline=soon())
        driver.nack(self.take(driver, soon), deadline=soon())
        driver.nack([taken["young"]], deadline=soon())

        found = {delivery.message.id: delivery.attempt for delivery in self.take_all(driver, soon, 2)}

        assert found in ({"old": 3, "young": 2}, {"old": None, "young": None})

    def test_what_comes_too_often_is_set_aside_or_comes_again(self, driver: QueueDriver, soon: Soon) -> None:
        """Where `dead_letters` says: there it is as it was sent, to be received and acknowledged."""
        driver.send(messages(1), deadline=soon())
        for _ in range(OFTEN):
            taken = self.take(driver, soon)
            driver.nack(taken, deadline=soon())

        aside = driver.dead_letters()
        with closing(aside or type(driver)(driver.options, driver.context)) as where:
            assert bool(taken) == (aside is None)
            arrived = self.take(where, soon)
            assert [(one.message.id, one.message.body) for one in arrived] == [("message-0000", b"body")]
            assert not where.ack(arrived, deadline=soon())
            assert where.depth(deadline=soon())[0] == 0
