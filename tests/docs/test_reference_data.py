"""Holds to the code what is said of stored data and of the JSON that commands print."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from docs.reading import ROOT, names, page, section, tables
from tuppence import Client
from tuppence.capture import journal, places, set_aside, state
from tuppence.pipeline import layout

GOOD = '{"type":"signup","time":"2026-11-16T09:00:00Z","user":"u1"}\n'
SEND = """
from tuppence.clock import Deadline
from tuppence.config import load
from tuppence.drivers import Message
from tuppence.runtime import Runtime
with Runtime(load()) as runtime:
    runtime.queue.send([Message(id="x", body=b"nonsense")], deadline=Deadline.after(10))
"""
CONFIGURATION = """
provider = "local"
project = "shop"
[report]
to = ["me@example.com"]
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A project in which everything has happened that a command can tell of."""
    folder = tmp_path_factory.mktemp("world")
    (folder / "tuppence.toml").write_text(CONFIGURATION, encoding="utf-8")
    (folder / "mixed.ndjson").write_text(GOOD + "no event\n", encoding="utf-8")
    broken = folder / "broken-1.0.dist-info"
    broken.mkdir()
    (broken / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n", encoding="utf-8")
    (broken / "entry_points.txt").write_text("[tuppence]\nbroken = no.such.module\n", encoding="utf-8")
    with Client(folder / "tuppence.toml", capture={"directory": str(folder / "journals")}) as client:
        client.capture("signup", user="u1")
    return folder


@pytest.fixture(scope="module")
def told(world):
    """What each command prints with `--json`, in an order in which each has something to tell."""
    environment = {"PATH": str(Path(sys.executable).parent), "HOME": str(world), "PYTHONPATH": str(world)}
    environment["TUPPENCE_CAPTURE__DIRECTORY"] = str(world / "journals")

    def run(*command):
        done = subprocess.run(
            command, check=False, cwd=world, env=environment, capture_output=True, text=True
        )
        return done.stdout

    def document(*arguments):
        return json.loads(run(str(Path(sys.executable).with_name("tuppence")), *arguments, "--json"))

    printed = {
        "init": document("init", "--config", "other.toml"),
        "import": document("import", "mixed.ndjson"),
        "demo": document("demo", "--events", "20", "--output", "shown"),
    }
    run(sys.executable, "-c", SEND)
    for name in ("drain", "seal", "dead list", "providers"):
        printed[name] = document(*name.split())
    letter = printed["dead list"]["dead_letters"][0]["id"]
    printed["dead show"] = document("dead", "show", letter)
    printed["dead replay"] = document("dead", "replay", "--all")
    for name in ("status", "doctor", "purge", "completion bash", "report --send --to you@example.com"):
        printed[name] = document(*name.split())
    printed["bench"] = document("bench", "--requests", "10")
    environment["TUPPENCE_QUEUE__PATH"] = "missing/tuppence.db"
    printed["status"]["problems"] = document("status")["problems"]
    printed["worker"] = document("worker", "--once")
    return printed


def paths(value, at=""):
    """Yield the way to each value of a document: `a.b`, `a[].b`."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from paths(inner, f"{at}.{key}" if at else key)
    elif isinstance(value, list):
        for inner in value or [None]:
            yield from paths(inner, f"{at}[]")
    else:
        yield at


def is_field(path, field):
    """Whether a path is that of a documented field, in which `<…>` stands for any name."""
    parts = re.split(r"(<.+?>)", field)
    return re.fullmatch("".join(".+" if part.startswith("<") else re.escape(part) for part in parts), path)


def is_described(path, fields):
    """Whether a path is documented, or what stands below it where nothing is there."""
    return any(is_field(path, field) or field.startswith(f"{path}.") for field in fields)


COMMANDS = [
    "demo", "init", "doctor", "providers", "import", "drain", "seal", "purge", "worker", "report", "status",
    "dead list", "dead show", "dead replay", "bench", "completion",
]  # fmt: skip


DEPLOYING = {"deploy", "destroy"}
"""They need an account, or what stands for one: `tests/cli/test_deploy.py` looks at what they print."""


@pytest.mark.parametrize("command", COMMANDS)
def test_each_field_that_a_command_prints_is_described_and_none_that_it_does_not(told, command):
    fields = [
        name
        for cells in tables(section(page("commands-json.md"), f"`tuppence {command}`"))
        for name in names(cells[0])
    ]
    printed = next(document for name, document in told.items() if name.startswith(command))

    found = set(paths(printed))
    assert [path for path in found if not is_described(path, fields)] == []
    assert [field for field in fields if not any(is_field(path, field) for path in found)] == []


