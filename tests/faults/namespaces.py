"""Disks and process numbers of a process's own, by `unshare`, where the machine permits that."""

import subprocess
import sys
from functools import cache

import pytest

from faults.processes import environment

TMPFS = 'mount -t tmpfs -o size=4m none "$0" && exec "$@"'
READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'


@cache
def permitted():
    """Whether a process may make a user namespace with mounts and process numbers of its own."""
    command = ["unshare", "-rm", "--pid", "--fork", "true"]
    try:
        return subprocess.run(command, check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


needed = pytest.mark.skipif(not permitted(), reason="needs user namespaces, see CONTRIBUTING.md")


def run_on_disk(kind, disk, *program):
    """Run a Python program that sees at the folder `disk` a disk of its own; return what it prints."""
    command = ["unshare", "-rm", "sh", "-c", kind, disk, sys.executable, *program]
    finished = subprocess.run(command, check=True, timeout=60, stdout=subprocess.PIPE, env=environment())
    return finished.stdout.decode()
