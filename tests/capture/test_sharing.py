"""Clients with the same configuration share one journal, one thread and one set of files."""

import copy
import gc
import pickle
import subprocess
import sys

import msgspec
import pytest

from tuppence.capture.client import Client


def test_clients_with_one_configuration_number_their_events_together(config, sent):
    with Client(config) as first, Client(config) as second:
        assert [first.capture("a"), second.capture("b"), first.capture("c")] == [1, 2, 3]
        assert first.stats.captured == second.stats.captured == 3
        assert first.flush()

    headers, events = sent()
    assert len({header.instance for header in headers}) == 1
    assert [event.type for event in events] == ["a", "b", "c"]


def test_closing_one_sends_what_there_is_and_leaves_the_other_capturing(config, sent):
    first, second = Client(config), Client(config)
    first.capture("a")
    second.capture("b")

    assert first.close(10)
    assert [event.type for event in sent()[1]] == ["a", "b"]
    assert first.capture("late") == 0
    assert second.capture("c") == 3
    assert second.close(10)

    headers, events = sent()
    assert [event.type for event in events] == ["a", "b", "c"]
    assert [header.goodbye for header in headers] == [False, True]


def test_clients_with_different_configurations_share_nothing(config, sent):
    other = msgspec.structs.replace(config, project="other")

    with Client(config) as first, Client(other) as second:
        assert [first.capture("a"), second.capture("b")] == [1, 1]
        assert first.flush()
        assert second.flush()

    assert sorted(header.project for header in sent()[0] if header.count) == ["bot", "other"]


def test_after_the_last_is_closed_the_next_begins_anew(config, sent):
    for _ in range(3):
        with Client(config) as client:
            assert client.capture("a") == 1

    assert len({header.instance for header in sent()[0]}) == 3


def test_a_client_that_is_gone_does_not_end_what_another_uses(config, sent):
    first, second = Client(config), Client(config)
    first.capture("a")
    second.capture("b")

    del first
    gc.collect()
    second.flush()

    assert second.capture("c") == 3
    assert second.close(10)
    assert [event.type for event in sent()[1]] == ["a", "b", "c"]


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
@pytest.mark.parametrize("used", [False, True], ids=["fresh", "used"])
def test_a_copy_of_a_client_is_the_client(client, duplicate, used):
    if used:
        client.capture("a")
        client.flush()

    assert duplicate({"client": client})["client"] is client


@pytest.mark.parametrize("used", [False, True], ids=["fresh", "used"])
def test_a_pickled_client_is_its_configuration(client, used, sent):
    if used:
        client.capture("a")
        client.flush()

    with pickle.loads(pickle.dumps(client)) as other:
        assert other is not client
        assert other.config == client.config
        assert other.capture("b") == 1 + used

    assert client.close(10)
    assert [event.type for event in sent()[1]] == ["a", "b"][1 - used :]


def test_a_copy_of_a_question_is_the_question_and_has_one_end(client, sent):
    with client.question("?") as question:
        assert copy.copy(question) is copy.deepcopy([question])[0] is question
        copy.copy(question).no_match()
    client.flush()

    assert [event.data["outcome"] for event in sent()[1]] == ["no_match"]


def test_a_question_is_not_pickled_and_says_what_to_hand_over(client):
    with client.question("?") as question, pytest.raises(TypeError, match=r"hand over its `id`"):
        pickle.dumps(question)


MANY = """
import os, pathlib, sys
from tuppence import config as configuration
from tuppence.capture import lifecycle, places
from tuppence.capture.client import Client

lifecycle.EXIT_TIMEOUT = 60
config = configuration.load("tuppence.toml", environ={})
kept, most = [], [0, 0, 0]
for n in range(1000):
    client = Client(config)
    client.capture("run", n=n)
    if sys.argv[1] == "kept":
        kept.append(client)
    now = [len(os.listdir(f"/proc/self/{what}")) for what in ("task", "fd")]
    now.append(len(list(places.instances(places.directory(config)))))
    most = list(map(max, most, now))
print(*most)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts in /proc")
@pytest.mark.parametrize("fate", ["kept", "dropped"])
def test_a_thousand_clients_take_no_more_than_a_few(tmp_path, sent, fate):
    (tmp_path / "tuppence.toml").write_text(
        'provider = "local"\nproject = "bot"\n[capture]\ndirectory = "j"\n', encoding="utf-8"
    )

    done = subprocess.run(
        [sys.executable, "-c", MANY, fate], cwd=tmp_path, check=True, capture_output=True, text=True
    )

    threads, files, folders = map(int, done.stdout.split())
    assert (threads, folders) <= (4, 4)
    assert files < 40
    assert sorted(event.data["n"] for event in sent()[1]) == list(range(1000))
    assert len(sent()[0]) <= 10


KNOWN_ONLY = {
    "to the module": "tp = tuppence.Client()\nfor i in range(100): tp.capture('asked', i=i)",
    "to a function": (
        "def main():\n    tp = tuppence.Client()\n    for i in range(100): tp.capture('asked', i=i)\nmain()"
    ),
    "to a cycle": (
        "import gc\nclass App:\n    def __init__(self): self.tp = tuppence.Client(); self.me = self\n"
        "def main():\n    app = App()\n    for i in range(100): app.tp.capture('asked', i=i)\n"
        "main()\ngc.collect()"
    ),
    "to a thread": (
        "import threading\ndef work():\n    tp = tuppence.Client()\n"
        "    for i in range(100): tp.capture('asked', i=i)\n"
        "t = threading.Thread(target=work)\nt.start()\nt.join()"
    ),
    "until another replaces it": (
        "for half in (range(50), range(50, 100)):\n    tp = tuppence.Client()\n"
        "    for i in half: tp.capture('asked', i=i)"
    ),
}


@pytest.mark.parametrize("body", KNOWN_ONLY.values(), ids=KNOWN_ONLY)
def test_what_was_captured_is_sent_at_the_end_whoever_knew_the_client(tmp_path, sent, body):
    (tmp_path / "tuppence.toml").write_text(
        'provider = "local"\nproject = "bot"\n[capture]\ndirectory = "j"\n', encoding="utf-8"
    )
    patient = "import tuppence\nfrom tuppence.capture import lifecycle\nlifecycle.EXIT_TIMEOUT = 60\n"

    subprocess.run([sys.executable, "-c", patient + body], cwd=tmp_path, check=True)

    assert sorted(event.data["i"] for event in sent()[1]) == list(range(100))
