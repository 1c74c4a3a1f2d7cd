"""Every job leaves a heartbeat, however it ends, and never fails because of it."""

from datetime import timedelta

import pytest

from pipeline.world import PROJECT, captured, question
from tuppence import config, jobs
from tuppence.clock import Deadline
from tuppence.drivers import Delivery, Message
from tuppence.errors import DriverError, ErrorCode, TuppenceError
from tuppence.local.queue import LocalQueue
from tuppence.local.store import LocalStore
from tuppence.meter import read_month
from tuppence.pipeline.heartbeat import MESSAGE_CHARS, Failure, failure_of, read_heartbeats
from tuppence.runtime import Runtime
from tuppence.testing.clock import START, ManualClock


@pytest.fixture
def runtime(tmp_path):
    (tmp_path / "tuppence.toml").write_text(
        f'provider = "local"\nproject = "{PROJECT}"\n[report]\nto = ["me@example.com"]\n'
    )
    with Runtime(config.load(tmp_path / "tuppence.toml", environ={}), clock=ManualClock()) as runtime:
        yield runtime


def deadline(runtime):
    return Deadline.after(600, runtime.clock)


def beats(runtime):
    return read_heartbeats(runtime.store, PROJECT, deadline=deadline(runtime))


def forbidden(operation="queue.receive"):
    return DriverError(
        ErrorCode.FORBIDDEN, operation=operation, provider="local", message="needs table:Put, ann@example.com"
    )


def refuse(monkeypatch, driver, name, error=None):
    def refused(*_args, **_options):
        raise error or forbidden(f"store.{name}")

    monkeypatch.setattr(driver, name, refused)


@pytest.mark.parametrize("job", ["drain", "seal", "report", "purge"])
def test_a_job_that_ends_well_says_when(runtime, job):
    jobs.JOBS[job](runtime, deadline=deadline(runtime))

    beat, ended = beats(runtime)[job], runtime.clock.now()
    assert (beat.started, beat.ended, beat.succeeded) == (START, ended, ended)
    assert beat.failure is None


def test_a_run_that_fails_says_why_and_when_the_job_last_succeeded(runtime, monkeypatch):
    jobs.drain(runtime, deadline=deadline(runtime))
    drained = runtime.clock.now()
    runtime.clock.advance(timedelta(minutes=15))
    with monkeypatch.context() as broken:
        refuse(broken, LocalQueue, "receive", forbidden())
        with pytest.raises(DriverError):
            jobs.drain(runtime, deadline=deadline(runtime))

    failed = beats(runtime)["drain"]
    runtime.clock.advance(timedelta(minutes=15))
    jobs.drain(runtime, deadline=deadline(runtime))
    mended = beats(runtime)["drain"]

    assert failed.succeeded == drained
    assert failed.ended == drained + timedelta(minutes=15)
    assert failed.failure == Failure(
        code="forbidden",
        operation="queue.receive",
        provider="local",
        message="needs table:Put, [address]",
    )
    assert (mended.succeeded, mended.failure) == (runtime.clock.now(), None)


def test_a_heartbeat_that_cannot_be_written_fails_no_job(runtime, monkeypatch):
    refuse(monkeypatch, LocalStore, "put")

    assert jobs.drain(runtime, deadline=deadline(runtime)).messages == 0
    assert beats(runtime) == {}


def test_the_error_of_the_job_is_raised_and_not_that_of_its_heartbeat(runtime, monkeypatch):
    refuse(monkeypatch, LocalStore, "put")
    refuse(monkeypatch, LocalStore, "get")
    refuse(monkeypatch, LocalQueue, "receive", forbidden("the job's own"))

    with pytest.raises(DriverError, match="the job's own"):
        jobs.drain(runtime, deadline=deadline(runtime))


def test_a_job_that_is_interrupted_has_not_ended(runtime, monkeypatch):
    def interrupted(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(LocalQueue, "receive", interrupted)
    with pytest.raises(KeyboardInterrupt):
        jobs.drain(runtime, deadline=deadline(runtime))

    assert "drain" not in beats(runtime)


def deliver(runtime, body):
    handle = jobs.consume(runtime, patience=timedelta(seconds=30))
    delivery = Delivery(message=Message(id="m", body=body), receipt=1, expires=runtime.clock.now())
    return handle([delivery])


def test_a_queue_that_calls_by_itself_leaves_a_heartbeat_of_its_own_with_what_failed_alone(
    runtime, monkeypatch
):
    assert deliver(runtime, captured(question(1))) == []
    well = beats(runtime)["consume"]
    runtime.clock.advance(timedelta(minutes=5))
    put = LocalStore.put

    def refused(self, records, /, **options):
        if any("segments" in record.key.partition for record in records):
            raise forbidden("store.put")
        return put(self, records, **options)

    monkeypatch.setattr(LocalStore, "put", refused)
    assert len(deliver(runtime, captured(question(2)))) == 1

    assert (well.failure, well.succeeded) == (None, START)
    assert beats(runtime)["consume"].failure.code == "forbidden"
    assert beats(runtime)["consume"].succeeded == START


def test_calls_that_follow_each_other_within_a_minute_are_one_heartbeat(runtime):
    def writes():
        return read_month(runtime.store, PROJECT, "202611", deadline=deadline(runtime))["local.store.writes"]

    deliver(runtime, captured(question(1)))
    deliver(runtime, captured(question(1)))
    once = writes()
    deliver(runtime, captured(question(1)))
    again = writes() - once
    runtime.clock.advance(timedelta(minutes=2))
    deliver(runtime, captured(question(1)))
    later = writes() - once - again

    assert later == again + 1


def test_expected_jobs_are_written_down_once_and_hide_no_run(runtime):
    jobs.drain(runtime, deadline=deadline(runtime))
    drained = runtime.clock.now()
    runtime.heartbeats.expect("drain", "seal", deadline=deadline(runtime))
    runtime.clock.advance(timedelta(hours=1))
    runtime.heartbeats.expect("drain", "seal", deadline=deadline(runtime))

    assert beats(runtime)["drain"].succeeded == drained
    assert (beats(runtime)["seal"].expected, beats(runtime)["seal"].ended) == (drained, None)


def test_what_is_written_down_of_an_error_is_bounded_and_quotes_nothing_unexpected():
    long = failure_of(TuppenceError("x" * 10_000))
    unexpected = failure_of(ValueError("what somebody asked"))

    assert len(long.message) == MESSAGE_CHARS
    assert (unexpected.code, unexpected.message) == ("ValueError", "")
    assert "ann" not in failure_of(TuppenceError("no mail to <ann@example.com>")).message
