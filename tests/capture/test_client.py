"""What an application may rely on when it calls the client."""

import decimal
import enum
import os
import secrets
import signal
import sqlite3
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tuppence import config as configuration
from tuppence.batch import LEAST_BODY
from tuppence.capture import instance
from tuppence.capture.client import Client
from tuppence.drivers import Limits
from tuppence.errors import ConfigError
from tuppence.local.queue import LocalQueue


def outcomes(events):
    return [event.data["outcome"] for event in events if event.type == "question"]


def test_an_event_reaches_the_queue_as_it_was_captured(client, sent):
    assert client.capture("signup", user="u1", session="s1", source="web", plan="free", seats=3) == 1

    assert client.flush()

    [header], [event] = sent()
    assert (event.type, event.user, event.session, event.source) == ("signup", "u1", "s1", "web")
    assert event.data == {"plan": "free", "seats": 3}
    assert (header.project, header.first, header.last, header.hello) == ("bot", 1, 1, True)


def test_numbers_count_up_from_one_without_gaps(client):
    assert [client.capture("tick") for _ in range(100)] == list(range(1, 101))


def test_a_question_that_closes_after_later_events_takes_none_of_them_back(client):
    with client.question("Where is my parcel?"):
        client.capture("tick")

    assert client.stats.captured == 2


def test_a_question_carries_text_outcome_and_latency(client, sent):
    with client.question("Where is my parcel?", user="u1") as question:
        question.answered(model="m", input_tokens=210, score=0.83, sources=["faq#7"])
    client.flush()

    [event] = sent()[1]
    assert event.data["text"] == "Where is my parcel?"
    assert event.data["outcome"] == "answered"
    assert event.data["sources"] == ["faq#7"]
    assert event.data["latency_ms"] >= 0


@pytest.mark.parametrize(
    ("way_out", "outcome"),
    [
        (id, "answered"),
        (lambda q: q.answered(), "answered"),
        (lambda q: q.no_match(), "no_match"),
        (lambda q: q.refused("medical"), "refused"),
        (lambda q: q.error("index down"), "error"),
        (lambda q: q.timeout(), "timeout"),
        (lambda q: q.rate_limited(), "rate_limited"),
        (lambda q: q.invalid(), "invalid"),
        (lambda q: q.aborted(), "aborted"),
    ],
)
def test_every_stated_outcome_is_recorded_once(client, sent, way_out, outcome):
    with client.question("?") as question:
        way_out(question)
    client.flush()

    assert outcomes(sent()[1]) == [outcome]


def test_feedback_names_its_question(client, sent):
    with client.question("?") as question:
        pass
    client.feedback(question.id, useful=True)
    client.flush()

    event = sent()[1][-1]
    assert (event.type, event.data) == ("feedback", {"question": question.id, "useful": True})


class Hostile:
    def __str__(self):
        raise RuntimeError

    __repr__ = __len__ = __iter__ = __hash__ = __bool__ = __str__

    @property
    def __class__(self):
        raise RuntimeError


class LoudText(str):
    __slots__ = ()

    def __str__(self):
        raise RuntimeError

    __len__ = __hash__ = __getitem__ = __str__


class Colour(enum.Enum):
    RED = "red"


def cycle():
    loop = {}
    loop["self"] = [loop]
    return loop


ODD = {
    "hostile": Hostile,
    "loud text": lambda: LoudText("loud"),
    "cycle": cycle,
    "lone surrogate": lambda: "\ud800",
    "surrogate key": lambda: {"\ud800": 1},
    "huge whole number": lambda: 10**5000,
    "65 bits": lambda: -(2**64),
    "nan": lambda: float("nan"),
    "bytes": lambda: b"bytes",
    "bytearray": lambda: bytearray(5),
    "enum": lambda: Colour.RED,
    "set": lambda: {1, 2},
    "class as key": lambda: {object: Hostile()},
    "decimal": lambda: decimal.Decimal("1.5"),
    "uuid": lambda: uuid.UUID(int=0),
    "function": lambda: cycle,
    "deep": lambda: [[[[[[[[[[]]]]]]]]]],
    "50 MB": lambda: "x" * 50_000_000,
    "wide": lambda: ["y" * 10_000] * 1_000,
    "many keys": lambda: {f"k{i}": "é" * 4_000 for i in range(100)},
    "class": lambda: object,
}


@pytest.mark.parametrize("make", ODD.values(), ids=ODD.keys())
def test_whatever_is_handed_in_is_recorded_and_leaves_its_neighbours_alone(client, sent, make):
    value = make()
    before = client.capture("before")
    there = client.capture("odd", value=value, user=value, session=value, source=value)
    with client.question(value, data=value) as question:
        question.answered(value=value)
    after = client.capture("after")

    assert client.flush()
    assert (before, there, after) == (1, 2, 4)
    assert sorted(event.type for event in sent()[1]) == ["after", "before", "odd", "question"]


def test_what_is_no_event_is_refused_and_counted(client, sent):
    for call in (client.capture, lambda: client.capture(""), lambda: client.capture(Hostile())):
        assert call() == 0
    client.capture("x" * 201)
    client.capture("fine", "stray", "arguments")
    client.flush()

    assert client.stats.refused == 4
    assert sent()[0][-1].refused == 4


