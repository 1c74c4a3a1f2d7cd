"""What someone who waits for a command is told, and how long they wait."""

from datetime import timedelta

import pytest

from tuppence.clock import Deadline
from tuppence.drivers import ItemError, Limits
from tuppence.errors import DriverError, ErrorCode
from tuppence.retry import FIRST_TRY, call, each
from tuppence.testing.clock import ManualClock
from tuppence.watch import BY_HAND, Watch, watched

LIMITS = Limits(batch_items=3, batch_bytes=10, item_bytes=8)
STEP = timedelta(minutes=10)


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def said(clock):
    """What has been said, and by when; the watch is on while the test runs."""
    said = []
    with watched(Watch(lambda sentence: said.append((clock.monotonic(), sentence)))):
        yield said


def error(operation="store.put"):
    return DriverError(
        ErrorCode.UNAVAILABLE, operation=operation, provider="test", message="the disk is full"
    )


def refuse(*, deadline):
    raise error()


def try_it(operation, clock, name="store.put"):
    return call(operation, deadline=Deadline.after(STEP, clock), clock=clock, name=name)


def test_a_failure_that_is_tried_again_is_said_at_once_and_once(clock, said):
    with pytest.raises(DriverError):
        try_it(refuse, clock)

    [(at, sentence)] = said
    assert at == 0
    assert sentence.startswith(
        "test store.put: unavailable: the disk is full. Tried again until 09:30:30 UTC"
    )
    assert clock.monotonic() <= BY_HAND.total_seconds()


def test_without_anyone_who_waits_a_call_is_tried_for_all_its_time(clock):
    with pytest.raises(DriverError):
        try_it(refuse, clock)

    assert clock.monotonic() > BY_HAND.total_seconds()


def test_a_worker_is_told_and_has_all_its_time(clock):
    said = []
    with watched(Watch(said.append, patience=None)), pytest.raises(DriverError):
        try_it(refuse, clock)

    assert len(said) == 1
    assert "until 09:40:00" in said[0]
    assert clock.monotonic() > BY_HAND.total_seconds()


@pytest.mark.usefixtures("said")
def test_the_next_call_to_a_driver_that_is_down_is_tried_once(clock):
    with pytest.raises(DriverError):
        try_it(refuse, clock)
    clock.advance(BY_HAND)
    before, tries = clock.monotonic(), []

    def get(*, deadline):
        tries.append(deadline.remaining())
        clock.sleep(FIRST_TRY)
        raise error("store.get")

    with pytest.raises(DriverError):
        try_it(get, clock, "store.get")

    assert len(tries) == 1
    assert clock.monotonic() - before == pytest.approx(FIRST_TRY)


def test_a_call_that_gets_through_makes_the_next_failure_a_new_one(clock, said):
    for _ in range(2):
        with pytest.raises(DriverError):
            try_it(refuse, clock)
        assert try_it(lambda *, deadline: deadline is not None, clock)

    assert len(said) == 2


def test_reads_that_succeed_do_not_hide_that_writes_fail(clock, said):
    for _ in range(3):
        with pytest.raises(DriverError):
            try_it(refuse, clock)
        assert try_it(lambda *, deadline: deadline is not None, clock, "store.get")

    assert len(said) == 1
    assert clock.monotonic() <= BY_HAND.total_seconds()


def test_items_that_are_refused_one_by_one_are_told_and_given_up_too(clock, said):
    def send(items, /, *, deadline):
        return [ItemError(position, error("queue.send")) for position in range(len(items))]

    failed = each(
        ["a", "b"],
        send,
        size=len,
        limits=LIMITS,
        deadline=Deadline.after(STEP, clock),
        clock=clock,
        name="queue.send",
    )

    assert len(failed) == 2
    assert len(said) == 1
    assert clock.monotonic() <= BY_HAND.total_seconds()
