"""Files of other kinds: each is recognised, and the line that is given for it makes events of it."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import shlex
import shutil
import sqlite3
import subprocess
import sys
import zipfile

import pytest

from tuppence.pipeline.exports import EXPORTS
from tuppence.pipeline.file_kinds import HEAD_BYTES, other_kind

LINE = '{"type":"signup","time":"2026-11-16T09:00:00Z"}\n'
ROWS = "time,type\n2026-11-16T09:00:00Z,signup\n"
PRETTY = json.dumps(json.loads(LINE), indent=2) + "\n"
COMMAND_PATIENCE_S = 60

needs_jq = pytest.mark.skipif(shutil.which("jq") is None, reason="the program jq is not installed")


def zipped(name, text):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr(name, text)
    return held.getvalue()


def events_of(command, path):
    """Run what comes before the import in a command, and return the events it prints."""
    shell, _, rest = command.replace("FILE", shlex.quote(str(path))).rpartition(" | ")
    assert rest.startswith("tuppence import -")
    done = subprocess.run(
        ["/bin/sh", "-c", shell],
        check=True,
        capture_output=True,
        timeout=COMMAND_PATIENCE_S,
        encoding="utf-8",
    )
    if "--format csv" in rest:
        head, *rows = done.stdout.splitlines()
        return [dict(zip(head.split(","), row.split(","), strict=True)) for row in rows]
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    "head",
    [
        LINE,
        LINE * 3,
        "\n\n" + LINE,
        "\ufeff" + LINE,
        "\x1e" + LINE,
        "{broken\n" + LINE,
        "{\n{\n{\n",
        "not json\n" + LINE,
        '["a", "list"]\n' + LINE,
        '{"type": "x", "time": "2026-11-10T09:00:00Z"\n' + LINE,
        "not json at all",
        "",
    ],
)
def test_lines_of_json_are_no_other_kind_not_even_with_a_bad_first_line(head):
    assert other_kind(head.encode(), csv=False) is None


@pytest.mark.parametrize(
    "head", [ROWS, ROWS.replace(",", ";"), ROWS.replace(",", "\t"), "Type , TIME\n", "\ufeff" + ROWS]
)
def test_rows_with_a_time_and_a_type_are_no_other_kind(head):
    assert other_kind(head.encode(), csv=True) is None
    assert other_kind(head.encode(), csv=False).command == "tuppence import --format csv FILE"


def test_json_in_a_file_named_csv_is_named():
    assert other_kind(LINE.encode(), csv=True).command == "tuppence import --format ndjson FILE"


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (gzip.compress(LINE.encode(), mtime=0), "gzip"),
        (gzip.compress(ROWS.encode(), mtime=0), "gzip"),
        (zipped("events.csv", ROWS), "zip"),
        (zipped("events.ndjson", LINE), "zip"),
        (bz2.compress(LINE.encode()), "bzip2"),
        (lzma.compress(LINE.encode()), "xz"),
        (LINE.encode("utf-16"), "UTF-16"),
        (ROWS.encode("utf-16"), "UTF-16"),
        (b"\xfe\xff" + LINE.encode("utf-16-be"), "UTF-16"),
        (LINE.encode("utf-16-le"), "UTF-16LE"),
        (ROWS.encode("utf-16-be"), "UTF-16BE"),
        (LINE.encode("utf-32"), "UTF-32"),
        (f"[{LINE}]".encode(), "a JSON array"),
        (f"[\n{LINE},\n{LINE}]\n".encode(), "a JSON array"),
        (PRETTY.encode(), "several lines"),
        ((PRETTY * 3).encode(), "several lines"),
    ],
    ids=range(16),
)
def test_another_kind_of_file_is_named_and_its_command_gives_the_events(tmp_path, content, word):
    found = other_kind(content[:HEAD_BYTES], csv=False)

    assert word in found.name
    program = found.command.partition(" ")[0]
    if shutil.which(program) is None:
        pytest.skip(f"the program {program} is not installed")
    path = tmp_path / "a file's name"
    path.write_bytes(content)
    assert {"type": "signup", "time": "2026-11-16T09:00:00Z"} in events_of(found.command, path)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"PAR1\x15\x04", "Parquet"),
        (b"\x28\xb5\x2f\xfd\x04", "Zstandard"),
        (zipped("xl/workbook.xml", "<x/>"), "Excel"),
        (b"\x1f\x8b broken", "gzip"),
    ],
    ids=["Parquet", "Zstandard", "Excel", "gzip"],
)
def test_what_no_program_of_this_machine_makes_is_recognised_by_its_first_bytes(content, word):
    assert word in other_kind(content, csv=False).name


def test_a_database_is_recognised(tmp_path):
    with sqlite3.connect(tmp_path / "events.db") as connection:
        connection.execute("create table events (time, type)")
    connection.close()

    assert "SQLite" in other_kind((tmp_path / "events.db").read_bytes()[:HEAD_BYTES], csv=False).name


MESSAGES = json.dumps(
    {"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "Open on Sunday?"}]}
)
SAMPLES = {
    "Langfuse": {
        "id": "t1",
        "timestamp": "2026-11-16T09:00:00.5Z",
        "userId": "ann",
        "sessionId": "s1",
        "name": "chat",
        "input": MESSAGES,
        "output": "Yes.",
        "latency": "1.5",
        "inputTokens": "12",
        "outputTokens": "3",
    },
    "PostHog": {
        "uuid": "u-1",
        "event": "asked",
        "timestamp": "2026-11-16 09:00:00.5+00:00",
        "distinct_id": "ann",
        "properties": '{"question": "Open on Sunday?", "$session_id": "s1"}',
    },
    "ChatGPT": {
        "conversation_id": "s1",
        "create_time": 1794819600.5,
        "mapping": {
            "root": {"message": None},
            "a": {
                "message": {
                    "id": "m1",
                    "author": {"role": "user"},
                    "create_time": 1794819600.5,
                    "content": {"parts": ["Open on Sunday?", {"image": 1}]},
                }
            },
            "b": {
                "message": {
                    "id": "m2",
                    "author": {"role": "assistant"},
                    "create_time": 1794819601.5,
                    "content": {"parts": ["Yes."]},
                }
            },
        },
    },
    "Zendesk": {
        "id": 7,
        "created_at": "2026-11-16T09:00:00Z",
        "type": "question",
        "subject": "Hours",
        "requester_id": 5,
        "description": "Open on Sunday?",
        "satisfaction_rating": {"score": "bad"},
    },
    "Intercom": {
        "Conversation ID": "9",
        "Conversation started at (UTC)": "2026-11-16 09:00",
        "First message": "Open on Sunday?",
        "User ID": "ann",
        "Channel": "Chat",
        "CSAT": "2",
    },
    "OpenAI": {
        "id": "c1",
        "object": "chat.completion",
        "created": 1794819600,
        "model": "m-1",
        "choices": [{"finish_reason": "content_filter"}],
        "usage": {"prompt_tokens": 4, "completion_tokens": 2},
    },
    "Segment": {
        "messageId": "x1",
        "type": "track",
        "timestamp": "2026-11-16T09:00:00Z",
        "userId": None,
        "anonymousId": "ann",
        "properties": {"text": "Open on Sunday?"},
        "event": "Asked",
    },
}
DATA = {
    "Langfuse": {"outcome": "answered", "latency_ms": 1500, "input_tokens": 12, "output_tokens": 3},
    "Zendesk": {"useful": False},
    "Intercom": {"useful": False},
    "OpenAI": {"model": "m-1", "outcome": "refused", "input_tokens": 4, "output_tokens": 2},
}


def as_csv(sample):
    import csv

    held = io.StringIO()
    writer = csv.DictWriter(held, list(sample))
    writer.writeheader()
    writer.writerow(sample)
    return held.getvalue()


FORMS = {
    "lines": lambda sample: json.dumps(sample) + "\n",
    "array": lambda sample: json.dumps([sample, sample], indent=1),
    "pretty": lambda sample: json.dumps(sample, indent=2),
    "csv": as_csv,
}


@needs_jq
@pytest.mark.parametrize(
    ("product", "form"),
    [
        (product, form)
        for product, sample in SAMPLES.items()
        for form in FORMS
        if form != "csv" or all(isinstance(value, str) for value in sample.values())
    ],
)
def test_an_export_of_another_product_becomes_questions(tmp_path, product, form):
    sample = SAMPLES[product]
    path = tmp_path / "export"
    path.write_text(FORMS[form](sample), encoding="utf-8")

    found = other_kind(path.read_bytes()[:HEAD_BYTES], csv=form == "csv")
    assert product in found.name
    event = events_of(found.command, path)[0]

    assert event["type"] == "question"
    assert event["time"].startswith("2026-11-16")
    assert str(event["id"])
    assert {key: value for key, value in event["data"].items() if value is not None} == (
        {} if product == "OpenAI" else {"text": "Open on Sunday?"}
    ) | DATA.get(product, {})


def test_every_export_has_a_sample():
    assert len(SAMPLES) == len(EXPORTS)


@needs_jq
@pytest.mark.parametrize("product", ["PostHog", "ChatGPT"])
def test_what_is_no_question_is_left_out_of_an_export(tmp_path, product):
    sample = {**SAMPLES[product], "properties": '{"page": "/"}'}
    if product == "ChatGPT":
        sample["mapping"] = {"b": SAMPLES[product]["mapping"]["b"]}
    path = tmp_path / "export"
    path.write_text(json.dumps(sample), encoding="utf-8")

    assert events_of(other_kind(path.read_bytes(), csv=False).command, path) == []


@needs_jq
def test_an_array_longer_than_what_is_looked_at_is_still_recognised(tmp_path):
    long = {**SAMPLES["Langfuse"], "metadata": {"text": "x" * 2 * HEAD_BYTES}}
    path = tmp_path / "export"
    path.write_text(json.dumps([long]), encoding="utf-8")

    found = other_kind(path.read_bytes()[:HEAD_BYTES], csv=False)

    assert "Langfuse" in found.name
    assert events_of(found.command, path)[0]["data"]["text"] == "Open on Sunday?"


@needs_jq
def test_an_access_log_becomes_requests_and_no_line_is_lost(tmp_path):
    path = tmp_path / "access.log"
    path.write_text(
        '192.0.2.1 - ann [17/Nov/2026:10:05:03 +0100] "GET /search?q=me HTTP/1.1" 404 12 "-" "agent"\n'
        '192.0.2.1 - - [17/Nov/2026:10:05:04 +0100] "\\x16\\x03" 400 0 "-" "-"\n',
        encoding="utf-8",
    )

    found = other_kind(path.read_bytes(), csv=False)

    assert events_of(found.command, path) == [
        {
            "type": "request",
            "time": "2026-11-17T10:05:03+0100",
            "data": {"method": "GET", "route": "/search", "status": 404},
        },
        {},
    ]


@needs_jq
def test_csv_of_other_columns_comes_with_a_line_to_fill_in(tmp_path):
    path = tmp_path / "any.csv"
    path.write_text("When it's asked,What\n2026-11-16T09:00:00Z,Open on Sunday?\n", encoding="utf-8")

    found = other_kind(path.read_bytes(), csv=True)

    assert "`time` and `type`" in found.name
    assert events_of(found.command, path) == [
        {"type": "question", "time": "2026-11-16T09:00:00Z", "data": {"text": "Open on Sunday?"}}
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100, HEAD_BYTES])
@pytest.mark.parametrize("csv", [True, False])
def test_no_beginning_whatever_is_in_it_is_an_error(size, csv):
    for start in (
        b"\x1f\x8b",
        b"PK\x03\x04",
        b"\xff\xfe",
        b"[",
        b"{",
        b'{"a":',
        b"\0",
        b"\xff",
        b'"',
        b"a,b\n",
        b"[",
    ):
        other_kind((start * size)[:HEAD_BYTES], csv=csv)
    assert sys.getrecursionlimit() > 0
