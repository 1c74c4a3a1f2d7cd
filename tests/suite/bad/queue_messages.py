"""Queues that do something wrong with messages: what they take, and what they give."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from urllib.parse import quote

from suite.bad.drivers import Alone, error, found_by, invalid, pause
from tuppence.batch import LEAST_BODY
from tuppence.drivers import ItemError, Limits
from tuppence.errors import DriverError, ErrorCode
from tuppence.local.queue import LocalQueue


class Altering(LocalQueue):
    """What alters messages before they are sent derives from this."""

    def altered(self, message):
        raise NotImplementedError

    def send(self, messages, /, *, deadline):
        return super().send([self.altered(message) for message in messages], deadline=deadline)


@found_by("a full batch arrives")
class LosesSome(LocalQueue):
    """Loses one message in six, and says nothing."""

    def send(self, messages, /, *, deadline):
        kept = [message for number, message in enumerate(messages) if number % 6 != 5]
        super().send(kept, deadline=deadline)
        return []


@found_by("a full batch arrives")
class SendsTen(LocalQueue):
    """Sends the first ten messages of a call, as many as its service takes, and forgets the others."""

    def send(self, messages, /, *, deadline):
        return super().send(messages[:10], deadline=deadline)


@found_by("a message arrives as it was sent")
class SendsText(Altering):
    """Takes a body for text, and replaces what is none."""

    def altered(self, message):
        return replace(message, body=message.body.decode(errors="replace").encode())


@found_by("a message arrives as it was sent")
class StripsBodies(Altering):
    """Cuts white space off the ends of a body."""

    def altered(self, message):
        return replace(message, body=message.body.strip())


@found_by("a message arrives as it was sent")
class EndsAtZero(Altering):
    """Ends a body at its first zero byte."""

    def altered(self, message):
        return replace(message, body=message.body.partition(b"\0")[0])


@found_by("ids that differ only in case are two")
class FoldsIds(Altering):
    """Makes small letters of an id's capitals."""

    def altered(self, message):
        return replace(message, id=message.id.lower())


@found_by("an id and a lane come back")
class CutsIds(Altering):
    """Cuts ids at 80 letters, as many as its service takes."""

    def altered(self, message):
        return replace(message, id=message.id[:80])


@found_by("an id and a lane come back")
class QuotesLanes(Altering):
    """Sends a lane as a part of a URL, and gives it back still quoted."""

    def altered(self, message):
        return replace(message, lane=quote(message.lane.replace(".", "%2E"), safe=""))


@found_by("a message without a lane arrives")
class NeedsLanes(LocalQueue):
    """Refuses a message without a lane."""

    def send(self, messages, /, *, deadline):
        if not all(message.lane for message in messages):
            raise invalid("queue.send")
        return super().send(messages, deadline=deadline)


@found_by("equal bodies are two messages")
class DeduplicatesBodies(Altering):
    """Takes messages of equal bodies for one."""

    def altered(self, message):
        return replace(message, id=hashlib.sha256(message.body).hexdigest())


@found_by("an empty queue gives nothing")
class MissesTheQueue(LocalQueue):
    """Says of an empty queue that it is not there."""

    def receive(self, **options):
        found = super().receive(**options)
        if not found:
            raise error(ErrorCode.NOT_FOUND, "queue.receive")
        return found


@found_by("no more come than were asked for")
class GivesOneMore(LocalQueue):
    """Gives one message more than it was asked for."""

    def receive(self, *, max_messages, **options):
        return super().receive(max_messages=min(max_messages + 1, self.limits.batch_items), **options)


@found_by("another process receives what was sent")
class KeepsToItself(Alone, LocalQueue):
    """Keeps messages where no other process looks."""


@found_by("a batch over the limit is refused whole")
class SplitsCalls(LocalQueue):
    """Splits a call that is over its limits, instead of refusing it."""

    def send(self, messages, /, *, deadline):
        most = self.limits.batch_items
        halves = messages[:most], messages[most:]
        return [
            one for half in halves if half for one in super(SplitsCalls, self).send(half, deadline=deadline)
        ]


@found_by("a batch over the limit is refused whole")
class SendsBeforeItRefuses(LocalQueue):
    """Sends as many messages as fit before it refuses a call that is over its limit."""

    def send(self, messages, /, *, deadline):
        super().send(messages[: self.limits.batch_items], deadline=deadline)
        return super().send(messages, deadline=deadline)


