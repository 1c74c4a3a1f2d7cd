"""Two containers share a folder of journals; their processes have the same number."""

import subprocess
import sys
from collections import Counter

from faults import container, namespaces
from faults.processes import environment
from faults.queues import CONFIGURATION, received, send_everything

COUNT = 2_000


def start(folder, name):
    """Start a container of one process, number 1, which dies with the `unshare` that holds it."""
    command = ["unshare", "-r", "--pid", "--fork", "--kill-child", sys.executable, container.__file__]
    process = subprocess.Popen(
        [*command, folder, name, str(COUNT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(),
    )
    assert process.stdout.readline() == b"done\n"
    return process


def go_on(process):
    process.stdin.write(b"\n")
    process.stdin.flush()
    assert process.stdout.readline() == b"done\n"


@namespaces.needed
def test_the_journal_of_a_killed_container_is_sent_by_another_and_no_living_one_is(tmp_path):
    (tmp_path / "tuppence.toml").write_text(CONFIGURATION)
    (tmp_path / "queue").mkdir()
    first, second = start(tmp_path, "first"), start(tmp_path, "second")

    go_on(first)
    go_on(second)
    first.kill()
    first.communicate(timeout=30)
    second.communicate(b"\n", timeout=30)

    assert second.returncode == 0
    assert send_everything(tmp_path)
    headers, events = received(tmp_path)
    identities = {(instance, event.seq): event.data for instance, event in events}
    assert {data["process"] for data in identities.values()} == {1}
    assert Counter(data["container"] for data in identities.values()) == {
        "first": 2 * COUNT,
        "second": 2 * COUNT,
    }
    assert len({header.instance for header in headers if header.goodbye}) == 2
