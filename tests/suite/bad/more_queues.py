"""More bad queues, some in several small ways, so that no test of the contract is left that none fails."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta

from suite.bad.drivers import Alone, OnFile, Unmetered, names
from tuppence.batch import LEAST_BODY
from tuppence.drivers import Feature, ItemError, Limits
from tuppence.errors import DriverError, ErrorCode
from tuppence.local.queue import LocalQueue
from tuppence.testing import QueueContract

SMALL = Limits(batch_items=100, batch_bytes=1024 * 1024, item_bytes=LEAST_BODY - 1)
"""Too small for the largest batch core makes."""


def error(code, operation="queue.send"):
    return DriverError(code, operation=operation, provider="bad")


class Greedy(LocalQueue):
    """Takes calls over the limit, and gives one message more than it was asked for."""

    def send(self, messages, /, *, deadline):
        half = len(messages) // 2
        try:
            return super().send(messages, deadline=deadline)
        except DriverError as refused:
            if refused.code is not ErrorCode.INVALID:
                raise
            return [
                *self.send(messages[:half], deadline=deadline),
                *self.send(messages[half:], deadline=deadline),
            ]

    def receive(self, *, max_messages, **options):
        most = min(max_messages + 1, self.limits.batch_items)
        return super().receive(max_messages=most, **options)


class TestGreedy(OnFile, QueueContract):
    driver_class = Greedy
    breaks = names("""
        a batch over the limit is refused whole
        a lane waits for its first message
        bodies over the limit of a call are refused whole
        depth counts what waits and what is leased
        no more come than were asked for
    """)


class Mangling(LocalQueue):
    """Takes bodies for text and ids for words."""

    def send(self, messages, /, *, deadline):
        mangled = [
            replace(m, id=m.id.lower(), body=m.body.decode(errors="replace").encode()) for m in messages
        ]
        return super().send(mangled, deadline=deadline)


class TestMangling(OnFile, QueueContract):
    driver_class = Mangling
    breaks = names("""
        a message arrives as it was sent
        an id and a lane come back
        ids that differ only in case are two
    """)


class Everlasting(LocalQueue):
    """Acknowledges without removing."""

    def ack(self, deliveries, /, *, deadline):
        return self.extend(deliveries, lease=timedelta(seconds=30), deadline=deadline)


class TestEverlasting(OnFile, QueueContract):
    driver_class = Everlasting
    breaks = names("""
        a lane waits for its first message
        an acknowledged message is gone
        an extended message can still be acknowledged
        depth counts what waits and what is leased
        one lost lease does not stop the others
        only what was acknowledged is gone
        racing receivers keep each lane in order
        what comes too often is set aside or comes again
    """)


class Pedantic(LocalQueue):
    """Refuses an empty batch, a message without a lane, a repeated id, and to look where nothing ever was."""

    def send(self, messages, /, *, deadline):
        if not messages or not all(message.lane for message in messages):
            raise error(ErrorCode.INVALID)
        before = self.depth(deadline=deadline)[0]
        errors = super().send(messages, deadline=deadline)
        fresh = self.depth(deadline=deadline)[0] - before
        if fresh < len(messages) - len(errors):
            return [ItemError(0, error(ErrorCode.ALREADY_EXISTS))]
        return errors

    def receive(self, *, deadline, **options):
        with self._database.read("queue.receive", deadline) as connection:
            if connection.execute("SELECT count(*) FROM sqlite_sequence").fetchone()[0] == 0:
                raise error(ErrorCode.NOT_FOUND, "queue.receive")
        return super().receive(deadline=deadline, **options)


class TestPedantic(OnFile, QueueContract):
    driver_class = Pedantic
    breaks = names("""
        a batch over the limit is refused whole
        a message over the limit fails alone
        a message without a lane arrives
        an empty batch is nothing to do
        an empty queue gives nothing
        bodies over the limit of a call are refused whole
        ids that differ only in case are two
        racing senders of one message all succeed
        sending a message again is no error
        several messages over the limit are each named
        waiting ends at the deadline
    """)


class Boastful(Unmetered, LocalQueue):
    """Takes small items, promises long leases, reports a small depth, and counts nothing."""

    limits = SMALL

    def receive(self, *, lease, **options):
        end = self.context.clock.now() + 2 * lease
        return [replace(one, expires=end) for one in super().receive(lease=lease, **options)]

    def depth(self, *, deadline):
        with self._database.read("queue.depth", deadline) as connection:
            now = self.context.clock.now().timestamp() * 1_000_000
            waiting = "SELECT count(*) FROM messages WHERE due <= ?"
            return connection.execute(waiting, (int(now),)).fetchone()[0], None


class TestBoastful(OnFile, QueueContract):
    driver_class = Boastful
    breaks = names("""
        a delay is clamped to what the service can do
        a lease holds until it ends
        a lease is clamped to what the service can do
        depth counts what waits and what is leased
        depth counts what was given back
        no call starts after the deadline
        the delivery says when its lease ends
        the limits go together
        what is billed is counted
    """)


class Lonely(Alone, LocalQueue):
    """Shares nothing with other drivers on its resource."""


class TestLonely(OnFile, QueueContract):
    driver_class = Lonely
    breaks = names("""
        another process receives what was sent
        racing receivers share the messages
        racing senders of one message all succeed
        what a forked child sends arrives
        what comes too often is set aside or comes again
    """)


class Deduplicating(LocalQueue):
    """Takes messages of equal bodies for one."""

    def send(self, messages, /, *, deadline):
        hashed = [replace(message, id=hashlib.sha256(message.body).hexdigest()) for message in messages]
        return super().send(hashed, deadline=deadline)


class TestDeduplicating(OnFile, QueueContract):
    driver_class = Deduplicating
    breaks = names("""
        a full batch arrives
        a lane keeps its order
        a lane keeps its order over several calls
        a lane waits for its first message
        a lane waits for what was given back
        a message arrives as it was sent
        a message over the limit fails alone
        a message without a lane arrives
        an id and a lane come back
        another process receives what was sent
        bodies within the limit of a call are taken
        depth counts what waits and what is leased
        each message has attempts of its own
        equal bodies are two messages
        ids that differ only in case are two
        lanes do not mix
        one lost lease does not stop the others
        only what was acknowledged is gone
        only what was extended stays hidden
        racing receivers keep each lane in order
        racing receivers share the messages
        several messages over the limit are each named
        what a dead process held comes to another
        what a forked child sends arrives
        what is given back comes again in order
        what ran out comes again in order
        what comes too often is set aside or comes again
    """)


class Oubliette(LocalQueue):
    """Sets aside what came too often, and lets nobody look there."""

    features = LocalQueue.features | {Feature.NATIVE_DEAD_LETTERS}

    def receive(self, **options):
        found = super().receive(**options)
        often = [delivery for delivery in found if delivery.attempt > 10]
        self.ack(often, deadline=options["deadline"])
        return [delivery for delivery in found if delivery not in often]


class TestOubliette(OnFile, QueueContract):
    driver_class = Oubliette
    breaks = names("""
        what comes too often is set aside or comes again
    """)