@found_by("bodies over the limit of a call are refused whole")
class NeverWeighs(LocalQueue):
    """Does not weigh a call as a whole."""

    def send(self, messages, /, *, deadline):
        return [
            one for message in messages for one in super(NeverWeighs, self).send([message], deadline=deadline)
        ]


@found_by("a message within the limit is taken")
class WeighsIds(LocalQueue):
    """Counts the id against the limit of a body."""

    def send(self, messages, /, *, deadline):
        over = [n for n, m in enumerate(messages) if len(m.body) + len(m.id) > self.limits.item_bytes]
        super().send([message for n, message in enumerate(messages) if n not in over], deadline=deadline)
        return [ItemError(position, error(ErrorCode.TOO_LARGE, "queue.send")) for position in over]


@found_by("bodies within the limit of a call are taken")
class WeighsIdsTogether(LocalQueue):
    """Counts ids against the limit of a call."""

    def send(self, messages, /, *, deadline):
        if sum(len(message.body) + len(message.id) for message in messages) > self.limits.batch_bytes:
            raise invalid("queue.send")
        return super().send(messages, deadline=deadline)


@found_by("a message over the limit fails alone")
class SweepsWithOne(LocalQueue):
    """Fails a whole call for one message that is too large."""

    def send(self, messages, /, *, deadline):
        if any(len(message.body) > self.limits.item_bytes for message in messages):
            raise error(ErrorCode.TOO_LARGE, "queue.send")
        return super().send(messages, deadline=deadline)


@found_by("several messages over the limit are each named")
class CountsFailures(LocalQueue):
    """Numbers failed messages among themselves, and not by their place in the call."""

    def send(self, messages, /, *, deadline):
        failed = super().send(messages, deadline=deadline)
        return [replace(one, position=number) for number, one in enumerate(failed)]


@found_by("several messages over the limit are each named")
class NamesTheFirst(LocalQueue):
    """Names the first message that is too large, and leaves the others out without a word."""

    def send(self, messages, /, *, deadline):
        return super().send(messages, deadline=deadline)[:1]


@found_by("the limits go together")
class TooSmall(LocalQueue):
    """Takes bodies that are smaller than the largest event."""

    limits = Limits(batch_items=100, batch_bytes=1024 * 1024, item_bytes=LEAST_BODY - 1)


@found_by("the limits go together")
class PromisesMore(LocalQueue):
    """Promises for a call what its items together cannot weigh."""

    limits = Limits(batch_items=10, batch_bytes=10 * 256 * 1024 + 1, item_bytes=256 * 1024)


@found_by("sending a message again is no error")
class RefusesRepeats(LocalQueue):
    """Refuses a message whose id is in the queue already."""

    def send(self, messages, /, *, deadline):
        before = self.depth(deadline=deadline)[0]
        errors = super().send(messages, deadline=deadline)
        if self.depth(deadline=deadline)[0] - before < len(messages) - len(errors):
            return [ItemError(0, error(ErrorCode.ALREADY_EXISTS, "queue.send"))]
        return errors


@found_by("racing senders of one message all succeed")
class LosesSendersRaces(LocalQueue):
    """Fails the second of two senders that send one message at the same moment."""

    def send(self, messages, /, *, deadline):
        empty = not self.depth(deadline=deadline)[0]
        pause()
        with self._database.write("queue.send", deadline) as connection:
            (now,) = connection.execute("SELECT count(*) FROM messages").fetchone()
        if empty and now:
            raise error(ErrorCode.CONFLICT, "queue.send")
        return super().send(messages, deadline=deadline)


@found_by("one message twice in a call is no error")
class RefusesTwins(LocalQueue):
    """Refuses a call that holds one id twice, as its service does."""

    def send(self, messages, /, *, deadline):
        if len({message.id for message in messages}) < len(messages):
            raise invalid("queue.send", "ids of one call must differ")
        return super().send(messages, deadline=deadline)


@found_by("one message twice in a call is no error")
class DropsTwins(LocalQueue):
    """Leaves out both of two messages with one id."""

    def send(self, messages, /, *, deadline):
        ids = [message.id for message in messages]
        return super().send([m for m in messages if ids.count(m.id) == 1], deadline=deadline)


@found_by("a batch over the limit is refused whole")
class BlamesEachOfTooMany(LocalQueue):
    """Blames each message of a call that is too large as a whole."""

    def send(self, messages, /, *, deadline):
        try:
            return super().send(messages, deadline=deadline)
        except DriverError as refused:
            if refused.code is not ErrorCode.INVALID:
                raise
            return [ItemError(position, refused) for position in range(len(messages))]
