"""What the lock file may name."""

import re
from pathlib import Path

LOCK = Path(__file__).parents[2] / "uv.lock"
PUBLIC = {"pypi.org", "files.pythonhosted.org"}


def test_the_lock_file_names_no_host_but_the_public_ones():
    hosts = set(re.findall(r"[a-z+]+://([^/\"']+)", LOCK.read_text(encoding="utf-8")))

    assert hosts <= PUBLIC


def test_the_lock_file_names_no_folder_of_this_machine():
    assert not re.search(r"file://|\"/[a-z]", LOCK.read_text(encoding="utf-8"))
