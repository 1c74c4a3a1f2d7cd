from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest

from tuppence.cli.app import COULD_NOT, DONE


def read(folder, name="report.json"):
    return json.loads((folder / name).read_text(encoding="utf-8"))


def told(report):
    """Return what must not depend on keys drawn at random."""
    return {name: report[name] for name in ("totals", "outcomes", "useful", "by_hour", "causes", "topics")}


def test_a_demo_leaves_a_report_and_says_where_in_its_last_line(script, folder, monkeypatch):
    monkeypatch.setenv("TUPPENCE_PROVIDER", "aws")

    result = script("demo", "--events", "48", "--output", "out")

    assert result.status == DONE, result.stderr
    assert result.stdout.splitlines()[-1] == "out/report.html"
    HTMLParser().feed((folder / "out/report.html").read_text(encoding="utf-8"))
    assert "Fernway".lower() in (folder / "out/report.txt").read_text(encoding="utf-8").lower()


def test_every_captured_event_is_counted_once_and_on_time(tuppence, folder):
    result = tuppence("demo", "--events", "48", "--json")

    report = read(folder / "demo")
    assert result.json["captured"] == 48 + 40
    assert (report["totals"]["events"], report["health"]["captured"]) == (48, 48)
    assert {report["health"][name] for name in ("lost", "late", "duplicates", "rejected")} == {0}
    assert report["trend"][0]["totals"]["events"] == 40


def test_the_same_seed_tells_the_same_story_again_in_the_same_folder(tuppence, folder):
    tuppence("demo", "--events", "24")
    first = told(read(folder / "demo"))
    tuppence("demo", "--events", "24")
    again = told(read(folder / "demo"))
    tuppence("demo", "--events", "24", "--seed", "2")
    other = told(read(folder / "demo"))

    assert first == again != other


def test_a_folder_with_something_else_in_it_is_left_alone(tuppence, folder):
    result = tuppence("demo", "--output", ".")

    assert result.status == COULD_NOT
    assert "--output DIR" in result.stderr
    assert (folder / "tuppence.toml").read_text(encoding="utf-8").startswith("provider")


def test_other_files_in_a_demos_folder_stay(tuppence, folder):
    tuppence("demo", "--events", "10")
    (folder / "demo/notes.txt").write_text("mine", encoding="utf-8")

    tuppence("demo", "--events", "10")

    assert (folder / "demo/notes.txt").read_text(encoding="utf-8") == "mine"


def test_the_demos_configuration_works_with_the_other_commands(tuppence):
    tuppence("demo", "--events", "30")

    status = tuppence("status", "--config", "demo/tuppence.toml", "--json").json

    assert (status["queue"]["messages"], status["waiting_hours"]) == (0, 0)


@pytest.mark.parametrize("number", ["0", "-5", "many"])
def test_a_number_of_events_that_makes_no_week_is_a_usage_error(tuppence, number):
    assert tuppence("demo", "--events", number).status == 2


def test_a_disabled_client_is_said_to_be_the_reason(tuppence, monkeypatch):
    monkeypatch.setenv("TUPPENCE_DISABLED", "1")

    result = tuppence("demo", "--events", "10")

    assert result.status == COULD_NOT
    assert "TUPPENCE_DISABLED" in result.stderr
