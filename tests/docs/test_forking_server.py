"""Runs the application of the guide to forking servers under a real one."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from urllib.request import urlopen

import pytest

from docs.reading import ROOT, blocks

GUIDE = ROOT / "docs/how-to/run-under-a-forking-server.md"
PATIENCE = 60


@pytest.fixture
def folder(tmp_path):
    for _, file, block in blocks(GUIDE):
        if file:
            (tmp_path / file).write_text(block, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("options", [["--preload"], []], ids=["made before the fork", "made in each worker"])
def test_what_is_captured_under_gunicorn_arrives_once(folder, environment, options):
    def tuppence(*arguments):
        return subprocess.run(
            ["tuppence", *arguments], check=True, cwd=folder, env=environment, capture_output=True, text=True
        ).stdout

    command = ["gunicorn", "app:app", *options, "--workers", "2", "--bind", "127.0.0.1:0"]
    with subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True) as server:
        try:
            address = next(found[0] for line in server.stderr if (found := re.search(r"http://\S+", line)))
            answers = [urlopen(address, timeout=PATIENCE).read() for _ in range(4)]
        finally:
            server.send_signal(signal.SIGTERM)
        server.communicate(timeout=PATIENCE)
    tuppence("worker", "--once")
    told = json.loads(tuppence("status", "--json"))

    assert answers == [b"Yes."] * 4
    started = told["events"] - 4 - 4  # each question, and each request that brought it
    assert started in ({1} if options else {1, 2})  # gunicorn may be stopped before its second worker starts
    assert told["loss"] == {"lost": 0, "dropped": 0, "refused": 0, "ignored": 0, "silent": []}
