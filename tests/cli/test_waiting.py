"""What a command says and does while what it needs is away."""

import subprocess
import sys
import threading

import pytest

from tuppence.cli import output
from tuppence.cli.app import COULD_NOT
from tuppence.cli.output import Output
from tuppence.errors import DriverError, ErrorCode
from tuppence.jobs import JOBS
from tuppence.local.mailer import LocalMailer
from tuppence.local.queue import LocalQueue
from tuppence.local.store import LocalStore

MINUTE = 60


@pytest.fixture
def away(monkeypatch):
    """Make calls of a driver fail, and return the names of those that were made."""
    made = []

    def away(driver, *names):
        def method(name):
            def call(*_, **__):
                made.append(name)
                raise DriverError(ErrorCode.UNAVAILABLE, operation=name, provider="local", message="refused")

            return call

        for name in names:
            monkeypatch.setattr(driver, name, method(name))
        return made

    return away


@pytest.fixture
def orphan(folder):
    """Leave the journal of a process that was killed before it could send."""
    program = (
        "import os, tuppence\nclient = tuppence.Client('tuppence.toml')\nclient.capture('tick')\nos._exit(0)"
    )
    subprocess.run([sys.executable, "-c", program], cwd=folder, check=True)


def test_a_store_that_is_away_is_told_at_once_and_given_up_within_a_minute(
    tuppence, send, batch, clock, away
):
    send(batch())
    away(LocalStore, "put", "query", "get")

    result = tuppence("drain")

    assert result.status == COULD_NOT
    assert "refused. Tried again until 09:30:30 UTC; Ctrl-C ends it at once." in result.stderr
    assert clock.monotonic() <= MINUTE


def test_a_program_that_reads_json_is_told_on_standard_error_too(tuppence, send, batch, clock, away):
    send(batch())
    away(LocalStore, "put")

    result = tuppence("drain", "--json")

    assert "Tried again until" in result.stderr
    assert result.json["error"]["kind"] == "unavailable"


def test_nothing_more_is_tried_once_someone_stops_it(tuppence, send, batch, clock, away, monkeypatch):
    send(batch())
    made = away(LocalStore, "put")

    def stop(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(clock, "sleep", stop)
    result = tuppence("drain")

    assert result.status == COULD_NOT
    assert "Stopped." in result.stderr
    assert made == ["put"]


@pytest.mark.usefixtures("orphan")
def test_each_step_of_a_pass_by_hand_fails_within_a_minute(tuppence, clock, away):
    away(LocalQueue, "send", "receive", "depth")
    away(LocalStore, "put", "query", "get", "delete")

    result = tuppence("worker", "--once", "--json")

    assert result.status == COULD_NOT
    assert {"orphans", "drain", "seal"} <= set(result.json["failed"])
    assert "refused" in result.json["failed"]["orphans"]
    assert "Tried again until" in result.stderr
    assert clock.monotonic() <= MINUTE * len(JOBS)


@pytest.mark.usefixtures("orphan")
def test_a_drain_says_which_journals_could_not_be_sent_and_goes_on(tuppence, clock, away):
    away(LocalQueue, "send")

    result = tuppence("drain", "--json")

    assert result.status == COULD_NOT
    assert "refused" in result.json["orphans"]["problem"]
    assert result.json["drained"]["messages"] == 0


def test_status_tells_what_is_away_within_a_minute(tuppence, clock, away):
    away(LocalQueue, "depth")
    away(LocalStore, "query", "get")

    result = tuppence("status")

    assert result.status == COULD_NOT
    assert result.stderr.count("Tried again until") == 2
    assert clock.monotonic() <= MINUTE


def test_a_mailer_that_is_away_is_told_at_once(tuppence, clock, away):
    away(LocalMailer, "send")

    result = tuppence("report", "--send", "--to", "me@example.com", "--week", "2026-W46")

    assert result.status == COULD_NOT
    assert "refused. Tried again until" in result.stderr
    assert clock.monotonic() <= MINUTE


class Heard(Output):
    """Notes what is said, and when something is."""

    def __init__(self):
        super().__init__(json=True)
        self.said = []
        self.at_all = threading.Event()

    def aside(self, text):
        self.said.append(text)
        self.at_all.set()


def test_what_takes_long_is_said_while_it_does(monkeypatch):
    monkeypatch.setattr(output, "SILENCE", 0.0)
    heard = Heard()

    with heard.waiting("the queue"):
        assert heard.at_all.wait(30)

    assert heard.said == ["Waiting for the queue …"]


def test_what_is_done_soon_is_not_said(monkeypatch):
    monkeypatch.setattr(output, "SILENCE", 3_600.0)
    heard = Heard()

    with heard.waiting("the queue"):
        pass

    assert heard.said == []
    assert all(not isinstance(one, threading.Timer) or one.finished.is_set() for one in threading.enumerate())