def test_a_dict_changed_after_the_call_changes_nothing(client, sent):
    basket = {"items": ["a"]}
    client.capture("order", basket=basket)
    basket["items"].append("b")
    client.flush()

    assert sent()[1][0].data == {"basket": {"items": ["a"]}}


def test_nothing_personal_is_written_anywhere(client, tmp_path):
    secret = "jane.doe@example.com"
    with client.question(f"I am {secret}, card 4111 1111 1111 1111", user=secret) as question:
        question.answered(note=f"wrote to {secret}")

    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"[email]" in written
    assert secret.encode() not in written
    assert b"4111" not in written


def test_redaction_can_be_switched_off(config, sent):
    import msgspec

    capture = msgspec.structs.replace(config.capture, redact=False)
    with Client(msgspec.structs.replace(config, capture=capture)) as client:
        client.capture("note", text="jane@example.com")
        client.flush()

        assert sent()[1][0].data == {"text": "jane@example.com"}


def test_threads_share_one_client_and_lose_nothing(client, sent):
    def work():
        for _ in range(2_000):
            client.capture("tick")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert client.flush(30)
    assert sorted(event.seq for event in sent()[1]) == list(range(1, 16_001))


def test_batches_are_no_larger_than_the_queue_takes(config, sent, monkeypatch):
    narrow = Limits(batch_items=10, batch_bytes=10 * LEAST_BODY, item_bytes=LEAST_BODY)
    monkeypatch.setattr(LocalQueue, "limits", narrow)

    with Client(config) as client:
        for _ in range(1_000):
            client.capture("noise", note=secrets.token_hex(50))

    headers, events = sent()
    assert len(events) == 1_000
    assert len(headers) > 1


def test_what_has_piled_up_is_sent_without_waiting_for_the_next_look(config, monkeypatch):
    monkeypatch.setattr(instance, "TICK", 3_600)

    with Client(config) as client:
        for n in range(30_000):
            client.capture("tick", n=n, text="more than one segment of the journal")

        assert client.flush(timeout=60)


def test_the_first_captures_of_many_threads_make_one_instance(config, sent):
    with Client(config) as client:
        barrier = threading.Barrier(8)

        def first():
            barrier.wait()
            client.capture("first")

        threads = [threading.Thread(target=first) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert client.flush()

    headers, events = sent()
    assert len({header.instance for header in headers}) == 1
    assert sorted(event.seq for event in events) == list(range(1, 9))


def test_a_signal_handler_may_capture(client, sent):
    previous = signal.signal(signal.SIGUSR1, lambda *_: client.capture("signal"))
    try:
        for _ in range(500):
            os.kill(os.getpid(), signal.SIGUSR1)
            client.capture("plain")
    finally:
        signal.signal(signal.SIGUSR1, previous)

    assert client.flush()
    assert len(sent()[1]) == 1_000


def test_without_a_configuration_the_client_is_safe_in_anyones_tests(tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in [name for name in os.environ if name.startswith("TUPPENCE_")]:
        monkeypatch.delenv(name)

    client = Client()
    assert client.capture("x") == 1
    assert client.flush() is False
    assert client.close() is False

    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "tuppence init" in caplog.text


def test_disabled_means_that_nothing_happens(tmp_path, monkeypatch, config):
    monkeypatch.setenv("TUPPENCE_DISABLED", "1")

    with Client(config) as client, client.question("?") as question:
        assert client.capture("x") == 0
        assert question.id == ""
        assert client.flush()

    assert not list(tmp_path.iterdir())


def test_a_second_close_tells_as_the_first_whether_the_queue_has_everything(client, config):
    client.capture("tick")
    queue = sqlite3.connect(Path(config.folder) / "tuppence.db")
    queue.execute("BEGIN EXCLUSIVE")

    told = [client.close(0), client.close(0)]

    queue.close()
    assert told == [False, False]


def test_of_several_who_close_each_waits_for_the_end(client, sent):
    client.capture("tick")

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: (client.close(10), len(sent()[1])), range(8)))

    assert found == [(True, 1)] * 8


def test_a_closed_client_records_nothing_more(client):
    client.capture("x")
    assert client.close()
    assert client.close()

    assert client.capture("y") == 0
    assert client.flush()


def test_settings_that_the_application_gives_wrongly_raise_at_once():
    with pytest.raises(ConfigError, match="did you mean `provider`"):
        Client(provder="local")


def test_a_configuration_that_cannot_be_used_captures_nothing_and_counts_it(tmp_path):
    (tmp_path / "tuppence.toml").write_text('project = "My Bot"\n')

    with Client(tmp_path / "tuppence.toml") as client:
        assert client.capture("signup") == 0
        with client.question("Where is my order?") as question:
            question.answered()

        assert not client.flush()
        assert client.stats.refused == 2
        assert "project" in client.stats.problem


def test_journals_are_for_their_owner_alone(client, tmp_path):
    client.capture("x")

    for path in (tmp_path / "j").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_journal_that_cannot_be_kept_in_files_is_kept_in_memory_and_sent(tmp_path, caplog, sent):
    (tmp_path / "file").write_text("")
    config = configuration.load(
        folder=tmp_path, environ={}, provider="local", project="bot", capture={"directory": "file"}
    )

    with Client(config) as client:
        client.capture("x")
        assert not client.stats.durable
        assert client.flush()

    assert [event.type for event in sent()[1]] == ["x"]
    assert "kept in memory" in caplog.text
