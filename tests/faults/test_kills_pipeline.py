"""Processes are killed at hundreds of random moments while they import, drain and seal.

What they leave is finished in peace and must be, byte by byte, what a run leaves that was never killed.
"""

import json
from datetime import timedelta

import pytest

from faults.killing import patiently
from faults.ledger import Ledger, results, sealed
from faults.messages import DEAD, EVENTS, bodies
from faults.stages import NINE, load, runtime, soon
from tuppence.drivers import Record
from tuppence.pipeline import layout

CONFIGURATION = 'provider = "local"\nproject = "bot"\ntimezone = "Europe/London"\n'


@pytest.fixture
def files(tmp_path):
    """Return the messages as files."""
    folder = tmp_path / "bodies"
    folder.mkdir()
    made = []
    for number, body in enumerate(bodies()):
        made.append(folder / f"{number}")
        made[-1].write_bytes(body)
    return made


def prepare(folder):
    """Write the configuration, and the visitor key, without which no two rollups are alike."""
    (folder / "tuppence.toml").write_text(CONFIGURATION)
    with runtime(folder) as running:
        key = layout.state(load(folder).project, "visitor-key")
        running.store.put(Record(key=key, body=b"k" * 32), deadline=soon())


def finish(killer, folder, minutes):
    """Let everything that is under way come to its end, and return what is left of it."""
    killer.run("drain", folder=folder, minutes=minutes)
    killer.run("seal", folder=folder, minutes=minutes)
    return results(folder)


def quiet(killer, folder, files):
    """Return what a run leaves in which nothing is killed."""
    folder.mkdir()
    prepare(folder)
    killer.run("put", folder=folder, files=files)
    killer.measure("drain", folder=folder)
    killer.measure("seal", folder=folder)
    return results(folder)


def share(killer, files, number, tries):
    """Return what comes before one of the tries: each file before one of them, and a few that come again.

    They are few, for a message that comes again would hide that it was lost before.
    """
    return files[number :: len(tries)] + killer.chance.sample(files, len(files) // 20)


def check(folder, found, expected):
    """Compare, and return the ledger of what `bodies` holds."""
    events, _ = sealed(folder)
    dead = sum(type(key) is str for key in found)
    assert found == expected
    assert (events, dead) == (EVENTS, DEAD)
    return Ledger(promised=EVENTS, counted=events, dead=dead)


@patiently
def test_the_drain_may_be_killed_at_any_moment(killer, tmp_path, files, record_property):
    expected, total = quiet(killer, tmp_path / "quiet", files), Ledger()

    for folder, tries in killer.lives(tmp_path, each=3):
        prepare(folder)
        killer.chance.shuffle(files)
        for number in tries:
            killer.run("put", folder=folder, files=share(killer, files, number, tries))
            killer.kill("drain", folder=folder, minutes=300 + 3 * number)
        total += check(folder, finish(killer, folder, 400), expected)
    record_property("summary", f"drain: {killer.told}, {total}")


@patiently
def test_the_seal_may_be_killed_at_any_moment(killer, tmp_path, files, record_property):
    expected, total = quiet(killer, tmp_path / "quiet", files), Ledger()

    for folder, tries in killer.lives(tmp_path, each=3):
        prepare(folder)
        killer.chance.shuffle(files)
        for number in tries:
            killer.run("put", folder=folder, files=share(killer, files, number, tries))
            killer.run("drain", folder=folder, minutes=300 + number)
            killer.kill("seal", folder=folder, minutes=300 + number)
        total += check(folder, finish(killer, folder, 400), expected)
    record_property("summary", f"seal: {killer.told}, {total}")


def write_lines(path):
    """Write events of 210 hours, more than two calls of the queue take, and some lines that are none."""
    with path.open("w") as file:
        for n in range(1_300):
            at = NINE - timedelta(hours=n % 210, minutes=-(n % 60))
            event = {"type": "question", "time": at.isoformat(), "user": f"u{n % 99}"}
            if n % 2:
                event["id"] = f"{n % 1_000}"
            file.write(json.dumps(event | {"data": {"text": f"Question {n % 20}?"}}) + "\n")
            if n % 100 == 0:
                file.write('{"type": "question"}\n')


@patiently
def test_the_import_may_be_killed_at_any_moment(killer, tmp_path, record_property):
    file, total = tmp_path / "events.ndjson", Ledger()
    write_lines(file)
    first = tmp_path / "quiet"
    first.mkdir()
    prepare(first)
    whole = killer.measure("import_", folder=first, file=file)
    expected = finish(killer, first, 300)
    events, _ = sealed(first)
    assert (whole["sent"], whole["refused"], events) == (1_300, 13, 1_300)

    for folder, tries in killer.lives(tmp_path, each=8):
        prepare(folder)
        for number in tries:
            killer.kill("import_", folder=folder, file=file)
            if killer.chance.random() < 0.5:
                killer.run("drain", folder=folder, minutes=300 + number)
        again = killer.run("import_", folder=folder, file=file)
        assert again == whole
        assert finish(killer, folder, 400) == expected
        total += Ledger(promised=events, counted=events, refused=again["refused"])
    record_property("summary", f"import: {killer.told}, {total}")
