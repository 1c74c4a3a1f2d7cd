"""Formats of a version to come: what holds them is left as it is, and a sentence says so."""

import pytest

from faults.queues import CONFIGURATION, load, received
from pipeline.world import captured, fresh_world, question
from tuppence.capture import places
from tuppence.capture.client import Client
from tuppence.capture.sender import send_orphans
from tuppence.capture.state import STATE_FILE, State, _encode
from tuppence.clock import Deadline, SystemClock
from tuppence.drivers import Record
from tuppence.errors import TuppenceError
from tuppence.pipeline import layout, rollup, texts
from tuppence.runtime import Runtime


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_state_of_a_version_to_come_is_left_with_its_journal(tmp_path, caplog):
    (tmp_path / "tuppence.toml").write_text(CONFIGURATION)
    with Client(load(tmp_path)) as client:
        client.capture("x")
        [folder] = places.instances(places.directory(load(tmp_path)))
        client._instance._owner.release()
        (folder / STATE_FILE).write_bytes(_encode(State(version=2)))
        before = contents(folder)

        assert not sent(tmp_path)
        assert contents(folder) == before
    assert "version 2, this release reads 1" in caplog.text


def sent(folder):
    """Return what reaches the queue when another sender comes by."""
    config = load(folder)
    (folder / "queue").mkdir()
    with Runtime(config) as runtime:
        send_orphans(config, lambda: runtime.queue, SystemClock(), deadline=Deadline.after(10))
    database = folder / "queue" / "tuppence.db"
    return received(folder)[1] if database.exists() else []


@pytest.mark.parametrize(
    ("place", "newer"),
    [
        pytest.param(layout.hour, rollup.encode(rollup.Rollup(version=2, zone="UTC", parts=[])), id="rollup"),
        pytest.param(layout.texts, texts.encode(texts.Texts(version=2)), id="texts"),
    ],
)
def test_what_was_sealed_by_a_version_to_come_is_left(place, newer):
    with fresh_world() as world:
        key = place("bot", "2026111609")
        world.store.put(Record(key=key, body=newer), deadline=world.deadline)
        with pytest.raises(TuppenceError, match=r"newer tuppence; upgrade"):
            world.take_in(captured(question(1)), captured(question(1, 61), instance="i2"))

        assert world.store.get(key, deadline=world.deadline).body == newer
        assert "h.2026111609" in world.markers()
        assert "h.2026111610" not in world.markers()
