"""The work of each stage, as the fork server's children do it: on real files, over the real drivers.

Each function first says that it begins, then works, and returns what JSON can hold.
"""

import random
import secrets
import string
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path

import msgspec

from faults.promises import Promises
from tuppence import config as configuration
from tuppence import jobs
from tuppence.capture.client import Client
from tuppence.clock import Deadline, SystemClock
from tuppence.drivers import Message
from tuppence.pipeline import importer
from tuppence.runtime import Runtime

NINE = datetime(2026, 11, 16, 9, tzinfo=UTC)
"""A Monday."""
SENT, DRAINED = 290, 300
"""Minutes from then; apart, so that what is drained has been sent, however slow the machine."""


class Later(SystemClock):
    """A clock that starts so many minutes after nine: later, what the dead had leased has fallen free.

    Sleeping moves it on at once, for a process that waits for nothing to come is not worth killing.
    """

    def __init__(self, minutes):
        self._started = super().monotonic()
        self._start = NINE + timedelta(minutes=minutes)
        self._slept = 0.0

    def now(self):
        return self._start + timedelta(seconds=self.monotonic() - self._started)

    def monotonic(self):
        return super().monotonic() + self._slept

    def sleep(self, seconds):
        self._slept += seconds


class Hours(SystemClock):
    """A clock whose events lie in four hours, so that one packing makes several batches."""

    def __init__(self):
        self._moments = cycle(NINE + timedelta(minutes=15 * n) for n in range(16))

    def now(self):
        return next(self._moments)


def load(folder, **settings):
    return configuration.load(Path(folder) / "tuppence.toml", environ={}, **settings)


def runtime(folder, minutes=DRAINED):
    return Runtime(load(folder), clock=Later(minutes))


def soon():
    return Deadline.after(timedelta(seconds=60))


def capture(begin, folder, promises, count, text=500, *, sending=False, close=True):
    """Capture `count` times and keep a record of what was promised.

    Args:
        begin: says that the work begins.
        folder: holds the configuration.
        promises: the file to keep the record in.
        count: calls.
        text: characters of text in each event.
        sending: whether everything is sent every now and then, by this process.
        close: whether the client is closed.

    """
    chance, book = random.Random(promises), Promises(promises)
    pool = ["".join(chance.choices(string.ascii_lowercase, k=text)) for _ in range(50)]
    begin()
    client = Client(load(folder), clock=Hours())
    for n in range(count):
        words = pool[n % 50]
        if n % 50 == 49:
            client.capture("")
            book.refuse()
        elif n % 5 == 4:
            with client.question(words, user=f"u{n % 40}") as question:
                question.no_match()
            book.promise(question._seq, client)
        else:
            book.promise(client.capture("tick", user=f"u{n % 40}", n=n, text=words), client)
        if sending and n % 200 == 199:
            client.flush(5)
    if close:
        client.close(0.3)


def capture_and_send(begin, folder, promises, count):
    """Capture and send, as an application does that is the host's sender."""
    capture(begin, folder, promises, count, sending=True)


def capture_and_die(begin, folder, promises, count):
    """Capture and end without a word; the fork server's children run nothing at their end."""
    capture(begin, folder, promises, count, close=False)


def send(begin, folder):
    """Send what dead processes left."""
    begin()
    with runtime(folder, SENT) as running:
        return jobs.orphans(running, deadline=soon()).complete


def put(begin, folder, files):
    """Put the messages in these files into the queue, as a sender that does not know what was sent before."""
    messages = [Message(id=secrets.token_hex(8), body=Path(file).read_bytes()) for file in files]
    begin()
    with runtime(folder, SENT) as running:
        assert not running.queue.send(messages, deadline=soon())


def drain(begin, folder, minutes=DRAINED):
    begin()
    with runtime(folder, minutes) as running:
        return msgspec.to_builtins(jobs.drain(running, deadline=soon()))


def seal(begin, folder, minutes=DRAINED):
    begin()
    with runtime(folder, minutes) as running:
        return msgspec.to_builtins(jobs.seal(running, deadline=soon()))


def import_(begin, folder, file):
    begin()
    with runtime(folder, SENT) as running, Path(file).open("rb") as lines:
        return msgspec.to_builtins(
            importer.import_lines(lines, running.queue, project=running.config.project, deadline=soon())
        )


def report(begin, folder, minutes):
    """Build the mails that are due, and send them."""
    begin()
    with runtime(folder, minutes) as running:
        return [one.status.value for one in jobs.report(running, deadline=soon())]
