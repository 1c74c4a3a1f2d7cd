"""Where journals lie, who owns them, and how long they stay."""

import os
from datetime import timedelta

import pytest

from tuppence import config as configuration
from tuppence.capture import places
from tuppence.testing.clock import ManualClock

MIB = 1024 * 1024


@pytest.fixture
def clock():
    return ManualClock()


def leave(folder, name, clock, *, alive=False):
    """Leave an instance of 1 MiB, as a process does that dies, or lives."""
    places.prepared(folder)
    path, lock = places.new_instance(folder, name)
    (path / "00000001.journal").write_bytes(os.urandom(MIB))
    for file in (path, *path.iterdir()):
        os.utime(file, (clock.now().timestamp(), clock.now().timestamp()))
    if not alive:
        lock.release()
    return lock


def load(folder, **settings):
    return configuration.load(folder=folder, environ={}, capture={"journal_bytes": 2 * MIB}, **settings)


def test_where_nobody_will_send_the_oldest_dead_journals_go(tmp_path, clock, caplog):
    for name in ("first", "second", "third"):
        leave(tmp_path / "j", name, clock)
        clock.advance(timedelta(seconds=1))

    places.clear_orphans(tmp_path / "j", load(tmp_path), clock)

    assert {path.name for path in places.instances(tmp_path / "j")} == {"second", "third"}
    assert "first" in caplog.text


def test_many_dead_journals_wait_for_a_queue_that_is_away(tmp_path, clock):
    for name in ("first", "second", "third"):
        leave(tmp_path / "j", name, clock)

    places.clear_orphans(tmp_path / "j", load(tmp_path, provider="local"), clock)

    assert len(list(places.instances(tmp_path / "j"))) == 3


def test_a_dead_journal_goes_when_it_is_too_old_and_a_living_one_stays(tmp_path, clock):
    leave(tmp_path / "j", "dead", clock)
    lock = leave(tmp_path / "j", "living", clock, alive=True)
    clock.advance(timedelta(days=15))

    places.clear_orphans(tmp_path / "j", load(tmp_path, provider="local"), clock)

    assert [path.name for path in places.instances(tmp_path / "j")] == ["living"]
    lock.release()


def test_a_folder_of_another_user_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 12_345)

    with pytest.raises(PermissionError, match="another user"):
        places.prepared(tmp_path)


def test_configurations_with_different_destinations_keep_their_journals_apart(tmp_path):
    one = load(tmp_path, provider="local", queue={"path": "one.db"})
    other = load(tmp_path, provider="local", queue={"path": "other.db"})

    assert places.directory(one) != places.directory(other)
    assert places.directory(one) == places.directory(
        load(tmp_path, provider="local", queue={"path": "one.db"})
    )
