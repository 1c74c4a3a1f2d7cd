"""What is printed reaches a stream of any encoding, and a reader that leaves early is no fault."""

import json
import os
import subprocess

import pytest

from cli.conftest import SCRIPT

TEXT = "¿Dónde está? 📦 可以"


@pytest.fixture
def narrow(folder, script):
    """Run a command whose standard streams have this encoding; return its bytes."""
    event = {"type": "question", "time": "2026-11-16T09:00:00Z", "data": {"text": TEXT}}
    assert script("import", "-", stdin=json.dumps(event) + "\n").status == 0
    script("worker", "--once")

    def run(encoding, *arguments):
        return subprocess.run(
            [SCRIPT, *arguments],
            check=False,
            cwd=folder,
            capture_output=True,
            env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
            timeout=120,
        )

    return run


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "ascii:strict"])
def test_a_narrow_stream_gets_utf8_documents_and_readable_text(narrow, encoding):
    week = ("report", "--week", "2026-W47", "--format")

    document = narrow(encoding, *week, "json")
    page = narrow(encoding, *week, "html")
    text = narrow(encoding, *week, "text")
    status = narrow(encoding, "status", "--json")

    assert [one.returncode for one in (document, page, text)] == [0, 0, 0], text.stderr
    assert json.loads(document.stdout)["topics"][0]["example"] == TEXT
    assert TEXT in page.stdout.decode("utf-8")
    assert b"?" in text.stdout
    assert json.loads(status.stdout)["project"] == "shop"


def test_a_reader_that_has_left_is_no_fault(narrow, folder):
    reader, writer = os.pipe()
    os.close(reader)

    done = subprocess.run(
        [SCRIPT, "report", "--week", "2026-W47", "--format", "html"],
        check=False,
        cwd=folder,
        stdout=writer,
        stderr=subprocess.PIPE,
        timeout=120,
    )
    os.close(writer)

    assert done.stderr == b""


def test_a_command_without_standard_output_does_its_work(folder):
    done = subprocess.run(
        ["/bin/sh", "-c", '"$0" providers >&-', SCRIPT],
        check=False,
        cwd=folder,
        capture_output=True,
        timeout=120,
    )

    assert (done.returncode, done.stderr) == (0, b"")
