"""Bits that the disk has flipped in the database, of which SQLite has no checksums."""

from contextlib import closing, suppress
from datetime import timedelta

import pytest

from tuppence.clock import Deadline
from tuppence.drivers import Key, Message, Record, Schedule
from tuppence.errors import DriverError
from tuppence.local.queue import LocalQueue
from tuppence.local.scheduler import LocalScheduler
from tuppence.local.store import LocalStore

FLIPS_EACH = 7
"""One bit of every so many bytes that hold anything is flipped, a file for each."""


def drivers(path, context):
    return [kind(kind.Options(path=str(path)), context) for kind in (LocalQueue, LocalStore, LocalScheduler)]


@pytest.fixture
def whole(tmp_path, context, clock):
    """The bytes of a file with a message, a record and a schedule."""
    path, deadline = tmp_path / "whole.db", Deadline.after(5)
    queue, store, scheduler = drivers(path, context)
    queue.send([Message(id="m1", body=b"body", lane="a")], deadline=deadline)
    expires = clock.now() + timedelta(days=30)
    key = Key(partition="p", sort="s")
    store.put([Record(key=key, body=b"body", attributes={"k": "v"}, expires_at=expires)], deadline=deadline)
    scheduler.upsert(Schedule(name="daily", cron="0 7 * * *", timezone="UTC", job="purge", payload={"a": 1}))
    for driver in (queue, store, scheduler):
        driver.close()
    return path.read_bytes()


def use(queue, store, scheduler):
    """Do everything that reads; each by itself, since one may fail and another must not."""
    deadline = Deadline.after(5)

    def receive():
        for one in queue.receive(max_messages=5, wait=timedelta(0), lease=timedelta(1), deadline=deadline):
            assert (type(one.message.body), type(one.message.id)) == (bytes, str)
            queue.ack([one], deadline=deadline)

    def query():
        for record in store.query("p", limit=5, deadline=deadline).records:
            assert (type(record.body), type(record.key.sort)) == (bytes, str)

    for call in (
        lambda: queue.depth(deadline=deadline),
        receive,
        query,
        lambda: store.get([Key(partition="p", sort="s")], deadline=deadline),
        scheduler.schedules,
        scheduler.next_due,
        scheduler.claim_due,
    ):
        with suppress(DriverError):
            call()


def test_only_a_drivers_error_comes_out_of_a_damaged_file(tmp_path, context, whole):
    places = [at for at, byte in enumerate(whole) if byte][::FLIPS_EACH]
    for number, at in enumerate(places):
        path = tmp_path / f"{number}.db"
        damaged = bytearray(whole)
        damaged[at] ^= 1 << (number % 8)
        path.write_bytes(damaged)
        opened = drivers(path, context)
        use(*opened)
        for driver in opened:
            with closing(driver):
                pass
        for left in tmp_path.glob(f"{number}.db*"):
            left.unlink()
    assert len(places) > 100
