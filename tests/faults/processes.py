"""Programs that tests start, and what capturing ones were promised."""

import os
import subprocess
import sys
from pathlib import Path

CAPTURING = Path(__file__).with_name("capturing.py")


def environment():
    """Return an environment in which a started program finds these helpers."""
    paths = [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}


def start(folder, count, out):
    """Start a process that captures `count` events and writes the number of each to the file `out`."""
    with out.open("wb") as stream:
        return subprocess.Popen(
            [sys.executable, CAPTURING, folder, str(count)], stdin=subprocess.PIPE, stdout=stream
        )


def last_number(out):
    """Return the number of the last event that was accepted before the process died; 0 for none."""
    lines = out.read_bytes().split(b"\n")
    whole = [line for line in lines[:-1] if line != b"done"]
    return int(whole[-1]) if whole else 0
