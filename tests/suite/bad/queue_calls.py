"""Queues that do something wrong with calls: deadlines, errors, and a service in trouble."""

from __future__ import annotations

import os

from suite.bad.drivers import HERE, IN_TROUBLE, changing, error, found_by, invalid, leaked, patient, recoded
from tuppence.drivers import ItemError
from tuppence.errors import DriverError, ErrorCode
from tuppence.local.queue import LocalQueue
from tuppence.testing.trouble import ALLOWED

CALLS = ("send", "receive", "extend", "ack", "nack", "depth")


@found_by("an empty batch is nothing to do")
class RefusesEmptyBatches(LocalQueue):
    """Refuses a batch without messages."""

    def send(self, messages, /, *, deadline):
        if not messages:
            raise invalid("queue.send")
        return super().send(messages, deadline=deadline)


@found_by("no call starts after the deadline")
class StartsLate(patient(60, "send", "extend", "ack", "nack", "depth"), LocalQueue):
    """Starts a call for which no time is left."""


@found_by("no call starts after the deadline")
class SaysUnavailable(changing(lambda e: recoded(e, ErrorCode.UNAVAILABLE), *CALLS), LocalQueue):
    """Has another code for a deadline that has passed."""


@found_by("nothing is received after the deadline")
class ReceivesLate(patient(60, "receive"), LocalQueue):
    """Leases messages to someone who has no time for them."""


@found_by("a missing queue is not found")
class TakesMissingForEmpty(LocalQueue):
    """Says of a queue that is missing that it is empty."""

    def depth(self, *, deadline):
        try:
            return super().depth(deadline=deadline)
        except DriverError as missing:
            if missing.code is not ErrorCode.NOT_FOUND:
                raise
            return 0, None


@found_by("a missing queue is not found")
class CallsMissingInvalid(changing(lambda e: recoded(e, ErrorCode.INVALID), *CALLS), LocalQueue):
    """Has another code for a queue that is missing."""


@found_by("a missing queue is not found")
class RaisesItsClientsErrors(changing(leaked, *CALLS), LocalQueue):
    """Raises what the file system raised."""


@found_by("a missing queue is not found")
class NamesNoOperation(
    changing(lambda e: DriverError(e.code, operation="queue", provider="local"), *CALLS), LocalQueue
):
    """Names no operation in its errors."""


@found_by("what is wrong with a call is raised and blamed on no message")
class BlamesMessages(LocalQueue):
    """Blames every message for what is wrong with the call."""

    def send(self, messages, /, *, deadline):
        try:
            return super().send(messages, deadline=deadline)
        except DriverError as refused:
            return [ItemError(position, refused) for position in range(len(messages))]


@found_by("what a forked child sends arrives")
class IsDeafInAChild(LocalQueue):
    """Sends nothing in a forked child, and says that it has."""

    def send(self, messages, /, *, deadline):
        return super().send(messages if os.getpid() == HERE else [], deadline=deadline)


@found_by(IN_TROUBLE)
class OutlivesItsDeadline(patient(ALLOWED.total_seconds() + 6, "send", "receive", "depth"), LocalQueue):
    """Ignores the deadline while its service hangs."""


@found_by(IN_TROUBLE)
class LeaksInTrouble(changing(leaked, "send", "receive", "depth"), LocalQueue):
    """Lets its client's own error out when the service does not answer."""


@found_by(IN_TROUBLE)
class GivesUpInTrouble(changing(lambda e: recoded(e, ErrorCode.INVALID), "send"), LocalQueue):
    """Has a final code for a service that is away, so that nobody tries again."""


@found_by(IN_TROUBLE)
class TellsItsPassword(LocalQueue):
    """Repeats its password in the text of an error."""

    password = ""

    def send(self, messages, /, *, deadline):
        try:
            return super().send(messages, deadline=deadline)
        except DriverError as away:
            raise error(away.code, away.operation, f"redis://:{self.password}@host is away") from away


@found_by(IN_TROUBLE)
class NamesAnotherProvider(LocalQueue):
    """Names another provider in its errors."""

    def depth(self, *, deadline):
        try:
            return super().depth(deadline=deadline)
        except DriverError as away:
            raise DriverError(away.code, operation=away.operation, provider="sqlite") from away


@found_by(IN_TROUBLE)
class IsEmptyInTrouble(LocalQueue):
    """Says of a queue that cannot be reached that nothing came."""

    def receive(self, **options):
        try:
            return super().receive(**options)
        except DriverError:
            return []
