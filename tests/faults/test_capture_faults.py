"""What happens to captured events when processes die, fork, or find no room."""

import os
import shutil
import signal
import subprocess
import sys

import pytest

from faults.processes import CAPTURING
from faults.queues import CONFIGURATION, load, received, send_everything
from tuppence import config as configuration
from tuppence.capture import places
from tuppence.capture.client import Client
from tuppence.capture.places import Lock


@pytest.fixture
def folder(tmp_path):
    """A folder with a configuration whose queue cannot be reached until its `queue` folder is made."""
    (tmp_path / "tuppence.toml").write_text(CONFIGURATION)
    return tmp_path


def test_a_question_whose_process_dies_is_aborted(folder):
    script = (
        "import os, signal, tuppence\n"
        f"tp = tuppence.Client({str(folder / 'tuppence.toml')!r})\n"
        "tp.question('Where is it?').__enter__()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=False)

    assert send_everything(folder)

    [(_, event)] = received(folder)[1]
    assert event.data == {"text": "Where is it?", "outcome": "aborted"}


def test_a_forked_child_starts_anew_and_doubles_nothing(folder):
    (folder / "queue").mkdir()
    with Client(load(folder)) as client:
        client.capture("parent before")
        with client.question("asked in the parent"):
            child = os.fork()
            if child == 0:
                client.capture("child")
                client.close(5)
                os._exit(0)
            os.waitpid(child, 0)
        client.capture("parent after")
        assert client.flush(10)
    assert send_everything(folder)

    found = sorted((event.type, event.data.get("outcome", "")) for _, event in received(folder)[1])
    assert found == [
        ("child", ""),
        ("parent after", ""),
        ("parent before", ""),
        ("question", "answered"),
    ]


def test_the_lock_of_a_forking_parent_outlives_its_children(folder):
    with Client(load(folder)) as client:
        client.capture("x")
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)

        [instance] = places.instances(places.directory(load(folder)))
        assert places.Lock.take(instance / places.OWNER_LOCK) is None


def test_when_the_sending_process_dies_another_takes_over(folder):
    (folder / "queue").mkdir()
    process = subprocess.Popen(
        [sys.executable, CAPTURING, folder, "10"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    for line in process.stdout:
        if line == b"done\n":
            break
    with Client(load(folder)) as client:
        client.capture("mine")
        process.send_signal(signal.SIGKILL)
        process.communicate()

        assert client.flush(10)
        assert client.stats.sending


def test_a_full_journal_drops_the_oldest_and_counts_them(folder):
    config = configuration.load(
        folder / "tuppence.toml", environ={}, capture={"journal_bytes": 2 * 1024 * 1024}
    )
    sender = Lock.take(places.prepared(places.directory(config)) / places.SENDER_LOCK)
    with Client(config) as client:  # nobody sends meanwhile, however busy the machine is
        for n in range(100_000):
            client.capture("tick", n=n, text="x" * 50)
        instance = client._instance.id
    sender.release()
    assert send_everything(folder)

    headers, events = received(folder)
    numbers = {event.seq for _, event in events}
    [goodbye] = [header for header in headers if header.goodbye]
    assert goodbye.instance == instance
    assert goodbye.captured == 100_000 == max(numbers)
    assert goodbye.dropped == 100_000 - len(numbers) > 0


@pytest.mark.parametrize("damage", ["truncate", "scribble", "delete", "state"])
def test_a_journal_that_someone_damages_costs_only_what_was_damaged(folder, damage):
    process = subprocess.Popen(
        [sys.executable, CAPTURING, folder, "2000"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    for line in process.stdout:
        if line == b"done\n":
            break
    process.kill()
    process.communicate()
    [instance] = places.instances(places.directory(load(folder)))
    segment = next(iter(sorted(instance.glob("*.journal"))), None)
    if damage == "truncate":
        os.truncate(segment, 20_000)
    elif damage == "scribble":
        with segment.open("r+b") as file:
            file.seek(10_000)
            file.write(b"scribble" * 20)
    elif damage == "delete":
        segment.unlink()
    else:
        (instance / "state").write_bytes(b"nonsense")

    assert send_everything(folder)

    numbers = (
        {event.seq for _, event in received(folder)[1]} if (folder / "queue/tuppence.db").exists() else set()
    )
    assert {"truncate": 100, "scribble": 1_990, "delete": 0, "state": 2_000}[damage] <= len(numbers) <= 2_000


def test_a_journal_of_a_version_to_come_is_left_untouched(folder):
    with Client(load(folder)) as client:
        client.capture("x")
        [instance] = places.instances(places.directory(load(folder)))
        kept = shutil.copytree(instance, folder / "kept")
    other = instance.parent / "zzzzzzzzzzzzzz"
    shutil.copytree(kept, other)
    segment = next(other.glob("*.journal"))
    content = segment.read_bytes()
    segment.write_bytes(content[:3] + b"\x02" + content[4:])

    send_everything(folder, seconds=1.0)

    assert segment.read_bytes()[:4] == content[:3] + b"\x02"


def test_exit_is_quick_while_the_queue_is_away(folder):
    script = (
        "import tuppence\n"
        f"tp = tuppence.Client({str(folder / 'tuppence.toml')!r})\n"
        "[tp.capture('x') for _ in range(1000)]\n"
    )

    finished = subprocess.run([sys.executable, "-c", script], check=False, timeout=30, capture_output=True)

    assert finished.returncode == 0
    assert send_everything(folder)
    assert len(received(folder)[1]) == 1_000


def test_a_child_forked_while_threads_capture_works(folder):
    import threading

    (folder / "queue").mkdir()
    stop = threading.Event()
    with Client(load(folder)) as client:
        threads = [threading.Thread(target=lambda: busy(client, stop)) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(5):
                child = os.fork()
                if child == 0:
                    ok = client.capture("child") == 1
                    os._exit(0 if ok else 1)
                assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        assert client.flush(30)
    assert send_everything(folder)

    assert sum(event.type == "child" for _, event in received(folder)[1]) == 5


def busy(client, stop):
    while not stop.is_set():
        client.capture("tick")


def test_a_process_that_is_asked_to_end_sends_what_it_has_and_ends_by_the_signal(folder):
    (folder / "queue").mkdir()
    script = (
        "import os, signal, tuppence\n"
        f"tp = tuppence.Client({str(folder / 'tuppence.toml')!r}, capture={{'flush_interval': '1h'}})\n"
        "tp.capture('before')\n"
        "assert tp.flush(20)\n"  # what sends is loaded, which on a busy machine takes longer than an end may
        "tp.capture('x')\n"
        "os.kill(os.getpid(), signal.SIGTERM)\n"
    )

    finished = subprocess.run([sys.executable, "-c", script], check=False, timeout=30)

    assert finished.returncode == -signal.SIGTERM
    assert [event.type for _, event in received(folder)[1]] == ["before", "x"]


def test_an_application_that_handles_sigterm_keeps_its_handler(folder):
    script = (
        "import os, signal, sys, tuppence\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\n"
        f"tp = tuppence.Client({str(folder / 'tuppence.toml')!r})\n"
        "tp.capture('x')\n"
        "os.kill(os.getpid(), signal.SIGTERM)\n"
    )

    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=30).returncode == 7


def test_a_folder_that_is_removed_under_a_client_harms_nobody(folder, caplog):
    client = Client(load(folder))
    client.capture("x")
    shutil.rmtree(folder / "j")

    assert client.capture("y") == 2
    client.flush(1)
    client.close()

    assert not [record for record in caplog.records if record.exc_info]
