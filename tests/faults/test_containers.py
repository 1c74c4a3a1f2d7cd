"""Two containers share a folder of journals; their processes have the same number."""

import subprocess
import sys
from collections import Counter

from faults import container, namespaces
from faults.processes import environment
from faults.queues import CONFIGURATION, received, send_everything

COUNT = 3_000


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


@namespaces.needed
def test_the_journal_of_a_killed_container_is_sent_by_another(tmp_path):
    (tmp_path / "tuppence.toml").write_text(CONFIGURATION)
    (tmp_path / "queue").mkdir()
    first, second = start(tmp_path, "first"), start(tmp_path, "second")

    first.kill()
    first.communicate(timeout=30)
    second.communicate(timeout=30)

    assert second.returncode == 0
    assert send_everything(tmp_path)
    events = [event for _, event in received(tmp_path)[1]]
    assert {event.data["process"] for event in events} == {1}
    assert Counter(event.data["container"] for event in events) == {"first": COUNT, "second": COUNT}
    assert len({(event.data["container"], event.data["n"]) for event in events}) == 2 * COUNT
