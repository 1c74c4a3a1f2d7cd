"""The functions, called as Lambda calls them, over a queue and a store that are files."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from aws.calling import Call, call, deliver, record
from tuppence.clock import Deadline
from tuppence.config import load
from tuppence.drivers import Message
from tuppence.errors import ConfigError, DriverError
from tuppence.jobs import drain
from tuppence.pipeline import layout
from tuppence.runtime import Runtime
from tuppence.testing import ManualClock
from tuppence_aws import handlers

CONFIGURATION = """\
provider = "local"
project = "mybot"

[compute]
provider = "aws"

[queue]
path = "tuppence.db"

[store]
path = "tuppence.db"
"""
SEVERAL = 200
"""Messages, more than a drain takes at once."""


@pytest.fixture
def runtime(tmp_path, monkeypatch):
    """Lay out a function's folder; return the same parts as another process has them."""
    (tmp_path / "tuppence.toml").write_text(CONFIGURATION, encoding="utf-8")
    monkeypatch.setenv("LAMBDA_TASK_ROOT", str(tmp_path))
    handlers._runtime.cache_clear()
    with Runtime(load(tmp_path / "tuppence.toml", environ={})) as runtime:
        yield runtime
    handlers._runtime().close()
    handlers._runtime.cache_clear()


def events(count):
    """Return messages of one event each, as a program in another language sends them."""
    at = datetime(2026, 11, 16, 9, tzinfo=UTC).isoformat()
    return [
        Message(id=f"m{n}", body=json.dumps({"id": f"e{n}", "type": "signup", "time": at}).encode(), lane="0")
        for n in range(count)
    ]


def send(runtime, messages):
    assert not runtime.queue.send(messages, deadline=soon())


def soon():
    return Deadline.after(30)


def stored(runtime):
    """Return how many segments there are."""
    partition = layout.segment("mybot", "2026111609", "x").partition
    return len(list(runtime.store.query(partition, deadline=soon())))


def logged(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_drain_stores_what_waits_and_says_so_in_one_line(runtime, capsys):
    send(runtime, events(SEVERAL))

    call(handlers.run, {"job": "drain", "run_id": "r1", "payload": {}})

    (line,) = logged(capsys)
    assert stored(runtime) == SEVERAL
    assert line.pop("seconds") >= 0
    assert line == {
        "job": "drain", "run_id": "r1", "messages": SEVERAL, "segments": SEVERAL, "dead": 0
    }  # fmt: skip


@pytest.mark.parametrize("left", [0, 1, 40, 200])
def test_a_drain_that_runs_out_of_time_leaves_the_rest_to_those_that_follow(runtime, left):
    send(runtime, events(SEVERAL))

    with suppress(DriverError):  # what it has received and cannot store in time, it says
        call(handlers.run, {"job": "drain"}, Call(left=left))
    waiting, done = runtime.queue.depth(deadline=soon())[0], stored(runtime)
    when_leases_are_over = ManualClock(datetime.now(UTC) + timedelta(minutes=10))
    with Runtime(runtime.config, clock=when_leases_are_over) as later:
        drain(later, deadline=Deadline.after(60, when_leases_are_over))

    assert waiting + done >= SEVERAL
    assert stored(runtime) == SEVERAL
    assert runtime.queue.depth(deadline=soon())[0] == 0


def test_what_was_drained_is_sealed_by_the_next_function(runtime, capsys):
    send(runtime, events(3))

    for job in ("drain", "seal", "report"):
        call(handlers.run, {"job": job})

    ran = logged(capsys)
    assert [line["job"] for line in ran] == ["drain", "seal", "purge", "report"]
    assert ran[1]["hours"] == 1
    assert (ran[2]["records"], ran[3]["mails"]) == (0, 0)


def test_messages_that_sqs_hands_over_are_stored(runtime, capsys):
    records = [record(message, number) for number, message in enumerate(events(10))]

    again = deliver(handlers.consume, records)

    (line,) = logged(capsys)
    assert (again, stored(runtime)) == (set(), 10)
    assert (line["job"], line["messages"], line["again"]) == ("consume", 10, 0)


def test_messages_that_cannot_be_stored_in_time_come_again(runtime):
    records = [record(message, number) for number, message in enumerate(events(10))]

    assert deliver(lambda event, _: handlers.consume(event, Call(left=0)), records) == set(range(10))
    assert stored(runtime) == 0


def test_the_parts_are_built_once(runtime):
    call(handlers.run, {"job": "drain"})
    first = handlers._runtime()

    call(handlers.run, {"job": "seal"})

    assert handlers._runtime() is first


def test_a_job_that_is_none_is_refused_with_those_there_are(runtime, capsys):
    with pytest.raises(ConfigError, match="the jobs are orphans, drain, seal, report, purge"):
        call(handlers.run, {"job": "drian"})

    assert logged(capsys) == []


def test_a_run_that_failed_is_logged_by_its_code_and_raised(runtime, capsys, tmp_path):
    (tmp_path / "tuppence.db").write_bytes(b"Dear diary, " * 100)

    with pytest.raises(DriverError):
        call(handlers.run, {"job": "drain", "run_id": "r1"})

    (line,) = logged(capsys)
    assert (line["job"], line["run_id"], line["failed"]) == ("drain", "r1", "invalid")
