"""Queues that do something wrong with depth, waiting or projects."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from suite.bad.drivers import Unmetered, found_by
from tuppence.drivers import ZERO
from tuppence.local.queue import LocalQueue
from tuppence.testing.contract import SECOND


@found_by("depth counts what waits and what is leased")
class CountsWhatWaits(LocalQueue):
    """Leaves leased messages out of the depth."""

    def depth(self, *, deadline):
        with self._database.read("queue.depth", deadline) as connection:
            statement = "SELECT count(*) FROM messages WHERE leased <= 0"
            return connection.execute(statement).fetchone()[0], None


@found_by("depth counts what was given back")
class ForgetsTheDelayed(LocalQueue):
    """Leaves out of the depth what was given back and stays away for a while."""

    def depth(self, *, deadline):
        with self._database.read("queue.depth", deadline) as connection:
            now = int(self.context.clock.now().timestamp() * 1_000_000)
            statement = "SELECT count(*) FROM messages WHERE leased > 0 OR due <= ?"
            return connection.execute(statement, (now,)).fetchone()[0], None


@found_by("depth counts what waits and what is leased")
class AgeOfNothing(LocalQueue):
    """Gives an empty queue an age."""

    def depth(self, *, deadline):
        count, age = super().depth(deadline=deadline)
        return count, age or ZERO


@found_by("the age is that of the oldest")
class AgeOfTheNewest(LocalQueue):
    """Takes the age from the newest message."""

    def depth(self, *, deadline):
        count, age = super().depth(deadline=deadline)
        with self._database.read("queue.depth", deadline) as connection:
            (newest,) = connection.execute("SELECT max(sent) FROM messages").fetchone()
        return count, age and timedelta(seconds=self.context.clock.now().timestamp() - newest / 1_000_000)


@found_by("depth counts what was given back")
class AgeOfTheLastTry(LocalQueue):
    """Counts the age anew from when a message was given back."""

    def nack(self, deliveries, /, *, deadline, **options):
        errors = super().nack(deliveries, deadline=deadline, **options)
        with self._database.write("queue.nack", deadline) as connection:
            now = int(self.context.clock.now().timestamp() * 1_000_000)
            connection.execute("UPDATE messages SET sent = ? WHERE leased <= 0", (now,))
        return errors


@found_by("what is billed is counted")
class CountsNothing(Unmetered, LocalQueue):
    """Counts nothing that would be billed."""


@found_by("what is billed is counted")
class CountsInWords(LocalQueue):
    """Counts what is billed under a name that no price list has."""

    def send(self, messages, /, *, deadline):
        self.context.meter.count("Messages sent")
        return super().send(messages, deadline=deadline)


@found_by("a message waits for hours")
class DropsTheOld(LocalQueue):
    """Drops what nobody has come for within an hour."""

    def receive(self, *, deadline, **options):
        with self._database.write("queue.receive", deadline) as connection:
            hour_ago = int(self.context.clock.now().timestamp() - 3_600) * 1_000_000
            connection.execute("DELETE FROM messages WHERE sent < ?", (hour_ago,))
        return super().receive(deadline=deadline, **options)


@found_by("a message that comes while waiting is received")
class NeverWaits(LocalQueue):
    """Returns at once, however long it is to wait."""

    def receive(self, *, wait, **options):
        return super().receive(wait=ZERO, **options)


@found_by("what is there is not waited for")
class WaitsForMore(LocalQueue):
    """Waits its whole time for more, with a message there."""

    def receive(self, *, wait, **options):
        self.context.clock.sleep(wait.total_seconds())
        return super().receive(wait=ZERO, **options)


@found_by("waiting ends when nothing came")
class WaitsForTheDeadline(LocalQueue):
    """Waits until the deadline, and not for as long as it was told."""

    def receive(self, *, wait, deadline, **options):
        longest = timedelta(seconds=deadline.remaining()) if wait else wait
        return super().receive(wait=longest, deadline=deadline, **options)


@found_by("waiting ends at the deadline")
class OutwaitsTheDeadline(LocalQueue):
    """Waits for as long as it was told, beyond the deadline."""

    def receive(self, *, wait, **options):
        found = super().receive(wait=wait, **options)
        if not found and wait > SECOND:
            self.context.clock.sleep(wait.total_seconds())
        return found


@found_by("what one project sends another does not receive", "depth is that of the project")
class MixesProjects(LocalQueue):
    """Keeps the messages of all projects in one queue."""

    def __init__(self, options, context):
        super().__init__(options, replace(context, project="all"))


@found_by("depth is that of the project")
class CountsAllProjects(LocalQueue):
    """Counts the messages of all projects together."""

    def depth(self, *, deadline):
        with self._database.read("queue.depth", deadline) as connection:
            return connection.execute("SELECT count(*) FROM messages").fetchone()[0], None


@found_by("one id in two projects is two messages")
class SharesIds(LocalQueue):
    """Takes an id for a repeat that another project has sent."""

    def send(self, messages, /, *, deadline):
        with self._database.read("queue.send", deadline) as connection:
            known = {name for (name,) in connection.execute("SELECT id FROM messages").fetchall()}
        return super().send([message for message in messages if message.id not in known], deadline=deadline)
