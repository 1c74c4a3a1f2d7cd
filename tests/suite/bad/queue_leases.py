"""Queues that do something wrong with leases: who has a message, and until when."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from suite.bad.drivers import error, found_by, invalid
from tuppence.drivers import ZERO, ItemError
from tuppence.errors import ErrorCode
from tuppence.local.database import microseconds
from tuppence.local.queue import LONGEST_LEASE, LocalQueue

DAY = timedelta(days=1)
LOST = ErrorCode.NOT_FOUND


@found_by("a leased message is hidden", "no call starts after the deadline")
class Duplicates(LocalQueue):
    """Delivers a message again while it is leased."""

    def receive(self, **options):
        deliveries = super().receive(**options)
        with self._database.write("queue.receive", options["deadline"]) as connection:
            connection.execute("UPDATE messages SET due = 0 WHERE leased > 0 AND attempt = 1")
        return deliveries


@found_by("a leased message is hidden from another process")
class LeasesInMemory(LocalQueue):
    """Keeps leases in its own memory, where no other process sees them."""

    def __init__(self, options, context):
        super().__init__(options, context)
        self._held = set()

    def receive(self, **options):
        with self._database.write("queue.receive", options["deadline"]) as connection:
            held = connection.execute("SELECT number FROM messages WHERE leased > 0").fetchall()
            for number in {number for (number,) in held} - self._held:
                connection.execute("UPDATE messages SET due = 0 WHERE number = ?", (number,))
        deliveries = super().receive(**options)
        self._held.update(delivery.receipt[0] for delivery in deliveries)
        return deliveries


@found_by("the delivery says when its lease ends")
class PromisesTwice(LocalQueue):
    """Says that a lease is twice as long as it was asked for."""

    def receive(self, *, lease, **options):
        end = self.context.clock.now() + 2 * lease
        return [replace(one, expires=end) for one in super().receive(lease=lease, **options)]


@found_by("the delivery says when its lease ends")
class SaysNow(LocalQueue):
    """Says of a lease that it has ended already."""

    def receive(self, **options):
        now = self.context.clock.now()
        return [replace(one, expires=now) for one in super().receive(**options)]


@found_by("a lease holds until it ends", "only what was extended stays hidden")
class LeasesHalf(LocalQueue):
    """Leases for half as long as the delivery says."""

    def receive(self, *, lease, **options):
        return [
            replace(delivery, expires=delivery.expires + lease / 2)
            for delivery in super().receive(lease=lease / 2, **options)
        ]


@found_by("a lease is clamped to what the service can do")
class RefusesLongLeases(LocalQueue):
    """Refuses a lease that is longer than its service can give."""

    def receive(self, *, lease, **options):
        if lease > LONGEST_LEASE:
            raise invalid("queue.receive")
        return super().receive(lease=lease, **options)


@found_by("a lease is clamped to what the service can do")
class LiesOfLongLeases(LocalQueue):
    """Cuts a lease to what its service can do, and says that it is as long as it was asked for."""

    def receive(self, *, lease, **options):
        end = self.context.clock.now() + lease
        return [replace(one, expires=end) for one in super().receive(lease=lease, **options)]


@found_by("a message comes again when its lease runs out", "what a dead process held comes to another")
class Clings(LocalQueue):
    """Lets no lease run out, whatever it was asked for."""

    def receive(self, *, lease, **options):
        end = self.context.clock.now() + lease
        return [
            replace(delivery, expires=min(end, delivery.expires))
            for delivery in super().receive(lease=LONGEST_LEASE, **options)
        ]


@found_by("what a dead process held comes to another")
class ReturnsToItsHolder(LocalQueue):
    """Gives what ran out only to the process that had it."""

    def __init__(self, options, context):
        super().__init__(options, context)
        self._held = set()

    def receive(self, **options):
        deliveries = super().receive(**options)
        own = [one for one in deliveries if one.attempt == 1 or one.receipt[0] in self._held]
        self._held.update(one.receipt[0] for one in own)
        return own


@found_by("an extended lease hides for longer")
class ExtendsNothing(LocalQueue):
    """Says that a lease is extended, and leaves it."""

    def extend(self, deliveries, /, **options):
        return []


@found_by("an extended lease hides for longer")
class ExtendsTheEnd(LocalQueue):
    """Extends a lease from its old end, and not from now."""

    def extend(self, deliveries, /, *, lease, deadline):
        left = max((one.expires - self.context.clock.now() for one in deliveries), default=ZERO)
        return super().extend(deliveries, lease=lease + left, deadline=deadline)


@found_by("only what was extended stays hidden")
class ExtendsAll(LocalQueue):
    """Extends every lease there is."""

    def extend(self, deliveries, /, *, lease, deadline):
        errors = super().extend(deliveries, lease=lease, deadline=deadline)
        with self._database.write("queue.extend", deadline) as connection:
            due = microseconds(self.context.clock.now() + lease)
            connection.execute("UPDATE messages SET due = max(due, ?) WHERE leased > 0", (min(due, 2**62),))
        return errors


@found_by("only what was extended stays hidden")
class ExtendsTheFirst(LocalQueue):
    """Extends the first delivery of a call, and forgets the others."""

    def extend(self, deliveries, /, **options):
        return super().extend(deliveries[:1], **options)


@found_by("an extension is clamped to what the service can do")
class RefusesLongExtensions(LocalQueue):
    """Refuses an extension that is longer than its service can give."""

    def extend(self, deliveries, /, *, lease, deadline):
        if lease > LONGEST_LEASE:
            raise invalid("queue.extend")
        return super().extend(deliveries, lease=lease, deadline=deadline)


@found_by("an extended message can still be acknowledged")
class ChangesReceipts(LocalQueue):
    """Makes a delivery's receipt worthless by extending its lease."""

    def extend(self, deliveries, /, *, lease, deadline):
        errors = super().extend(deliveries, lease=lease, deadline=deadline)
        with self._database.write("queue.extend", deadline) as connection:
            for one in deliveries:
                number = one.receipt[0]
                connection.execute("UPDATE messages SET attempt = attempt + 1 WHERE number = ?", (number,))
        return errors


