"""A file of another kind is answered with what it is and the line that imports it, which works as given."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest

from cli.conftest import PATIENCE, SCRIPT
from docs.reading import ROOT
from tuppence.cli.app import COULD_NOT, DONE
from tuppence.pipeline.exports import ACCESS_LOG, EXPORTS
from tuppence.pipeline.file_kinds import HEAD_BYTES

EVENT = {"type": "question", "time": "2026-11-10T09:00:00Z", "data": {"text": "Where is my order?"}}


def command_in(stderr):
    """Return the line that an import gave for a file of another kind."""
    [line] = [line.removeprefix("  Run: ") for line in stderr.splitlines() if line.startswith("  Run: ")]
    return line


@pytest.mark.skipif(shutil.which("jq") is None, reason="the program jq is not installed")
@pytest.mark.parametrize("name", ["list.json", "it's $HOME; a list.json"])
def test_the_line_that_is_given_imports_the_file(tuppence, folder, name):
    (folder / name).write_text(json.dumps([EVENT, EVENT]), encoding="utf-8")

    answer = tuppence("import", name)
    path = f"{SCRIPT.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["/bin/sh", "-c", command_in(answer.stderr)],
        check=False,
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )

    assert answer.status == COULD_NOT
    assert answer.stdout == ""
    assert answer.stderr.startswith(f"Error: {name} is a JSON array.\n")
    assert (done.returncode, done.stdout) == (DONE, "2 events imported from 2 lines; 0 refused.\n")


def test_json_says_it_too(tuppence, folder):
    (folder / "e.ndjson").write_bytes(json.dumps(EVENT).encode("utf-16"))

    answer = tuppence("import", "e.ndjson", "--json")

    assert answer.status == COULD_NOT
    assert "UTF-16" in answer.json["error"]["message"]
    assert "iconv" in answer.json["error"]["next"]


def test_standard_input_is_looked_at_too(script):
    answer = script("import", "-", stdin=json.dumps([EVENT]))

    assert answer.status == COULD_NOT
    assert answer.stderr.startswith("Error: standard input is a JSON array.\n")
    assert "jq -c '.[]' FILE | tuppence import -" in answer.stderr


@pytest.mark.parametrize("piped", [True, False])
def test_looking_at_the_beginning_takes_nothing_from_the_file(script, folder, piped):
    lines = [json.dumps({**EVENT, "data": {"text": "x" * (number % 97)}}) for number in range(1_500)]
    content = "\n".join(lines)
    assert len(content) > 2 * HEAD_BYTES
    (folder / "e.ndjson").write_text(content, encoding="utf-8")

    done = script("import", "-", stdin=content) if piped else script("import", "e.ndjson")

    assert (done.status, done.stdout) == (DONE, "1,500 events imported from 1,500 lines; 0 refused.\n")


def test_every_recipe_stands_in_the_how_to():
    page = (ROOT / "docs/how-to/import-events.md").read_text(encoding="utf-8")

    assert f"\n    {ACCESS_LOG}\n" in page
    for export in EXPORTS:
        forms = {export.command(), export.command(".[] | "), export.csv_command()}
        assert any(f"\n    {form}\n" in page for form in forms), export.name
