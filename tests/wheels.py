"""The distribution as its users get it: built, and installed into environments of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("TUPPENCE_", "PYTHON"))}
CLEAN |= {"UV_PYTHON_DOWNLOADS": "never", "SOURCE_DATE_EPOCH": "1794819600"}
OLDEST = 11
NEWEST_LOOKED_FOR = 20
VERSION = "import sys; print(*sys.version_info[:2], sys.version_info.releaselevel)"
PATIENCE = 300
"""Seconds after which a program that hangs fails its test."""


def found_pythons():
    """Return a released interpreter for each minor version that is on the path or kept by pyenv."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = {f"3.{sys.version_info.minor}": sys.executable}
    for minor in range(OLDEST, NEWEST_LOOKED_FOR):
        named = [shutil.which(f"python3.{minor}"), *sorted(pyenv.glob(f"3.{minor}.*/bin/python3"))]
        for python in filter(None, named):
            told = subprocess.run(
                [python, "-c", VERSION], check=False, capture_output=True, text=True, env=CLEAN
            )
            if told.stdout.split() == ["3", f"{minor}", "final"]:
                found.setdefault(f"3.{minor}", str(python))
    return found


def uv(*arguments):
    subprocess.run([ROOT / ".tools/bin/uv", *arguments, "--quiet"], cwd=ROOT, check=True, env=CLEAN)


def build(folder, *options):
    """Build into a folder; return the files by suffix, `.whl` and `.gz`."""
    uv("build", "--package", "tuppence", "--out-dir", folder, *options)
    return {path.suffix: path for path in folder.iterdir() if path.suffix in {".whl", ".gz"}}


class Environment:
    """A clean virtual environment below a folder, which is also where its programs run."""

    def __init__(self, folder, python):
        self.folder = folder
        self.scripts = folder / "venv" / "bin"
        self.python = self.scripts / "python"
        uv("venv", "--python", python, folder / "venv")

    def install(self, *arguments):
        uv("pip", "install", "--python", self.python, *arguments)

    def run(self, program, *arguments, status=frozenset({0}), cwd=None):
        """Run a program of the environment, its warnings being errors; return what it printed."""
        done = subprocess.run(
            [self.scripts / program, *map(str, arguments)],
            check=False,
            cwd=cwd or self.folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env=CLEAN | {"PYTHONWARNINGS": "error", "XDG_STATE_HOME": str(self.folder / "state")},
        )
        assert done.returncode in status, done.stdout + done.stderr
        return done.stdout
