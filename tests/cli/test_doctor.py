from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

import pytest

from tuppence.cli.app import COULD_NOT, DONE
from tuppence.clock import Deadline
from tuppence.errors import DriverError, ErrorCode
from tuppence.findings import note, ok, wrong
from tuppence.local.mailer import LocalMailer
from tuppence.local.queue import LocalQueue
from tuppence.local.store import LocalStore
from tuppence.report.claims import Claim, recipient_id, take
from tuppence.schedules import register

CAPTURE_AND_DIE = """
import os, signal, sys, tuppence
tp = tuppence.Client(sys.argv[1])
tp.capture("signup")
os.kill(os.getpid(), signal.SIGKILL)
"""
CAPTURE_AND_CLOSE = """
import tuppence
with tuppence.Client() as tp:
    tp.capture("signup")
    assert tp.flush(60)
"""


def findings(result, part):
    found = [one for one in result.json["findings"] if one["part"] == part]
    assert found, result.json
    return found


def finding(result, part):
    return findings(result, part)[0]


def test_a_working_installation_is_healthy(tuppence, folder):
    result = tuppence("doctor", "--json")

    assert result.status == DONE, result.stdout
    assert result.json["healthy"]
    assert {finding(result, kind)["state"] for kind in ("queue", "store", "scheduler", "mailer")} == {"ok"}
    assert str(folder / "journals") in finding(result, "journal")["detail"]


def test_each_driver_is_tried_and_one_that_fails_is_named_with_a_next_step(tuppence, folder):
    (folder / "tuppence.toml").write_text(
        'provider = "local"\n[store]\npath = "missing/events.db"\n', encoding="utf-8"
    )

    result = tuppence("doctor", "--json")

    assert result.status == COULD_NOT
    assert finding(result, "store")["state"] == "wrong"
    assert finding(result, "store")["mend"]
    assert finding(result, "queue")["state"] == "ok"


def test_a_provider_that_is_not_installed_is_said_for_each_part(tuppence, folder):
    (folder / "tuppence.toml").write_text('provider = "acme"\n', encoding="utf-8")

    result = tuppence("doctor", "--json")

    assert result.status == COULD_NOT
    assert "pip install tuppence-acme" in finding(result, "mailer")["detail"]


@pytest.fixture
def finds(monkeypatch):
    """Have a driver of the embedded provider find something more."""

    def finds(driver, look):
        monkeypatch.setattr(driver, "findings", lambda self, *, deadline, **mails: look(**mails))

    return finds


def test_what_a_driver_finds_stands_under_its_kind_and_wrong_is_wrong(tuppence, finds):
    finds(LocalStore, lambda: [note("it is old", "Replace it."), wrong("it is damp", "Dry it.")])

    result = tuppence("doctor", "--json")

    told = [
        (one["state"], one["detail"], one["mend"])
        for one in result.json["findings"]
        if one["part"] == "store"
    ]
    assert told == [
        ("ok", "local", ""),
        ("note", "it is old", "Replace it."),
        ("wrong", "it is damp", "Dry it."),
    ]
    assert result.status == COULD_NOT


def test_what_a_driver_found_before_it_raised_is_told_too(tuppence, finds):
    def look():
        yield note("it is old")
        raise DriverError(ErrorCode.TIMEOUT, operation="store.findings", provider="local")

    finds(LocalStore, look)

    result = tuppence("doctor", "--json")

    told = [one["detail"] for one in findings(result, "store")]
    assert told == ["local", "it is old", "local store.findings: timeout"]
    assert finding(result, "scheduler")["state"] == "ok"


def test_what_the_check_said_is_not_said_again(tuppence, finds, folder):
    (folder / "tuppence.toml").write_text(
        'provider = "local"\n[store]\npath = "missing/events.db"\n', encoding="utf-8"
    )
    said = finding(tuppence("doctor", "--json"), "store")["detail"]
    finds(LocalStore, lambda: [wrong(said[-20:], "Make it."), note("it is old")])

    result = tuppence("doctor", "--json")

    assert [one["detail"] for one in findings(result, "store")] == [said, "it is old"]


def test_parts_in_two_places_are_named_with_them(tuppence, finds):
    finds(LocalStore, lambda: [ok("here", place="account 1, north")])
    finds(LocalQueue, lambda: [ok("there", place="account 1, south")])

    result = tuppence("doctor", "--json")

    assert finding(result, "places")["detail"] == (
        "local is in 2 places: queue in account 1, south; store in account 1, north"
    )
    assert result.status == DONE


