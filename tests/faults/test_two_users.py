"""Another unix user on the same machine, where journals lie in the folder for temporary files."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from faults import two_users
from faults.processes import environment

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be two users")


@pytest.fixture
def folder():
    """A folder that both users can reach, which pytest's own are not."""
    made = Path(tempfile.mkdtemp(dir="/tmp"))  # where nothing on the way is private
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def run(trick, folder):
    done = subprocess.run(
        [sys.executable, two_users.__file__, trick, folder],
        check=True,
        capture_output=True,
        timeout=120,
        env=environment(),
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("trick", "reason"),
    [
        ("made_first", "belongs to another user"),
        ("link_to_a_folder", "is a link"),
        ("link_to_a_file", "is a link"),
        ("link_to_nothing", "is a link"),
        ("sticky_bit_missing", "without a sticky bit"),
    ],
)
def test_a_place_that_another_user_has_prepared_is_refused_and_that_is_said_once(folder, trick, reason):
    seen = run(trick, folder)

    assert seen["durable"] is False
    [warning] = seen["warnings"]
    assert "events are kept in memory" in warning
    assert reason in warning
    assert (seen["flushed"], seen["sent"]) == (True, 1)
    assert seen["visible"] == seen["planted"] == []
    assert seen["unchanged"] is True
    assert seen["home"] == ["letter", "photos", "tuppence.db"]


def test_a_folder_in_use_cannot_be_renamed_or_read(folder):
    seen = run("renamed", folder)

    assert (seen["durable"], seen["flushed"], seen["sent"]) == (True, True, 2)
    assert seen["visible"] == seen["planted"] == seen["warnings"] == []


def test_a_folder_that_becomes_another_users_while_a_process_runs_is_left_alone(folder):
    seen = run("removed_and_made_anew", folder)

    assert (seen["durable"], seen["sent"]) == (True, 1)
    assert any("belongs to another user" in warning for warning in seen["warnings"])
    assert seen["visible"] == seen["planted"] == []
    assert seen["unchanged"] is True
