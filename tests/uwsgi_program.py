"""uWSGI as a program. No distribution needs it; tests start it, so it is built apart from everything else.

It is under the GPL, with an exception for what is linked to it. Nothing here is: it is run, and not shipped.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
VERSION = "2.0.31"
DIGEST = "sha256:e8f8b350ccc106ff93a65247b9136f529c14bf96b936ac5b264c6ff9d0c76257"
BUILDING_TIMEOUT_S = 500


def uwsgi_program():
    """Return the program's path, built from its source the first time, for this Python."""
    if not (shutil.which("cc") or shutil.which("gcc")):
        pytest.skip("uWSGI is built from its source, which needs a C compiler")
    folder = ROOT / ".tools" / f"uwsgi-{VERSION}-{sys.implementation.cache_tag}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "bin" / "uwsgi").exists():
            _build(folder)
    return folder / "bin" / "uwsgi"


def environment_of_uwsgi():
    """Return an environment in which it imports what this interpreter can."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def _build(folder):
    needed = folder / "requirements.txt"
    needed.write_text(f"uwsgi=={VERSION} --hash={DIGEST}\n", encoding="utf-8")
    command = [ROOT / ".tools/bin/uv", "pip", "install", "--quiet", "--require-hashes", "--no-deps"]
    subprocess.run(
        [*command, "--python", sys.executable, "--target", folder, "--requirements", needed],
        check=True, timeout=BUILDING_TIMEOUT_S, env=os.environ | {"UV_PYTHON_DOWNLOADS": "never"},
    )  # fmt: skip
