"""Queues that do something wrong with what is given back, or comes again and again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from suite.bad.drivers import found_by, invalid, pause
from tuppence.drivers import ZERO
from tuppence.errors import ErrorCode
from tuppence.local.database import microseconds
from tuppence.local.queue import LONGEST_LEASE, LocalQueue, _delivery

DAY = timedelta(days=1)
LOST = ErrorCode.NOT_FOUND


@found_by("a message given back comes again at once")
class KeepsWhatIsGivenBack(LocalQueue):
    """Leaves a message that is given back until its lease runs out."""

    def nack(self, deliveries, /, **options):
        return []


@found_by("a message given back comes again at once")
class RemovesWhatIsGivenBack(LocalQueue):
    """Removes a message that is given back."""

    def nack(self, deliveries, /, *, deadline, **options):
        return self.ack(deliveries, deadline=deadline)


@found_by("a message given back waits for its delay")
class IgnoresDelays(LocalQueue):
    """Delivers again at once, whatever the delay."""

    def nack(self, deliveries, /, *, deadline, **options):
        return super().nack(deliveries, deadline=deadline)


@found_by("a message given back waits for its delay")
class DelaysTwice(LocalQueue):
    """Delivers again after twice the delay."""

    def nack(self, deliveries, /, *, delay=ZERO, deadline):
        return super().nack(deliveries, delay=2 * delay, deadline=deadline)


@found_by("a delay is clamped to what the service can do")
class RefusesLongDelays(LocalQueue):
    """Refuses a delay that is longer than its service can give."""

    def nack(self, deliveries, /, *, delay=ZERO, deadline):
        if delay > DAY:
            raise invalid("queue.nack")
        return super().nack(deliveries, delay=delay, deadline=deadline)


@found_by("racing receivers share the messages")
class GivesToTwo(LocalQueue):
    """Looks what is due, and leases it in a second step."""

    def _lease(self, most, lease, deadline):
        now = self.context.clock.now()
        expires = now + min(lease, LONGEST_LEASE)
        with self._database.read("queue.receive", deadline) as connection:
            statement = "SELECT number, id, lane, body, attempt FROM messages WHERE due <= ? LIMIT ?"
            rows = connection.execute(statement, (microseconds(now), most)).fetchall()
        pause()
        with self._database.write("queue.receive", deadline) as connection:
            for row in rows:
                statement = "UPDATE messages SET due = ?, leased = 1, attempt = attempt + 1 WHERE number = ?"
                connection.execute(statement, (microseconds(expires), row[0]))
        return [_delivery(row, expires) for row in rows]


@found_by("attempts are counted or left out")
class CountsOne(LocalQueue):
    """Says of every attempt that it is the first."""

    def receive(self, **options):
        return [replace(delivery, attempt=1) for delivery in super().receive(**options)]


@found_by("attempts are counted or left out")
class CountsFromZero(LocalQueue):
    """Counts attempts from 0."""

    def receive(self, **options):
        return [replace(delivery, attempt=delivery.attempt - 1) for delivery in super().receive(**options)]


@found_by("each message has attempts of its own")
class CountsTogether(LocalQueue):
    """Counts the attempts of all messages together."""

    received = 0

    def receive(self, **options):
        found = super().receive(**options)
        self.received += bool(found)
        return [replace(delivery, attempt=self.received) for delivery in found]


class DropsOften(LocalQueue):
    """What loses messages that came too often derives from this."""

    def receive(self, **options):
        found = super().receive(**options)
        often = [delivery for delivery in found if delivery.attempt > 10]
        self.ack(often, deadline=options["deadline"])
        return [delivery for delivery in found if delivery not in often]


@found_by("what comes too often is set aside or comes again")
class DropsWhatComesOften(DropsOften):
    """Removes what came too often, and keeps it nowhere."""


@found_by("what comes too often is set aside or comes again")
class SetsAsideNothing(DropsOften):
    """Removes what came too often, and says that it is kept in a place where it is not."""

    def dead_letters(self):
        return LocalQueue(self.options, replace(self.context, project="dead"))
