"""Runs the application of the guide to forking servers under real ones."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from urllib.request import urlopen

import pytest

from docs.reading import ROOT, blocks
from uwsgi_program import environment_of_uwsgi, uwsgi_program

GUIDE = ROOT / "docs/how-to/run-under-a-forking-server.md"
PATIENCE = 60
ADDRESS = re.compile(r"(?:http://|bound to TCP address )(127\.0\.0\.1:[1-9]\d+)")
NOTHING_LOST = {
    "lost": 0,
    "dropped": 0,
    "refused": 0,
    "set_aside": 0,
    "ignored": 0,
    "silent": [],
    "claimed": 0,
    "uncertain": 0,
}
UWSGI = {
    "default options": ["--module", "app:app", "--master", "--processes", "3"],
    "recommended options": ["--ini", "uwsgi.ini"],
}


@pytest.fixture
def folder(tmp_path):
    for _, file, block in blocks(GUIDE):
        if file:
            (tmp_path / file).write_text(block, encoding="utf-8")
    return tmp_path


def answers_of(command, folder, environment, stop, count):
    """Return what a server answered, and stop it."""
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            address = next(found[1] for line in server.stderr if (found := ADDRESS.search(line)))
            answers = [urlopen(f"http://{address}/", timeout=PATIENCE).read() for _ in range(count)]
        finally:
            server.send_signal(stop)
        server.communicate(timeout=PATIENCE)
    return answers


def counted(folder, environment):
    """Return what `tuppence status` says when everything has been counted."""

    def tuppence(*arguments):
        return subprocess.run(
            ["tuppence", *arguments], check=True, cwd=folder, env=environment, capture_output=True, text=True
        ).stdout

    tuppence("worker", "--once")
    return json.loads(tuppence("status", "--json"))


@pytest.mark.parametrize("options", [["--preload"], []], ids=["made before the fork", "made in each worker"])
def test_what_is_captured_under_gunicorn_arrives_once(folder, environment, options):
    command = ["gunicorn", "app:app", *options, "--workers", "2", "--bind", "127.0.0.1:0"]
    answers = answers_of(command, folder, environment, signal.SIGTERM, 4)

    status = counted(folder, environment)

    assert answers == [b"Yes."] * 4
    started = status["events"] - 4 - 4  # each question, and each request that brought it
    assert started in ({1} if options else {1, 2})  # gunicorn may be stopped before its second worker starts
    assert status["loss"] == NOTHING_LOST


@pytest.mark.parametrize("options", UWSGI.values(), ids=UWSGI)
def test_what_is_captured_under_uwsgi_arrives_once(folder, environment, options):
    paths = {"PYTHONPATH": os.pathsep.join([str(folder), environment_of_uwsgi()["PYTHONPATH"]])}
    command = [uwsgi_program(), *options, "--http-socket", "127.0.0.1:0"]
    answers = answers_of(command, folder, environment | paths, signal.SIGINT, 30)

    status = counted(folder, environment)

    assert answers == [b"Yes."] * 30
    assert status["events"] == 1 + 30 + 30  # the start, each question, and each request that brought it
    assert status["loss"] == NOTHING_LOST
