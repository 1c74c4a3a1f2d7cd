"""A machine's clock that is set, hours or days forward or back, while messages and schedules wait."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tuppence.clock import Deadline
from tuppence.drivers import Message, Schedule
from tuppence.local.queue import LocalQueue
from tuppence.local.scheduler import LocalScheduler
from tuppence.testing import ManualClock

LEASE = timedelta(minutes=1)
JUMPS = [timedelta(days=-20), timedelta(hours=-3), timedelta(hours=3), timedelta(days=20)]
DAILY = Schedule(name="daily", cron="0 7 * * *", timezone="UTC", job="purge")


class SetClock(ManualClock):
    """A clock that can be set, as the machine's can; what has passed by the monotonic one stays."""

    def set(self, by):
        self._start += by


@pytest.fixture
def clock():
    return SetClock()


@pytest.fixture
def queue(tmp_path, context):
    queue = LocalQueue(LocalQueue.Options(path=str(tmp_path / "tuppence.db")), context)
    yield queue
    queue.close()


@pytest.fixture
def receive(queue, clock):
    def receive(most=10):
        deadline = Deadline.after(5, clock)
        return queue.receive(max_messages=most, wait=timedelta(0), lease=LEASE, deadline=deadline)

    return receive


@pytest.fixture
def send(queue, clock):
    def send(*names):
        messages = [Message(id=name, body=b"x", lane="a") for name in names]
        assert not queue.send(messages, deadline=Deadline.after(5, clock))

    return send


def names(deliveries):
    return [delivery.message.id for delivery in deliveries]


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_what_was_sent_before_the_clock_was_set_is_delivered_with_what_follows(send, receive, clock, jump):
    send("1", "2")
    clock.set(jump)
    send("3")

    assert names(receive()) == ["1", "2", "3"]


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_what_was_leased_before_the_clock_was_set_comes_back(send, receive, clock, jump):
    send("1", "2")
    assert names(receive(1)) == ["1"]
    clock.set(jump)
    clock.advance(LEASE + timedelta(seconds=1))

    assert names(receive()) == ["1", "2"]


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_what_was_given_back_before_the_clock_was_set_comes_back(send, receive, queue, clock, jump):
    send("1", "2")
    first = receive(1)
    queue.nack(first, delay=LEASE, deadline=Deadline.after(5, clock))
    clock.set(jump)
    clock.advance(LEASE + timedelta(seconds=1))

    assert names(receive()) == ["1", "2"]


def test_a_lease_outlives_a_clock_that_is_corrected_by_a_moment(send, receive, clock):
    send("1")
    receive()
    clock.set(timedelta(milliseconds=-500))

    assert names(receive()) == []


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_a_schedule_is_due_at_its_next_time_by_the_clock_as_it_is_set(tmp_path, context, clock, jump):
    options = LocalScheduler.Options(path=str(tmp_path / "tuppence.db"))
    scheduler = LocalScheduler(options, replace(context, clock=clock))
    scheduler.upsert(DAILY)
    clock.set(jump)
    scheduler.claim_due()

    assert timedelta(0) < scheduler.next_due() - clock.now() <= timedelta(days=1)
    scheduler.close()
