"""What our queues are held to that keep lanes in order. Core does not rely on it, so it is no contract."""

from collections import defaultdict

from tuppence.drivers import Message
from tuppence.testing.contract import opened, race
from tuppence.testing.messages import messages

LANES = ("a", "b", "c", "d")
EACH = 5
TURNS = 5
"""How often each of racing receivers looks; what they leave is received afterwards."""


class KeepsLanes:
    """Tests for a suite of a queue: each lane arrives in the order sent, and waits for its first message."""

    __test__ = False

    def test_a_lane_keeps_its_order(self, driver, soon):
        driver.send([Message(id=f"{n}", body=b"x", lane="a") for n in range(6)], deadline=soon())

        assert self.drained(driver, soon) == [f"{n}" for n in range(6)]

    def test_a_lane_keeps_its_order_over_several_calls(self, driver, soon):
        for number in (2, 0, 1):
            driver.send([Message(id=f"{number}", body=b"x", lane="a")], deadline=soon())

        assert self.drained(driver, soon) == ["2", "0", "1"]

    def test_a_lane_waits_for_its_first_message(self, driver, soon):
        lanes = {"a1": "a", "a2": "a", "b1": "b"}
        driver.send([Message(id=i, body=b"x", lane=lane) for i, lane in lanes.items()], deadline=soon())
        (first,) = self.take(driver, soon)

        meanwhile = [delivery.message.id for delivery in self.take(driver, soon, 3)]
        driver.ack([first], deadline=soon())
        afterwards = [delivery.message.id for delivery in self.take(driver, soon, 3)]

        assert (first.message.id, meanwhile, afterwards) == ("a1", ["b1"], ["a2"])

    def test_a_lane_waits_for_what_was_given_back(self, driver, soon, clock):
        driver.send(messages(3), deadline=soon())
        driver.nack(self.take(driver, soon), delay=self.lease, deadline=soon())

        meanwhile = self.take(driver, soon, 3)
        self.outlive_leases(clock)

        assert not meanwhile
        assert self.drained(driver, soon) == [message.id for message in messages(3)]

    def test_what_is_given_back_comes_again_in_order(self, driver, soon):
        driver.send(messages(4), deadline=soon())
        taken = self.take(driver, soon, 2)

        driver.nack(list(reversed(taken)), deadline=soon())

        assert self.drained(driver, soon) == [message.id for message in messages(4)]

    def test_what_ran_out_comes_again_in_order(self, driver, soon, clock):
        driver.send(messages(4), deadline=soon())
        self.take(driver, soon, 2)

        self.outlive_leases(clock)

        assert self.drained(driver, soon) == [message.id for message in messages(4)]

    def test_lanes_do_not_mix(self, driver, soon):
        self.send_all(driver, _interleaved(), soon)

        assert _by_lane(self.drained(driver, soon)) == _by_lane(message.id for message in _interleaved())

    def test_racing_receivers_keep_each_lane_in_order(self, driver, soon, open_driver, context):
        self.send_all(driver, _interleaved(), soon)
        seen = []

        def receive(_):
            with opened(open_driver, context) as queue:
                for _ in range(TURNS):
                    taken = self.take(queue, soon, 2)
                    seen.extend(delivery.message.id for delivery in taken)
                    assert not queue.ack(taken, deadline=soon())

        race(receive)
        seen += self.drained(driver, soon)

        assert _by_lane(seen) == _by_lane(message.id for message in _interleaved())


def _interleaved():
    return [Message(id=f"{lane}-{n}", body=b"x", lane=lane) for n in range(EACH) for lane in LANES]


def _by_lane(ids):
    lanes = defaultdict(list)
    for name in ids:
        lanes[name.partition("-")[0]].append(name)
    return dict(lanes)
