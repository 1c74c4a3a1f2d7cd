"""The contract of a queue's waiting, and of what it keeps from one project for another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import pytest

from tuppence.clock import Deadline
from tuppence.drivers import Context, QueueDriver
from tuppence.testing.contract import SECOND, Advancing, OpenDriver, Soon, opened
from tuppence.testing.messages import QueueTests, messages

WAIT: Final = timedelta(seconds=5)
LONG_WAIT: Final = timedelta(seconds=20)
FIRST_SLEEP: Final = 0.5
"""Seconds after which a message is sent to a receiver that waits at its service and not by its clock."""


class _Interrupted:
    """A clock like another, on which something happens as soon as someone sleeps."""

    def __init__(self, clock: Advancing, happen: Callable[[], None]) -> None:
        self._clock = clock
        self._happen = happen

    def now(self) -> datetime:
        return self._clock.now()

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def sleep(self, seconds: float) -> None:
        self._happen()
        self._clock.sleep(seconds)


class WaitingContract(QueueTests):
    """How long a queue is waited for. Part of `QueueContract`."""

    about = "waiting"

    def test_a_message_that_comes_while_waiting_is_received(
        self,
        driver: QueueDriver,
        soon: Soon,
        clock: Advancing,
        open_driver: OpenDriver[QueueDriver],
        context: Context,
    ) -> None:
        """`receive` waits for the first: a drain that asked too early does not come for nothing."""

        def send() -> None:
            driver.send(messages(1), deadline=soon())

        with _once(send) as happen:
            waiting = replace(context, clock=_Interrupted(clock, happen))
            with opened(open_driver, waiting) as receiver:
                deadline = Deadline.after(timedelta(seconds=30), clock)
                received = receiver.receive(max_messages=1, wait=WAIT, lease=self.lease, deadline=deadline)

        assert [delivery.message.id for delivery in received] == [messages(1)[0].id]

    def test_what_is_there_is_not_waited_for(self, driver: QueueDriver, soon: Soon, clock: Advancing) -> None:
        """One message is enough to return with, however many were asked for."""
        driver.send(messages(1), deadline=soon())
        start = clock.monotonic()

        received = driver.receive(max_messages=2, wait=LONG_WAIT, lease=self.lease, deadline=soon())

        assert received
        assert clock.monotonic() - start < LONG_WAIT.total_seconds() / 2

    def test_waiting_ends_when_nothing_came(self, driver: QueueDriver, soon: Soon, clock: Advancing) -> None:
        """After `wait`, long before the deadline, and with nothing."""
        start = clock.monotonic()

        received = driver.receive(max_messages=1, wait=SECOND, lease=self.lease, deadline=soon())

        assert not received
        assert clock.monotonic() - start < LONG_WAIT.total_seconds() / 2


class ProjectsContract(QueueTests):
    """What one project's queue keeps from another's. Part of `QueueContract`."""

    about = "projects"

    @pytest.fixture
    def other(self, open_driver: OpenDriver[QueueDriver], context: Context) -> Iterator[QueueDriver]:
        """Yield a driver with the same options, of another project."""
        with opened(open_driver, replace(context, project="other")) as other:
            yield other

    def test_what_one_project_sends_another_does_not_receive(
        self, driver: QueueDriver, other: QueueDriver, soon: Soon
    ) -> None:
        """Two applications may share an account, a server or a file; neither counts the other's questions."""
        driver.send(messages(1), deadline=soon())

        assert not self.take(other, soon)
        assert self.drained(driver, soon) == [messages(1)[0].id]

    def test_depth_is_that_of_the_project(self, driver: QueueDriver, other: QueueDriver, soon: Soon) -> None:
        """`status` of one says nothing of the other."""
        driver.send(messages(3), deadline=soon())
        other.send(messages(1), deadline=soon())

        assert (driver.depth(deadline=soon())[0], other.depth(deadline=soon())[0]) == (3, 1)

    def test_one_id_in_two_projects_is_two_messages(
        self, driver: QueueDriver, other: QueueDriver, soon: Soon
    ) -> None:
        """Neither takes the other's for a repeat, and to acknowledge one leaves the other."""
        errors = [*driver.send(messages(1), deadline=soon()), *other.send(messages(1), deadline=soon())]

        first = self.drained(driver, soon)
        second = self.drained(other, soon)

        assert not errors
        assert first == second == [messages(1)[0].id]


@contextmanager
def _once(work: Callable[[], None]) -> Iterator[Callable[[], None]]:
    """Yield what does `work` when it is first called; a thread calls it after `FIRST_SLEEP` if nobody did."""
    done, lock = threading.Event(), threading.Lock()

    def happen() -> None:
        with lock:
            if not done.is_set():
                done.set()
                work()

    timer = threading.Timer(FIRST_SLEEP, happen)
    timer.start()
    try:
        yield happen
    finally:
        timer.cancel()
        timer.join()
