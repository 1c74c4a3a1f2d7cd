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
from tuppence.errors import DriverError, ErrorCode
from tuppence.local.queue import LocalQueue
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

    assert {one["status"] for one in first} == {"written"}
    assert {one["status"] for one in second} == {"already_written"}
    assert {one["detail"] for one in first} == {str(path) for path in folder.glob("outbox/*.eml")}
    assert {mail["To"] for mail in mails(folder)} == {"me@example.com", "you@example.com"}


def test_a_mail_that_became_a_file_is_not_called_sent(tuppence, folder, week):
    result = tuppence("report", "--send", "--to", "trial@example.com")

    (file,) = folder.glob("outbox/*.eml")
    assert result.stdout.strip() == f"trial@example.com: written to {file}"
    assert "Nothing was sent" in result.stderr


def test_a_worker_that_writes_files_does_not_say_that_it_sent(tuppence, week):
    result = tuppence("worker", "--once")

    assert "report done: 2 mails written" in result.stderr


def test_a_trial_goes_to_the_address_given_and_to_nobody_else(tuppence, folder, week):
    tuppence("report", "--send", "--to", "trial@example.com")

    result = tuppence("report", "--send", "--to", "trial@example.com", "--json")

    assert result.json["sent"][0]["status"] == "written"
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


@pytest.fixture
def first_week(folder, clock, batch, send, tuppence):
    """Seal two events of the week under way, the project's first."""
    (folder / "tuppence.toml").write_text(CONFIG, encoding="utf-8")
    send(batch())
    clock.advance(timedelta(hours=5))
    tuppence("drain")
    tuppence("seal")


@pytest.mark.usefixtures("first_week")
def test_in_the_first_week_the_week_under_way_is_shown_and_said_to_be(tuppence):
    shown = tuppence("report")
    asked = tuppence("report", "--week", "this", "--json").json

    assert shown.status == DONE
    assert "Week 47, unfinished" in shown.stdout
    assert "Nothing arrived in 2026-W46; this is 2026-W47, which is not over." in shown.stderr
    assert (asked["period"]["week"], asked["period"]["complete"]) == ("2026-W47", False)
    assert asked["totals"]["events"] == 2


@pytest.mark.usefixtures("first_week")
def test_the_last_week_is_shown_where_it_is_asked_for_by_name(tuppence):
    assert "Week 46 " in tuppence("report", "--week", "last").stdout


@pytest.mark.usefixtures("first_week")
def test_a_week_that_is_not_over_is_not_mailed(tuppence, folder):
    result = tuppence("report", "--week", "this", "--send", "--to", "me@example.com")

    assert result.status == USAGE
    assert "is not over" in result.stderr
    assert mails(folder) == []


def test_a_pipeline_that_has_been_dead_from_the_first_day_is_mailed_about(
    tuppence, folder, clock, batch, send, monkeypatch
):
    (folder / "tuppence.toml").write_text(CONFIG, encoding="utf-8")
    send(batch())
    clock.advance(timedelta(days=7))

    def refused(*_args, **_options):
        raise DriverError(
            ErrorCode.FORBIDDEN, operation="queue.receive", provider="local", message="needs queue:receive"
        )

    monkeypatch.setattr(LocalQueue, "receive", refused)
    tuppence("worker", "--once")

    found = mails(folder)
    assert len(found) == 2
    assert "⚠ nothing drained yet" in found[0]["Subject"]
    text = " ".join(found[0].get_body(("plain",)).get_content().split())
    assert "Nothing has been drained yet: forbidden, needs queue:receive; 1 message is waiting" in text
    assert "No events have arrived yet" not in text


def test_where_nothing_ever_arrived_and_all_runs_there_is_no_mail(tuppence, folder, clock):
    (folder / "tuppence.toml").write_text(CONFIG, encoding="utf-8")
    clock.advance(timedelta(days=7))

    tuppence("worker", "--once")

    assert mails(folder) == []


@pytest.mark.parametrize("week", ["9999-W52", "9999-W51", "0001-W01"])
def test_a_week_at_the_end_of_the_calendar_is_an_error_in_words(tuppence, week):
    result = tuppence("report", "--week", week)

    assert result.status == USAGE
    assert "is no week" in result.stderr
