from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest


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
