"""A process forks in every state of its client; parents and children count each event once.

By Python's own fork, and by one that runs none of Python's hooks, such as uWSGI's.
A call that a signal handler forks in goes on in both, and so is two.
"""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from faults import forking
from faults.queues import CONFIGURATION, received, send_everything

TESTS = Path(__file__).parent.parent
WAYS = [
    (state.__name__, how)
    for state in forking.STATES
    for how in forking.HOW
    if how == "os" or state not in forking.NOT_IN_C
]


@pytest.mark.parametrize(("state", "how"), WAYS)
def test_a_fork_loses_and_doubles_nothing(tmp_path, state, how):
    (tmp_path / "tuppence.toml").write_text(CONFIGURATION)
    (tmp_path / "queue").mkdir()

    program = [sys.executable, "-m", "faults.forking", state, tmp_path, how]
    subprocess.run(program, cwd=TESTS, check=True, timeout=60)
    assert send_everything(tmp_path)

    promised = {tuple(map(int, line.split())) for line in (tmp_path / "promised").read_text().splitlines()}
    headers, events = received(tmp_path)
    identities = {(instance, event.seq): event for instance, event in events}
    ticks = Counter((e.data["process"], e.data["n"]) for e in identities.values() if e.type == "tick")
    assert promised <= ticks.keys()
    assert ticks.total() - len(ticks) <= (forking.FORKS if state == "in_a_signal_handler" else 0)
    refused = {header.instance: header.refused for header in headers}
    assert sum(refused.values()) == (state == "with_a_refusal_first")
    assert all(header.dropped == 0 for header in headers)
    questions = [event.data["outcome"] for event in identities.values() if event.type == "question"]
    assert questions == (["answered"] if state == "within_a_question" else [])
