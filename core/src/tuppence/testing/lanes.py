"""The contract of a queue's lanes and attempts: what comes first, and how often something came."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from contextlib import closing

import pytest

from tuppence.drivers import Context, Feature, Message, QueueDriver
from tuppence.testing.contract import Advancing, OpenDriver, Soon, opened, race
from tuppence.testing.messages import QueueTests, messages

LANES = ("a", "b", "c", "d")
EACH = 5
OFTEN = 100
"""Deliveries after which a queue that sets messages aside has done so."""
TURNS = 5
"""How often each of racing receivers looks; what they leave is received afterwards."""


class LanesContract(QueueTests):
    """What a queue does that claims `ORDERED`, and how attempts are counted. Part of `QueueContract`."""

    about = "lanes and attempts"

    @pytest.fixture
    def ordered(self, driver: QueueDriver) -> QueueDriver:
        """Return the driver where it claims `ORDERED`."""
        if Feature.ORDERED not in driver.features:
            pytest.skip("does not claim to be ordered")
        return driver

    def test_a_lane_keeps_its_order(self, ordered: QueueDriver, soon: Soon) -> None:
        """First sent, first delivered, one by one or together."""
        ordered.send([Message(id=f"{n}", body=b"x", lane="a") for n in range(6)], deadline=soon())

        assert self.drained(ordered, soon) == [f"{n}" for n in range(6)]

    def test_a_lane_keeps_its_order_over_several_calls(self, ordered: QueueDriver, soon: Soon) -> None:
        """What was accepted earlier comes earlier, whoever sent it."""
        for number in (2, 0, 1):
            ordered.send([Message(id=f"{number}", body=b"x", lane="a")], deadline=soon())

        assert self.drained(ordered, soon) == ["2", "0", "1"]

    def test_a_lane_waits_for_its_first_message(self, ordered: QueueDriver, soon: Soon) -> None:
        """While one message is leased, later ones of its lane wait; other lanes do not."""
        lanes = {"a1": "a", "a2": "a", "b1": "b"}
        ordered.send([Message(id=i, body=b"x", lane=lane) for i, lane in lanes.items()], deadline=soon())
        (first,) = self.take(ordered, soon)

        meanwhile = [delivery.message.id for delivery in self.take(ordered, soon, 3)]
        ordered.ack([first], deadline=soon())
        afterwards = [delivery.message.id for delivery in self.take(ordered, soon, 3)]

        assert (first.message.id, meanwhile, afterwards) == ("a1", ["b1"], ["a2"])

    def test_a_lane_waits_for_what_was_given_back(
        self, ordered: QueueDriver, soon: Soon, clock: Advancing
    ) -> None:
        """A message that stays away for a while holds up its lane, and is not overtaken."""
        ordered.send(messages(3), deadline=soon())
        ordered.nack(self.take(ordered, soon), delay=self.lease, deadline=soon())

        meanwhile = self.take(ordered, soon, 3)
        self.outlive_leases(clock)

        assert not meanwhile
        assert self.drained(ordered, soon) == [message.id for message in messages(3)]

    def test_what_is_given_back_comes_again_in_order(self, ordered: QueueDriver, soon: Soon) -> None:
        """Also when it is given back the last first."""
        ordered.send(messages(4), deadline=soon())
        taken = self.take(ordered, soon, 2)

        ordered.nack(list(reversed(taken)), deadline=soon())

        assert self.drained(ordered, soon) == [message.id for message in messages(4)]

    def test_what_ran_out_comes_again_in_order(
        self, ordered: QueueDriver, soon: Soon, clock: Advancing
    ) -> None:
        """A receiver that died leaves no gap that the lane would jump over."""
        ordered.send(messages(4), deadline=soon())
        self.take(ordered, soon, 2)

        self.outlive_leases(clock)

        assert self.drained(ordered, soon) == [message.id for message in messages(4)]

    def test_lanes_do_not_mix(self, ordered: QueueDriver, soon: Soon) -> None:
        """Each of several lanes keeps its order, however they are interleaved."""
        self.send_all(ordered, _interleaved(), soon)

        assert _by_lane(self.drained(ordered, soon)) == _by_lane(message.id for message in _interleaved())

    def test_racing_receivers_keep_each_lane_in_order(
        self, ordered: QueueDriver, soon: Soon, open_driver: OpenDriver[QueueDriver], context: Context
    ) -> None:
        """Sixteen receivers at once: while one holds a lane's message, nobody is given a later one."""
        self.send_all(ordered, _interleaved(), soon)
        seen: list[str] = []

        def receive(_: int) -> None:
            with opened(open_driver, context) as queue:
                for _ in range(TURNS):
                    taken = self.take(queue, soon, 2)
                    seen.extend(delivery.message.id for delivery in taken)
                    assert not queue.ack(taken, deadline=soon())

        race(receive)
        seen += self.drained(ordered, soon)

        assert _by_lane(seen) == _by_lane(message.id for message in _interleaved())

    def test_attempts_are_counted_or_left_out(
        self, driver: QueueDriver, soon: Soon, clock: Advancing
    ) -> None:
        """`ATTEMPTS` counts from 1, given back or run out; a queue that does not claim it says `None`."""
        driver.send(messages(1), deadline=soon())

        attempts = []
        for end in ("given back", "ran out", "given back", "ran out"):
            taken = self.take(driver, soon)
            attempts += [delivery.attempt for delivery in taken]
            if end == "given back":
                driver.nack(taken, deadline=soon())
            else:
                self.outlive_leases(clock)

        counted = Feature.ATTEMPTS in driver.features
        assert attempts == ([1, 2, 3, 4] if counted else [None] * 4)

    def test_each_message_has_attempts_of_its_own(self, driver: QueueDriver, soon: Soon) -> None:
        """One that came often does not age the others."""
        driver.send([Message(id=name, body=b"x", lane=name) for name in ("old", "young")], deadline=soon())
        taken = {delivery.message.id: delivery for delivery in self.take_all(driver, soon, 2)}
        driver.nack([taken["old"]], deadline=soon())
        driver.nack(self.take(driver, soon), deadline=soon())
        driver.nack([taken["young"]], deadline=soon())

        found = {delivery.message.id: delivery.attempt for delivery in self.take_all(driver, soon, 2)}

        counted = Feature.ATTEMPTS in driver.features
        assert found == ({"old": 3, "young": 2} if counted else {"old": None, "young": None})

    def test_what_comes_too_often_is_set_aside_or_comes_again(self, driver: QueueDriver, soon: Soon) -> None:
        """`NATIVE_DEAD_LETTERS`: it is set aside as it was sent, to be received and acknowledged."""
        driver.send(messages(1), deadline=soon())
        for _ in range(OFTEN):
            taken = self.take(driver, soon)
            driver.nack(taken, deadline=soon())

        claimed = Feature.NATIVE_DEAD_LETTERS in driver.features
        with closing(driver.dead_letters() or type(driver)(driver.options, driver.context)) as where:
            assert (driver.dead_letters() is not None) == claimed
            assert bool(taken) != claimed
            arrived = self.take(where, soon)
            assert [(one.message.id, one.message.body) for one in arrived] == [("message-0000", b"body")]
            assert not where.ack(arrived, deadline=soon())
            assert where.depth(deadline=soon())[0] == 0


def _interleaved() -> list[Message]:
    return [Message(id=f"{lane}-{n}", body=b"x", lane=lane) for n in range(EACH) for lane in LANES]


def _by_lane(ids: Iterable[str]) -> dict[str, list[str]]:
    lanes: dict[str, list[str]] = defaultdict(list)
    for name in ids:
        lanes[name.partition("-")[0]].append(name)
    return dict(lanes)
