"""From a file to the report, with the real console script."""

from __future__ import annotations

import json

import pytest

from tuppence.cli.app import COULD_NOT, DONE, USAGE
from tuppence.event import MAX_EVENT_BYTES
from tuppence.pipeline.importer import MAX_REASONS

WEEK = "2026-W46"


def line(minute=0, **fields):
    event = {"type": "question", "time": f"2026-11-10T09:{minute:02}:00Z", "user": "u1"}
    return json.dumps(event | {"data": {"text": "Where is my order?", "outcome": "answered"}} | fields)


@pytest.fixture
def events(folder):
    """Write a file of these lines."""

    def write(*lines, name="events.ndjson"):
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
        return name

    return write


def totals(script):
    assert script("drain").status == DONE
    assert script("seal").status == DONE
    return json.loads(script("report", "--week", WEEK, "--format", "json").stdout)["totals"]


def test_a_file_becomes_a_report_and_the_same_file_under_another_name_changes_nothing(script, events):
    lines = [line(minute, user=f"u{minute % 3}") for minute in range(20)]

    first = script("import", events(*lines), "--json")
    counted = totals(script)
    again = script("import", events(*lines, name="other.ndjson"))

    assert (first.status, first.json["sent"], first.json["refused"]) == (DONE, 20, 0)
    assert (counted["events"], counted["questions"], counted["people"]) == (20, 20, 3)
    assert again.stdout == "20 events imported from 20 lines; 0 refused.\n"
    assert totals(script) == counted


def test_lines_that_are_no_events_are_named_and_the_rest_goes_on(tuppence, events):
    result = tuppence("import", events(line(), "{", line(1, time=None), line(2)))

    assert result.status == COULD_NOT
    assert result.stderr.splitlines()[0].startswith("line 2: not valid JSON")
    assert result.stderr.splitlines()[1] == "line 3: no `time`"
    assert result.stdout == "2 events imported from 4 lines; 2 refused.\n"


def test_a_file_that_is_named_so_is_read_as_csv(tuppence, events):
    rows = ("type,time,text", "question,2026-11-10T09:00:00Z,Where is my order?")

    read = tuppence("import", events(*rows, name="events.CSV"))
    told = tuppence("import", "--format", "ndjson", events(*rows, name="events.csv"))

    assert (read.status, read.stdout) == (DONE, "1 event imported from 1 line; 0 refused.\n")
    assert told.status == COULD_NOT


def test_json_lists_some_refusals_and_counts_all(tuppence, events):
    result = tuppence("import", events(*["{"] * 300), "--json")

    assert result.status == COULD_NOT
    assert result.json["refused"] == 300
    assert result.json["refusals"][0]["line"] == 1
    assert 0 < len(result.json["refusals"]) < 300


def test_one_reason_is_said_once_however_many_lines_it_costs(tuppence, events):
    result = tuppence("import", events(*["83.149.9.216 - - GET /"] * 10_000, line(), "[1]", "[2]"))

    assert result.status == COULD_NOT
    first, second = result.stderr.splitlines()
    assert first.startswith("lines 1, 2, 3, 4, 5 and 9,995 more: not valid JSON")
    assert second == "lines 10002 and 10003: not a JSON object"


def test_reasons_without_number_are_counted_and_few_are_said(tuppence, events):
    result = tuppence("import", events(*[line(**{f"key{number}": 1}) for number in range(500)]), "--json")

    reasons = result.json["reasons"]
    assert len(reasons) == MAX_REASONS + 1
    assert sum(reason["count"] for reason in reasons) == 500
    assert reasons[-1]["reason"] == "other reasons"


def test_every_refused_line_can_be_had_in_a_file(tuppence, folder, events):
    tuppence("import", events(*["{"] * 300), "--refused", "refused.ndjson")

    refused = [json.loads(row) for row in (folder / "refused.ndjson").read_text().splitlines()]
    assert [row["line"] for row in refused] == list(range(1, 301))


def test_events_of_a_very_old_or_a_coming_time_are_counted_apart(tuppence, events):
    old, future = line(time="2019-05-01T09:00:00Z"), line(time="2999-05-01T09:00:00Z")

    result = tuppence("import", events(old, line(), future, future))
    again = tuppence("import", events(old, line(), future, future), "--json")

    assert result.status == DONE
    assert "1 event older than the 800 days" in result.stderr
    assert "2 events in the future" in result.stderr
    assert (again.json["early"], again.json["future"], again.json["sent"]) == (1, 2, 4)


def test_standard_input_is_a_file_too(script):
    result = script("import", "-", stdin=line() + "\n")

    assert (result.status, result.stdout) == (DONE, "1 event imported from 1 line; 0 refused.\n")


def test_columns_that_are_no_field_go_into_the_data(script, events):
    name = events(
        "time,type,user,text,outcome", "2026-11-10T09:05:00Z,question,u2,Open today?,no_match", name="e.csv"
    )

    imported = script("import", "--format", "csv", name)

    assert imported.status == DONE, imported.stderr
    assert totals(script)["questions"] == 1


def test_a_line_without_an_end_is_refused_and_does_not_swallow_the_next(tuppence, events):
    result = tuppence("import", events("x" * 200_000, line()))

    assert result.stderr.splitlines() == [f"line 1: larger than {MAX_EVENT_BYTES} bytes"]
    assert result.stdout == "1 event imported from 2 lines; 1 refused.\n"


def test_a_refused_line_cannot_steer_the_terminal(tuppence, events):
    result = tuppence("import", events(line(**{"\x1b[2J": 1})))

    assert result.status == COULD_NOT
    assert "\x1b" not in result.stderr


def test_a_file_that_is_not_there_is_a_usage_error(tuppence):
    result = tuppence("import", "nowhere.ndjson")

    assert result.status == USAGE
    assert "nowhere.ndjson" in result.stderr


def test_a_queue_that_cannot_be_reached_loses_nothing_and_says_so(tuppence, folder, events):
    (folder / "tuppence.toml").write_text(
        'provider = "local"\n[queue]\npath = "missing/queue.db"\n', encoding="utf-8"
    )

    result = tuppence("import", events(line()), "--json")

    assert result.status == COULD_NOT
    assert result.json["error"]["message"].startswith("local queue.send")
