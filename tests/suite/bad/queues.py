"""Queues that are bad, each in one way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from suite.bad.drivers import OnFile, leaking, names, patient
from tuppence.drivers import ItemError
from tuppence.errors import DriverError, ErrorCode
from tuppence.local.queue import LONGEST_LEASE, LocalQueue
from tuppence.testing import QueueContract

CALLS = ("send", "receive", "extend", "ack", "nack", "depth")


class TestHealthyQueue(OnFile, QueueContract):
    driver_class = LocalQueue


class Lossy(LocalQueue):
    """Loses one message in six, and says nothing."""

    def send(self, messages, /, *, deadline):
        errors = super().send(messages, deadline=deadline)
        with self._database.write("queue.send", deadline) as connection:
            connection.execute("DELETE FROM messages WHERE number % 6 = 0")
        return errors


class TestLossy(OnFile, QueueContract):
    driver_class = Lossy
    breaks = names("""
        a full batch arrives
        a lane keeps its order
        lanes do not mix
        racing receivers keep each lane in order
        racing receivers share the messages
    """)


class Duplicating(LocalQueue):
    """Delivers a message again while it is leased."""

    def receive(self, **options):
        deliveries = super().receive(**options)
        with self._database.write("queue.receive", options["deadline"]) as connection:
            connection.execute("UPDATE messages SET due = 0 WHERE leased AND attempt = 1")
        return deliveries


class TestDuplicating(OnFile, QueueContract):
    driver_class = Duplicating
    breaks = names("""
        a delay is clamped to what the service can do
        a lane waits for its first message
        a lane waits for what was given back
        a lease holds until it ends
        a leased message is hidden
        a leased message is hidden from another process
        a message given back comes again at once
        a message given back waits for its delay
        an extended lease hides for longer
        an extension is clamped to what the service can do
        no call starts after the deadline
        only what was extended stays hidden
    """)
    may_break = names("""
        racing receivers keep each lane in order
        racing receivers share the messages
    """)


class Usurping(LocalQueue):
    """Acknowledges with a lease that was lost."""

    def ack(self, deliveries, /, *, deadline):
        statement = "DELETE FROM messages WHERE number = :number AND :attempt"
        return self._settle("queue.ack", deliveries, deadline, statement, gone_is_lost=False)


class TestUsurping(OnFile, QueueContract):
    driver_class = Usurping
    breaks = names("""
        a lost lease can do nothing
        one lost lease does not stop the others
    """)


class Clinging(LocalQueue):
    """Never lets a lease run out within a test, whatever it was asked for."""

    def receive(self, *, lease, **options):
        end = self.context.clock.now() + lease
        return [
            replace(delivery, expires=min(end, delivery.expires))
            for delivery in super().receive(lease=LONGEST_LEASE, **options)
        ]


class TestClinging(OnFile, QueueContract):
    driver_class = Clinging
    breaks = names("""
        a lost lease can do nothing
        a message comes again when its lease runs out
        attempts are counted or left out
        one lost lease does not stop the others
        only what was acknowledged is gone
        only what was extended stays hidden
        what a dead process held comes to another
        what ran out comes again in order
    """)


class ShortLived(LocalQueue):
    """Leases for half as long as the delivery says."""

    def receive(self, *, lease, **options):
        return [
            replace(delivery, expires=delivery.expires + lease / 2)
            for delivery in super().receive(lease=lease / 2, **options)
        ]


class TestShortLived(OnFile, QueueContract):
    driver_class = ShortLived
    breaks = names("""
        a lease holds until it ends
        an extended lease hides for longer
        only what was extended stays hidden
    """)


class Jumbled(LocalQueue):
    """Claims order, and turns around what it gives together."""

    def receive(self, **options):
        return list(reversed(super().receive(**options)))


class TestJumbled(OnFile, QueueContract):
    driver_class = Jumbled
    breaks = names("""
        a lane keeps its order
        a lane keeps its order over several calls
        a lane waits for what was given back
        lanes do not mix
        what is given back comes again in order
        what ran out comes again in order
    """)


class Overtaking(LocalQueue):
    """Claims order, and delivers the next of a lane while its first is leased."""

    def send(self, messages, /, *, deadline):
        return super().send([replace(message, lane="") for message in messages], deadline=deadline)


class TestOvertaking(OnFile, QueueContract):
    driver_class = Overtaking
    breaks = names("""
        a lane waits for its first message
        a lane waits for what was given back
        an id and a lane come back
    """)
    may_break = names("""
        racing receivers keep each lane in order
    """)


class Forgetful(LocalQueue):
    """Claims to count attempts, and always counts one."""

    def receive(self, **options):
        return [replace(delivery, attempt=1) for delivery in super().receive(**options)]


class TestForgetful(OnFile, QueueContract):
    driver_class = Forgetful
    breaks = names("""
        attempts are counted or left out
        each message has attempts of its own
    """)


class Sweeping(LocalQueue):
    """Fails a whole call for one item."""

    def send(self, messages, /, *, deadline):
        if any(len(message.body) > self.limits.item_bytes for message in messages):
            raise DriverError(ErrorCode.TOO_LARGE, operation="queue.send", provider="bad")
        return super().send(messages, deadline=deadline)


class TestSweeping(OnFile, QueueContract):
    driver_class = Sweeping
    breaks = names("""
        a message over the limit fails alone
        several messages over the limit are each named
    """)


class Miscounting(LocalQueue):
    """Counts the id against the limit of a body."""

    def send(self, messages, /, *, deadline):
        over = [n for n, m in enumerate(messages) if len(m.body) + len(m.id) > self.limits.item_bytes]
        fitting = [message for n, message in enumerate(messages) if n not in over]
        super().send(fitting, deadline=deadline)
        error = DriverError(ErrorCode.TOO_LARGE, operation="queue.send", provider="bad")
        return [ItemError(position, error) for position in over]


class TestMiscounting(OnFile, QueueContract):
    driver_class = Miscounting
    breaks = names("""
        a message within the limit is taken
        bodies over the limit of a call are refused whole
        bodies within the limit of a call are taken
    """)


class Impatient(LocalQueue):
    """Gives back at once, whatever the delay."""

    def nack(self, deliveries, /, *, delay=timedelta(0), deadline):
        return super().nack(deliveries, deadline=deadline)


class TestImpatient(OnFile, QueueContract):
    driver_class = Impatient
    breaks = names("""
        a delay is clamped to what the service can do
        a lane waits for what was given back
        a message given back waits for its delay
    """)


class Blaming(LocalQueue):
    """Blames every message for what is wrong with the call."""

    def send(self, messages, /, *, deadline):
        try:
            return super().send(messages, deadline=deadline)
        except DriverError as error:
            return [ItemError(position, error) for position in range(len(messages))]


class TestBlaming(OnFile, QueueContract):
    driver_class = Blaming
    breaks = names("""
        a batch over the limit is refused whole
        a missing queue is not found
        bodies over the limit of a call are refused whole
        no call starts after the deadline
        what is wrong with a call is raised and blamed on no message
    """)


class Leaky(leaking(*CALLS), LocalQueue):
    """Raises what the file system raises."""


class TestLeaky(OnFile, QueueContract):
    driver_class = Leaky
    breaks = names("""
        a missing queue is not found
        what is wrong with a call is raised and blamed on no message
    """)


class Timeless(patient(*CALLS), LocalQueue):
    """Ignores every deadline."""


class TestTimeless(OnFile, QueueContract):
    driver_class = Timeless
    breaks = names("""
        no call starts after the deadline
        nothing is received after the deadline
        waiting ends at the deadline
    """)
