from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

from tuppence.cli.app import COULD_NOT, DONE
from tuppence.clock import Deadline
from tuppence.report.claims import Claim, recipient_id, take

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


def finding(result, part):
    found = [one for one in result.json["findings"] if one["part"] == part]
    assert found, result.json
    return found[0]


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
