"""What the commands say when the time zone has been changed."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from tuppence.cli.app import DONE
from tuppence.clock import Deadline
from tuppence.pipeline import layout, records
from tuppence.pipeline.day_zone import SEEN_FOR


@pytest.fixture
def zone(folder):
    """Configure a time zone."""

    def zone(name):
        (folder / "tuppence.toml").write_text(
            f'provider = "local"\nproject = "shop"\ntimezone = "{name}"\n', encoding="utf-8"
        )

    return zone


@pytest.fixture
def counted(tuppence, send, batch):
    """Count two events by London's clock."""
    send(batch())
    assert tuppence("drain").status == DONE
    assert tuppence("seal").status == DONE


def said(tuppence):
    """Return what the doctor says of the time zone."""
    findings = tuppence("doctor", "--json").json["findings"]
    return [(one["state"], one["detail"]) for one in findings if one["part"] == "time zone"]


def test_a_zone_that_was_never_changed_is_not_worth_a_word(tuppence, counted):
    assert said(tuppence) == []


def test_the_doctor_says_that_a_new_zone_has_not_been_sealed_by(tuppence, counted, zone):
    zone("Asia/Tokyo")

    assert said(tuppence) == [
        ("note", "days are cut by Europe/London until something is sealed by Asia/Tokyo")
    ]


def test_the_doctor_says_when_all_has_been_counted_again(tuppence, counted, zone):
    zone("Asia/Kolkata")
    sealed = tuppence("seal", "--json").json["sealed"]

    assert sealed["recounted"] == 1
    assert said(tuppence) == [("ok", "everything is counted by Asia/Kolkata")]


def test_the_doctor_says_how_much_is_still_to_be_counted_again(tuppence, counted, zone, runtime):
    zone("Asia/Kolkata")
    tuppence("seal")
    marker = records.marker(layout.other_zone("shop", "2026111609"))
    runtime.store.put(marker, deadline=Deadline.after(60, runtime.clock))

    assert said(tuppence) == [("note", "1 hour still to be counted again by Asia/Kolkata")]


def test_what_cannot_be_counted_again_is_named_by_the_doctor_and_the_report(tuppence, counted, zone, clock):
    clock.advance(timedelta(days=31))
    zone("Asia/Kolkata")
    tuppence("seal")

    [(state, detail)] = said(tuppence)
    report = tuppence("report", "--week", "2026-W47", "--format", "json")

    assert state == "note"
    assert detail.startswith("1 day of the last 62 stay counted by Europe/London")
    assert json.loads(report.stdout)["period"]["counted_by"] == ["Europe/London"]
    assert "by the clock of Europe/London; the time zone is now Asia/Kolkata" in report.stderr


def test_whoever_sets_the_zone_back_is_told_when_that_takes_effect(tuppence, counted, zone, clock):
    zone("Asia/Kolkata")
    tuppence("seal")
    zone("Europe/London")
    tuppence("seal")

    [(state, detail)] = said(tuppence)

    assert state == "note"
    assert detail.startswith("days are cut by Asia/Kolkata, which another process")
    clock.advance(SEEN_FOR)
    tuppence("seal")
    assert said(tuppence) == [("ok", "everything is counted by Europe/London")]