def test_each_command_with_a_document_is_described():
    described = re.findall(r"^## `tuppence (.+)`$", page("commands-json.md"), re.MULTILINE)
    known = re.findall(r"^## `tuppence (.+)`$", page("cli.md"), re.MULTILINE)

    assert described == known
    assert set(described) - set(COMMANDS) == DEPLOYING


def test_each_unit_is_described():
    described = {names(cells[0])[0] for cells in tables(section(page("commands-json.md"), "Units"))}

    sources = (path.read_text(encoding="utf-8") for path in (ROOT / "core/src").rglob("*.py"))
    counted = {unit for text in sources for unit in re.findall(r'meter\.count\(\s*"([^"]+)"', text)}
    assert described == counted


def test_each_place_in_the_store_is_described():
    described = {
        (names(cells[0])[0], sort)
        for cells in tables(section(page("stored-data.md"), "Records in the store"))
        if len(cells) == 4
        for sort in names(cells[1])
    }

    project, hour, day = "<project>", "2026111609", date(2026, 11, 16)
    keys = [
        layout.segment(project, hour, "<batch id>"),
        layout.dirty_hour(project, hour),
        layout.dirty_day(project, day),
        layout.other_zone(project, hour),
        layout.hour(project, hour),
        layout.texts(project, hour),
        layout.day(project, day),
        layout.dead(project, "<id>"),
        layout.sent(project, "2026-W46", "<recipient>"),
        layout.meter(project, "202611", "<component>"),
        layout.state(project, "<name>"),
        layout.heartbeat(project, "<job>"),
    ]
    assert described == {(key.partition, key.sort) for key in keys}


def test_what_a_project_stores_lies_where_it_is_said_to_with_the_attributes_named(world, told):
    text = section(page("stored-data.md"), "Records in the store")
    partitions = {names(cells[0])[0].split(".")[1] for cells in tables(text) if len(cells) == 4}
    attributes = {name for cells in tables(text) if len(cells) == 2 for name in names(cells[1])}

    with sqlite3.connect(world / "tuppence.db") as connection:
        found = connection.execute("SELECT partition, attributes FROM records").fetchall()
    connection.close()
    assert {partition.split(".")[1] for partition, _ in found} <= partitions
    assert {name for _, one in found for name in json.loads(one) if not name.startswith("tp_")} <= attributes


def test_each_table_of_the_local_database_is_described(world, told):
    described = {
        names(cells[0])[0]: names(cells[1])
        for cells in tables(section(page("stored-data.md"), "The local database"))
    }

    with sqlite3.connect(world / "tuppence.db") as connection:
        tables_there = [
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
            if not name.startswith("sqlite_")
        ]
        columns = {
            name: [row[1] for row in connection.execute(f"PRAGMA table_info({name})")]
            for name in tables_there
        }
    connection.close()
    assert described == columns


def test_each_file_of_a_journal_is_described(tmp_path):
    described = {names(cells[0])[0] for cells in tables(section(page("stored-data.md"), "Journals"))}
    known = {
        places.SENDER_LOCK,
        f"<instance>/{places.OWNER_LOCK}",
        f"<instance>/00000001{journal.SUFFIX}",
        f"<instance>/{state.STATE_FILE}",
        f"<instance>/<batch id>{state.BATCH_SUFFIX}",
        f"{set_aside.SET_ASIDE}/<batch id>{set_aside.BATCH_SUFFIX}",
        f"{set_aside.SET_ASIDE}/<batch id>{set_aside.REASON_SUFFIX}",
        f"{set_aside.SET_ASIDE}/{set_aside.REMOVALS}",
    }
    client = Client(
        provider="local", project="shop", capture={"directory": str(tmp_path)}, queue={"path": "missing/x.db"}
    )
    client.capture("signup")
    for _ in range(100):
        if any(tmp_path.rglob(places.SENDER_LOCK)):
            break
        client.flush(timeout=0.5)  # until the sender has begun
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    client.close(timeout=0)

    assert described == known | {"<project>-<destination>/", "<instance>/"}
    shapes = {re.sub(r"[0-9a-f]{32}", "<batch id>", "/".join(file.split("/")[1:])) for file in files}
    shapes = {re.sub(r"^[a-z]{14}\.[a-z]{14}/", "<instance>/", shape) for shape in shapes}
    assert shapes <= known
    assert {
        places.SENDER_LOCK,
        f"<instance>/{places.OWNER_LOCK}",
        f"<instance>/00000001{journal.SUFFIX}",
    } <= shapes
