"""A journal is damaged by someone else while a living process writes it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from faults.processes import CAPTURING
from faults.queues import CONFIGURATION, load, received, send_everything
from tuppence.capture import places
from tuppence.capture.client import Client

TUPPENCE = Path(sys.executable).with_name("tuppence")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "tuppence.toml").write_text(CONFIGURATION)
    (tmp_path / "queue").mkdir()
    return tmp_path


def journal(folder):
    """Return the one journal's first segment."""
    [instance] = places.instances(places.directory(load(folder)))
    return next(iter(sorted(instance.glob("*.journal"))))


def test_what_is_written_over_costs_only_that_and_the_doctor_says_so(folder, caplog):
    with Client(load(folder, capture={"flush_interval": "1h"})) as client:
        for n in range(100):
            client.capture("tick", n=n)
        with journal(folder).open("r+b") as file:
            file.seek(2_000)
            file.write(b"scribble" * 20)
        for n in range(100):
            client.capture("tock", n=n)
        while not client.flush(1):
            assert client.stats.problem == ""
        found = subprocess.run(
            [TUPPENCE, "doctor", "--json"], cwd=folder, check=False, stdout=subprocess.PIPE, timeout=60
        )
    assert send_everything(folder)

    headers, events = received(folder)
    numbers = {event.seq for _, event in events}
    [goodbye] = [header for header in headers if header.goodbye]
    damage = [one["detail"] for one in json.loads(found.stdout)["findings"] if one["part"] == "damage"]
    assert set(range(101, 201)) <= numbers
    assert 190 <= len(numbers) < 200
    assert (goodbye.captured, goodbye.dropped) == (200, 200 - len(numbers))
    assert "1 place in journals" in damage[0]
    assert "a journal was damaged" in caplog.text


def test_a_file_cut_short_under_its_writer_ends_the_process_and_what_stood_before_is_kept(folder):
    """The kernel ends whoever writes to a mapped file beyond its end; no program can decline that."""
    process = subprocess.Popen(
        [sys.executable, CAPTURING, folder, "1000000"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    for line in process.stdout:
        if line == b"500\n":
            break
    os.truncate(journal(folder), 65_536)
    process.stdout.read()
    process.communicate()

    assert process.returncode == -signal.SIGBUS
    assert send_everything(folder)
    headers, events = received(folder)
    numbers = [event.seq for _, event in events]
    assert len(set(numbers)) == len(numbers)
    assert set(range(1, 300)) <= set(numbers)
    assert any(header.goodbye for header in headers)
