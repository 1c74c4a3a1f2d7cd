"""Where gevent or eventlet has replaced threads by greenlets, sending still has a thread of its own.

In a greenlet its work would hold up every other one, for tens of milliseconds.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from faults.queues import CONFIGURATION, received

PROGRAM = Path(__file__).with_name("greenlets.py")


@pytest.mark.parametrize("library", ["gevent", "eventlet"])
def test_sending_does_not_run_in_a_greenlet_of_the_application(tmp_path, library):
    (tmp_path / "tuppence.toml").write_text(CONFIGURATION)
    (tmp_path / "queue").mkdir()

    done = subprocess.run(
        [sys.executable, "-W", "ignore", PROGRAM, library, tmp_path],
        check=True, capture_output=True, text=True, timeout=120,
    )  # fmt: skip

    assert done.stdout.split() == ["True", "True", "1", "False"]
    assert len(received(tmp_path)[1]) == 501
