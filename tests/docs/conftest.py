from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from docs.reading import ROOT


@pytest.fixture
def environment(tmp_path):
    """The environment of a reader who has installed tuppence and set nothing."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TUPPENCE_")}
    scripts = Path(sys.executable).parent
    return kept | {
        "PATH": f"{scripts}{os.pathsep}{kept['PATH']}",
        "HOME": str(tmp_path),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "TZ": "Europe/London",
        "SMTP_PASSWORD": "secret",
    }


@pytest.fixture
def own_environment(tmp_path_factory, environment):
    """The same, with tuppence and its contract tests in a virtual environment that may be changed."""
    folder = tmp_path_factory.mktemp("reader") / "venv"
    python = folder / "bin" / "python"
    uv(["venv", "--seed", "--python", sys.executable, folder])
    uv(["pip", "install", "--python", python, f"{ROOT / 'core'}[testing]"])
    return environment | {"PATH": f"{python.parent}{os.pathsep}{environment['PATH']}"}


def uv(arguments):
    quiet = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}
    subprocess.run([ROOT / ".tools/bin/uv", *arguments, "--quiet"], check=True, env=quiet)
