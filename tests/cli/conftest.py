from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.result import Result
from tuppence.batch import Header, pack
from tuppence.cli import app
from tuppence.cli.app import run
from tuppence.clock import Deadline
from tuppence.config import load
from tuppence.drivers import Message
from tuppence.event import Event, hour_of, milliseconds
from tuppence.runtime import Runtime
from tuppence.testing.clock import START, ManualClock

SCRIPT = Path(sys.executable).with_name("tuppence")
PATIENCE = 120
"""Seconds after which a process that hangs fails its test."""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory of its own, with journals of its own, configured for the embedded provider."""
    for name in [name for name in os.environ if name.startswith("TUPPENCE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TUPPENCE_CAPTURE__DIRECTORY", str(tmp_path / "journals"))
    (tmp_path / "tuppence.toml").write_text(
        'provider = "local"\nproject = "shop"\ntimezone = "Europe/London"\n', encoding="utf-8"
    )
    return tmp_path


@pytest.fixture
def tuppence(folder, capsys, monkeypatch):
    """Run a command line in this process."""
    monkeypatch.chdir(folder)

    def call(*arguments):
        capsys.readouterr()
        status = run([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return Result(status, printed.out, printed.err)

    return call


@pytest.fixture
def script(folder):
    """Run the console script in a process of its own."""

    def call(*arguments, stdin=""):
        done = subprocess.run(
            [SCRIPT, *map(str, arguments)],
            check=False,
            cwd=folder,
            capture_output=True,
            text=True,
            encoding="utf-8",
            input=stdin,
            timeout=PATIENCE,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    return call


@pytest.fixture
def start(folder):
    """Start the console script and return its process, which does not outlive the test."""
    processes = []

    def call(*arguments):
        process = subprocess.Popen(
            [SCRIPT, *arguments], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        processes.append(process)
        return process

    yield call
    for process in processes:
        process.kill()
        process.communicate(timeout=PATIENCE)


@pytest.fixture
def clock(monkeypatch):
    """The clock that every command is handed."""
    hand = ManualClock()
    monkeypatch.setattr(app, "SystemClock", lambda: hand)
    return hand


@pytest.fixture
def runtime(folder, clock):
    """The configuration brought to life."""
    with Runtime(load(folder / "tuppence.toml"), clock=clock) as runtime:
        yield runtime


@pytest.fixture
def send(folder, clock):
    """Put messages into the configured queue."""

    def call(*bodies):
        with Runtime(load(folder / "tuppence.toml"), clock=clock) as runtime:
            messages = [Message(id=str(number), body=body) for number, body in enumerate(bodies)]
            assert runtime.queue.send(messages, deadline=Deadline.after(30, clock)) == []

    return call


@pytest.fixture
def batch():
    """Make a batch of two events of one instance, whose first event never arrived."""

    def make(*, project="shop"):
        at = milliseconds(START)
        events = [Event(at, "signup", seq=2), Event(at, "question", seq=3, data={"text": "Hello?"})]
        header = Header(
            project=project,
            hour=hour_of(at),
            count=2,
            instance="i1",
            first=2,
            last=3,
            captured=3,
            ignored=4,
            hello=True,
            goodbye=True,
        )
        return pack(header, events).body

    return make