def test_the_mailer_is_told_whose_mails_it_will_send(tuppence, finds, folder):
    (folder / "tuppence.toml").write_text(
        'provider = "local"\n[report]\nsender = "bot@example.com"\nto = ["me@example.com"]\n',
        encoding="utf-8",
    )
    finds(LocalMailer, lambda sender, to: [note(f"{len(sender)} and {len(to)}")])

    result = tuppence("doctor", "--json")

    assert "15 and 1" in [one["detail"] for one in findings(result, "mailer")]


def test_mails_that_go_into_a_folder_are_a_note(tuppence, folder):
    (folder / "tuppence.toml").write_text(
        'provider = "local"\n[report]\nto = ["me@example.com"]\n', encoding="utf-8"
    )

    result = tuppence("doctor", "--json")

    told = [one["detail"] for one in findings(result, "mailer")]
    assert any("sent to nobody" in detail for detail in told)
    assert "me@example.com" not in result.stdout


def test_schedules_are_looked_for_until_the_worker_has_set_them(tuppence, runtime):
    before = tuppence("doctor", "--json")
    register(runtime.scheduler, runtime.config)
    after = tuppence("doctor", "--json")

    assert "drain, seal" in finding(before, "schedules")["detail"]
    assert "tuppence worker" in finding(before, "schedules")["mend"]
    assert all(one["part"] != "schedules" for one in after.json["findings"])


def test_a_disk_that_is_nearly_full_is_a_note(tuppence, monkeypatch):
    monkeypatch.setattr("tuppence.local.database.LITTLE", 2**62)

    result = tuppence("doctor", "--json")

    told = [one["detail"] for part in ("queue", "store") for one in findings(result, part)]
    assert sum("MiB are free" in detail for detail in told) == 2


def test_without_a_configuration_the_doctor_says_how_to_get_one(tuppence, folder):
    (folder / "tuppence.toml").unlink()

    result = tuppence("doctor", "--json")

    assert "tuppence init" in finding(result, "configuration")["mend"]


def test_a_clock_that_was_never_set_is_wrong(tuppence, clock):
    clock.advance(-timedelta(days=56 * 365))

    result = tuppence("doctor", "--json")

    assert finding(result, "clock")["state"] == "wrong"


def test_a_trigger_the_provider_does_not_have_is_refused_in_words(tuppence, folder):
    (folder / "tuppence.toml").write_text(
        'provider = "local"\n[pipeline]\ntrigger = "event"\n', encoding="utf-8"
    )

    result = tuppence("doctor", "--json")

    assert result.status == COULD_NOT
    assert 'trigger = "schedule"' in finding(result, "trigger")["mend"]


def test_a_journal_folder_that_cannot_be_made_is_wrong(tuppence, folder, monkeypatch):
    monkeypatch.setenv("TUPPENCE_CAPTURE__DIRECTORY", "/proc/journals")

    result = tuppence("doctor", "--json")

    assert finding(result, "journal")["state"] == "wrong"


def test_what_a_killed_process_left_is_found_and_drain_sends_it(tuppence, folder):
    (folder / "tuppence.toml").write_text('provider = "local"\nproject = "shop"\n', encoding="utf-8")
    subprocess.run([sys.executable, "-c", CAPTURE_AND_DIE, "tuppence.toml"], cwd=folder, check=False)

    before = tuppence("doctor", "--json")
    drained = tuppence("drain", "--json")
    after = tuppence("doctor", "--json")

    assert "1 dead process" in finding(before, "orphans")["detail"]
    assert drained.json["drained"]["segments"] == 1
    assert all(one["part"] != "orphans" for one in after.json["findings"])


def test_messages_that_nobody_drains_are_wrong(tuppence, folder, clock):
    subprocess.run([sys.executable, "-c", CAPTURE_AND_CLOSE], cwd=folder, check=True)

    clock.advance(timedelta(days=365))
    result = tuppence("doctor", "--json")

    assert finding(result, "drain")["state"] == "wrong"
    assert "worker" in finding(result, "drain")["mend"]


def test_a_mail_that_may_have_been_sent_or_not_is_left_to_a_person(tuppence, runtime, clock):
    claim = Claim(week="2026-W46", recipient=recipient_id("me@example.com"), at=clock.now())
    take(runtime.store, "shop", claim, deadline=Deadline.after(30, clock))
    clock.advance(timedelta(hours=1))

    result = tuppence("doctor", "--json")

    assert result.status == COULD_NOT
    assert "--week 2026-W46 --send --to ADDRESS" in finding(result, "mail")["mend"]