@found_by("an acknowledged message is gone", "depth counts what waits and what is leased")
class AcknowledgesNothing(LocalQueue):
    """Hides an acknowledged message for a while, and does not remove it."""

    def ack(self, deliveries, /, *, deadline):
        self.extend(deliveries, lease=timedelta(seconds=30), deadline=deadline)
        return []


@found_by("an acknowledged message is gone")
class RefusesASecondTime(LocalQueue):
    """Says of what was acknowledged before that its lease was lost."""

    statement = "DELETE FROM messages WHERE number = :number AND attempt = :attempt AND leased > 0"

    def ack(self, deliveries, /, *, deadline):
        return self._settle("queue.ack", deliveries, deadline, self.statement)


@found_by("only what was acknowledged is gone")
class AcknowledgesAll(LocalQueue):
    """Removes all that is leased with what is acknowledged."""

    def ack(self, deliveries, /, *, deadline):
        errors = super().ack(deliveries, deadline=deadline)
        with self._database.write("queue.ack", deadline) as connection:
            connection.execute("DELETE FROM messages WHERE leased > 0 AND :any", {"any": bool(deliveries)})
        return errors


@found_by("only what was acknowledged is gone")
class AcknowledgesTheFirst(LocalQueue):
    """Removes the first delivery of a call, and forgets the others."""

    def ack(self, deliveries, /, *, deadline):
        return super().ack(deliveries[:1], deadline=deadline)


@found_by("what ran out is acknowledged or comes again")
class RefusesAndRemovesTheLate(LocalQueue):
    """Says of what ran out that its lease was lost, and removes it all the same."""

    def ack(self, deliveries, /, *, deadline):
        now = self.context.clock.now()
        late = [position for position, one in enumerate(deliveries) if one.expires <= now]
        super().ack(deliveries, deadline=deadline)
        return [ItemError(position, error(LOST, "queue.ack")) for position in late]


@found_by("what ran out is acknowledged or comes again")
class ForgetsTheLate(LocalQueue):
    """Says that what ran out is acknowledged, and delivers it again."""

    def ack(self, deliveries, /, *, deadline):
        now = self.context.clock.now()
        return super().ack([one for one in deliveries if one.expires > now], deadline=deadline)


@found_by("a lost lease can do nothing")
class Usurps(LocalQueue):
    """Removes a message that somebody else was given."""

    def ack(self, deliveries, /, *, deadline):
        statement = "DELETE FROM messages WHERE number = :number AND :attempt"
        return self._settle("queue.ack", deliveries, deadline, statement, gone_is_lost=False)


@found_by("a lost lease can do nothing")
class HidesTheLoss(LocalQueue):
    """Says that a message is acknowledged that somebody else was given."""

    def ack(self, deliveries, /, *, deadline):
        super().ack(deliveries, deadline=deadline)
        return []


@found_by("a lost lease can do nothing")
class TakesBack(LocalQueue):
    """Gives back a message that somebody else holds."""

    def nack(self, deliveries, /, *, delay=ZERO, deadline):
        statement = "UPDATE messages SET due = :due, leased = 0 WHERE number = :number AND :attempt"
        due = microseconds(self.context.clock.now() + min(delay, LONGEST_LEASE))
        return self._settle("queue.nack", deliveries, deadline, statement, due=due)


@found_by("a lost lease can do nothing")
class CallsTheLossAConflict(LocalQueue):
    """Has another code for a lease that was lost."""

    def extend(self, deliveries, /, *, lease, deadline):
        lost = super().extend(deliveries, lease=lease, deadline=deadline)
        return [ItemError(one.position, error(ErrorCode.CONFLICT, "queue.extend")) for one in lost]


@found_by("one lost lease does not stop the others")
class SweepsWithOneLoss(LocalQueue):
    """Fails a whole call for one lease that was lost, once it has done the others."""

    def ack(self, deliveries, /, *, deadline):
        errors = super().ack(deliveries, deadline=deadline)
        if errors:
            raise errors[0].error
        return errors


@found_by("one lost lease does not stop the others")
class StopsAtALoss(LocalQueue):
    """Does nothing for the deliveries that come after a lease that was lost."""

    def nack(self, deliveries, /, *, deadline, **options):
        errors = []
        for position, one in enumerate(deliveries):
            if errors:
                errors.append(replace(errors[0], position=position))
            else:
                failed = super().nack([one], deadline=deadline, **options)
                errors += [replace(error, position=position) for error in failed]
        return errors
