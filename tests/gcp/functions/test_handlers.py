"""The functions, called as Cloud Run calls them, over a queue and a store that are files."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from gcp.issuer import INVOKER
from gcp.served import EVENT, post, push, served
from tuppence.clock import Deadline
from tuppence.config import load
from tuppence.drivers import Message
from tuppence.pipeline import layout
from tuppence.runtime import Runtime
from tuppence_gcp import handlers
from tuppence_gcp.compute import CloudRunCompute

CONFIGURATION = """\
provider = "local"
project = "mybot"

[compute]
provider = "gcp"
project_id = "proj"
function_url = "https://x/{{function}}"
invoker = "{invoker}"
certificates = "{certificates}"

[queue]
path = "tuppence.db"

[store]
path = "tuppence.db"
"""


@pytest.fixture
def runtime(tmp_path, monkeypatch, issuer):
    """Lay out a function's folder; return the same parts as another process has them."""
    place = tmp_path / "tuppence.toml"
    text = CONFIGURATION.format(invoker=INVOKER, certificates=issuer.certificates)
    place.write_text(text, encoding="utf-8")
    monkeypatch.setenv("TUPPENCE_CONFIG", str(place))
    handlers._parts.cache_clear()
    with Runtime(load(place, environ={})) as runtime:
        yield runtime
    handlers._parts()[0].close()
    handlers._parts.cache_clear()


@pytest.fixture
def call(issuer):
    """Return what calls a function as one that is served."""

    def call(function, body, signature="http", part="drain"):
        headers = issuer.bearer(f"https://x/{part}")
        with served(function, signature) as url:
            return post(url, body, headers | (EVENT if signature == "cloudevent" else {}))[0]

    return call


def events(count):
    """Return messages of one event each, as a program in another language sends them."""
    at = datetime(2026, 11, 16, 9, tzinfo=UTC).isoformat()
    return [
        Message(id=f"m{n}", body=json.dumps({"id": f"e{n}", "type": "signup", "time": at}).encode(), lane="0")
        for n in range(count)
    ]


def soon():
    return Deadline.after(30)


def stored(runtime):
    """Return how many segments there are."""
    partition = layout.segment("mybot", "2026111609", "x").partition
    return len(list(runtime.store.query(partition, deadline=soon())))


def logged(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_drain_stores_what_waits_and_says_so_in_one_line(runtime, call, capsys):
    assert not runtime.queue.send(events(20), deadline=soon())

    assert call(handlers.run, {"job": "drain", "run_id": "r1"}) == 204

    (line,) = logged(capsys)
    assert stored(runtime) == 20
    assert line.pop("seconds") >= 0
    assert line == {"job": "drain", "run_id": "r1", "messages": 20, "segments": 20, "dead": 0}


def test_what_was_drained_is_sealed_by_the_next_function(runtime, call, capsys):
    assert not runtime.queue.send(events(3), deadline=soon())

    assert [call(handlers.run, {"job": job}) for job in ("drain", "seal", "report")] == [204] * 3

    ran = logged(capsys)
    assert [line["job"] for line in ran] == ["drain", "seal", "purge", "report"]
    assert ran[1]["hours"] == 1
    assert (ran[2]["records"], ran[3]["mails"]) == (0, 0)


@pytest.mark.parametrize(
    ("function", "signature"),
    [(handlers.consume, "http"), (handlers.receive, "cloudevent")],
    ids=["push", "event"],
)
def test_a_message_that_pubsub_hands_over_is_stored(runtime, call, capsys, function, signature):
    (message,) = events(1)

    assert call(function, push(message), signature, "consume") in {200, 204}

    (line,) = logged(capsys)
    assert stored(runtime) == 1
    assert (line["job"], line["run_id"], line["messages"], line["again"]) == ("consume", "m0", 1, 0)


@pytest.mark.parametrize(
    ("function", "signature"),
    [(handlers.consume, "http"), (handlers.receive, "cloudevent")],
    ids=["push", "event"],
)
def test_a_message_that_cannot_be_stored_in_time_comes_again(runtime, call, monkeypatch, function, signature):
    monkeypatch.setattr("tuppence_gcp.handlers.CONSUMES", timedelta(0))
    (message,) = events(1)

    assert call(function, push(message), signature, "consume") in {500, 503}
    assert stored(runtime) == 0


def test_the_parts_are_built_once(runtime, call):
    call(handlers.run, {"job": "drain"})
    first = handlers._parts()

    call(handlers.run, {"job": "seal"})

    assert handlers._parts() is first


def test_a_job_that_is_none_is_refused_and_not_tried(runtime, call, capsys):
    assert call(handlers.run, {"job": "drian"}) == 400

    (line,) = logged(capsys)
    assert "the jobs are orphans, drain, seal, report, purge" in line["message"]


def test_a_run_that_failed_is_logged_by_its_code_and_tried_again(runtime, call, capsys, tmp_path):
    (tmp_path / "tuppence.db").write_bytes(b"Dear diary, " * 100)

    assert call(handlers.run, {"job": "drain", "run_id": "r1"}) == 500

    (line,) = logged(capsys)
    assert (line["job"], line["run_id"], line["failed"]) == ("drain", "r1", "invalid")


def test_a_run_has_the_time_that_the_scheduler_waits(runtime, call, monkeypatch):
    told = []
    monkeypatch.setattr("tuppence.functions.run", lambda *_, left: told.append(left))
    options = CloudRunCompute.Options(timeout=timedelta(minutes=45))

    call(handlers.run, {"job": "drain"})
    monkeypatch.setattr(handlers._parts()[1], "options", options)

    assert told == [timedelta(minutes=15)]
    assert handlers._parts()[1].time == timedelta(minutes=30)
