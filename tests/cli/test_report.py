from __future__ import annotations

import email
import email.policy
import json
from datetime import timedelta

import pytest

from tuppence import jobs
from tuppence.cli import report as command
from tuppence.cli.app import COULD_NOT, DONE, USAGE
from tuppence.clock import Deadline
from tuppence.config import load
from tuppence.runtime import Runtime

CONFIG = """
provider = "local"
project = "shop"
timezone = "Europe/London"
[report]
to = ["me@example.com", "you@example.com"]
sender = "bot@example.com"
"""


@pytest.fixture
def week(folder, clock, batch, send):
    """Seal one event of Monday of 2026-W47, and let the clock stand in the week after."""
    (folder / "tuppence.toml").write_text(CONFIG, encoding="utf-8")
    send(batch())
    with Runtime(load(folder / "tuppence.toml"), clock=clock) as runtime:
        deadline = Deadline.after(timedelta(minutes=1))
        jobs.drain(runtime, deadline=deadline)
        jobs.seal(runtime, deadline=deadline)
    clock.advance(timedelta(days=7))
    return "2026-W47"


def mails(folder):
    return [
        email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        for path in sorted(folder.glob("outbox/*.eml"))
    ]


def test_the_last_week_is_printed_as_text(tuppence, week):
    result = tuppence("report")

    assert result.status == DONE
    assert "Week 47" in result.stdout


def test_a_week_as_json_is_one_document(tuppence, week):
    by_format = json.loads(tuppence("report", "--week", week, "--format", "json").stdout)
    by_option = tuppence("report", "--json").json

    assert by_format == by_option
    assert by_format["period"]["week"] == week
    assert by_format["totals"]["events"] == 2


def test_a_report_is_written_where_asked(tuppence, folder, week):
    result = tuppence("report", "--format", "html", "--output", "r.html", "--json")

    assert result.json == {"week": week, "output": "r.html", "sent": []}
    assert (folder / "r.html").read_text(encoding="utf-8").lstrip().lower().startswith("<!doctype html")


def test_a_report_is_shown_in_the_browser_from_a_file_that_stays(tuppence, week, monkeypatch, tmp_path):
    shown = []
    monkeypatch.setattr(command.webbrowser, "open", lambda url: not shown.append(url))
    monkeypatch.setattr(command.tempfile, "tempdir", str(tmp_path))

    result = tuppence("report", "--open")

    assert shown == [(tmp_path / result.stdout.strip().rsplit("/", 1)[1]).as_uri()]


@pytest.mark.parametrize("text", ["yesterday", "2026-W54", "2026-46"])
def test_a_week_that_is_none_is_a_usage_error(tuppence, week, text):
    result = tuppence("report", "--week", text)

    assert result.status == USAGE
    assert "--week" in result.stderr


def test_each_recipient_is_sent_the_week_once(tuppence, folder, week):
    first = tuppence("report", "--send", "--json").json["sent"]
    second = tuppence("report", "--send", "--json").json["sent"]

    assert {one["status"] for one in first} == {"sent"}
    assert {one["status"] for one in second} == {"already_sent"}
    assert {mail["To"] for mail in mails(folder)} == {"me@example.com", "you@example.com"}


def test_a_trial_goes_to_the_address_given_and_to_nobody_else(tuppence, folder, week):
    tuppence("report", "--send", "--to", "trial@example.com")

    result = tuppence("report", "--send", "--to", "trial@example.com", "--json")

    assert result.json["sent"][0]["status"] == "sent"
    assert {mail["To"] for mail in mails(folder)} == {"trial@example.com"}


def test_an_address_without_send_is_a_usage_error(tuppence, week):
    assert tuppence("report", "--to", "me@example.com").status == USAGE


def test_sending_to_nobody_says_where_to_write_somebody(tuppence):
    result = tuppence("report", "--send")

    assert result.status == COULD_NOT
    assert "[report]" in result.stderr


def test_a_worker_mails_a_week_once_and_only_after_its_hour(tuppence, folder, week, clock):
    clock.advance(-timedelta(days=1, hours=9, minutes=30))
    tuppence("worker", "--once")
    on_sunday = len(mails(folder))
    clock.advance(timedelta(days=1, hours=6, minutes=59))
    tuppence("worker", "--once")
    before_seven = len(mails(folder))
    clock.advance(timedelta(minutes=1))
    for _ in range(2):
        tuppence("worker", "--once")

    assert (on_sunday, before_seven, len(mails(folder))) == (0, 0, 2)


def test_a_worker_mails_nothing_about_a_project_that_never_had_an_event(tuppence, folder):
    (folder / "tuppence.toml").write_text(CONFIG, encoding="utf-8")

    result = tuppence("worker", "--once")

    assert result.status == DONE
    assert mails(folder) == []


def test_a_mail_the_server_refuses_fails_the_pass_and_is_sent_by_a_later_one(tuppence, folder, week):
    (folder / "outbox").write_text("in the way", encoding="utf-8")
    failed = tuppence("worker", "--once", "--json")
    (folder / "outbox").unlink()

    result = tuppence("worker", "--once", "--json")

    assert failed.status == COULD_NOT
    assert failed.json["failed"]["report"].startswith("2 of 2 mails could not be sent")
    assert result.status == DONE
    assert len(mails(folder)) == 2
