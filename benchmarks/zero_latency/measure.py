"""Runs `tuppence bench` as anyone would."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from process import environment

REQUESTS = {True: 100, False: 2_000}
"""In each condition, by whether it is to be quick."""
PROVIDER = "aws"


def measure(*, quick: bool) -> dict[str, Any]:
    """Return what it prints for programs."""
    script = str(Path(sys.executable).with_name("tuppence"))
    command = [script, "bench", "--provider", PROVIDER, "--requests", str(REQUESTS[quick]), "--json"]
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            command, env=environment(Path(home)), cwd=home, check=False, capture_output=True, text=True
        )
    found: dict[str, Any] = json.loads(done.stdout)
    if "recorded" not in found:
        raise RuntimeError(f"tuppence bench: {found}")
    return found
