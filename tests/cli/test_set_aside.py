"""What the queue refused is shown by the commands, counted as lost, and sent once more by `drain`."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tuppence.capture.client import Client
from tuppence.cli.app import COULD_NOT, DONE
from tuppence.drivers import ItemError
from tuppence.errors import DriverError, ErrorCode
from tuppence.local.queue import LocalQueue

QUESTION = "Where is my parcel?"
EVENTS = 3


def refuse(_, messages, /, *, deadline):
    """Refuse each message for itself."""
    error = DriverError(
        ErrorCode.TOO_LARGE, operation="queue.send", provider="test", message="9 bytes; at most 8"
    )
    return [ItemError(n, error) for n in range(len(messages))]


@pytest.fixture
def refused(folder, monkeypatch):
    """Have the events of a process refused, all but what it says at its end."""
    monkeypatch.chdir(folder)
    with monkeypatch.context() as patch, Client() as client:
        patch.setattr(LocalQueue, "send", refuse)
        for _ in range(EVENTS):
            client.capture("asked", text=QUESTION)
        assert not client.flush(10)
        patch.undo()
        monkeypatch.chdir(folder)
    return folder


def health(tuppence):
    """Return what this week's report says of its data."""
    year, week, _ = datetime.now(ZoneInfo("Europe/London")).isocalendar()
    return tuppence("report", "--week", f"{year}-W{week:02}", "--format", "json").json["health"]


def set_aside(result):
    return [one for one in result.json["findings"] if one["part"] == "set aside"]


def test_doctor_says_what_was_refused_and_why_and_what_to_do(tuppence, refused):
    result = tuppence("doctor", "--json")

    [finding] = set_aside(result)
    assert result.status == COULD_NOT
    assert finding["state"] == "wrong"
    assert "3 events in 1 batch" in finding["detail"]
    assert "too_large: 9 bytes; at most 8" in finding["detail"]
    assert "tuppence drain" in finding["mend"]
    assert "set-aside" in finding["mend"]
    assert QUESTION not in result.stdout


def test_status_says_how_much_was_refused(tuppence, refused):
    result = tuppence("status", "--json")

    assert result.status == COULD_NOT
    [problem] = [one for one in result.json["problems"] if one["part"] == "set aside"]
    assert "tuppence drain" in problem["next"]
    assert result.json["set_aside"]["events"] == EVENTS
    assert "too_large" in result.json["set_aside"]["reasons"][0]
    assert "3 events in 1 batch" in tuppence("status").stdout


def test_without_anything_refused_neither_speaks_of_it(tuppence, folder):
    assert not set_aside(tuppence("doctor", "--json"))
    assert "set aside" not in tuppence("status").stdout


def test_what_was_refused_is_lost_until_drain_has_sent_it_once_more(tuppence, refused, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(LocalQueue, "send", refuse)
        still = tuppence("drain", "--json")
    tuppence("seal")
    before = health(tuppence)

    sent = tuppence("drain", "--json")
    tuppence("seal")
    after = health(tuppence)

    assert (still.status, still.json["set_aside"]) == (COULD_NOT, {"sent": 0, "left": EVENTS})
    assert (before["lost"], before["set_aside"], before["accepted"]) == (EVENTS, EVENTS, 0)
    assert (sent.status, sent.json["set_aside"]) == (DONE, {"sent": EVENTS, "left": 0})
    assert (after["lost"], after["set_aside"], after["accepted"]) == (0, 0, EVENTS)
    assert not set_aside(tuppence("doctor", "--json"))
