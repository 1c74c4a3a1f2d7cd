"""When a job is called dead, and when not."""

from datetime import timedelta

import pytest

from tuppence import config
from tuppence.liveness import State, judged
from tuppence.pipeline.heartbeat import Failure, Heartbeat
from tuppence.schedules import schedules
from tuppence.testing.clock import START

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
FAILED = Failure(code="forbidden", operation="store.put", provider="acme", message="needs table:Put")


@pytest.fixture
def settings(tmp_path):
    def settings(more=""):
        (tmp_path / "tuppence.toml").write_text(f'provider = "local"\nproject = "bot"\n{more}')
        return config.load(tmp_path / "tuppence.toml", environ={})

    return settings


@pytest.fixture
def state(settings):
    def state(beat=None, *, job="drain", waiting=0, oldest=None, scheduled=True, more=""):
        found = settings(more)
        beats = {beat.job: beat} if beat else {}
        expected = schedules(found) if scheduled else []
        judgement = judged(found, beats, expected, waiting, oldest, now=START)
        return {one.job: one.state for one in judgement}[job]

    return state


def ran(ago, job="drain", **more):
    at = START - ago
    return Heartbeat(job=job, **{"started": at, "ended": at, "succeeded": at, **more})


def test_a_project_that_has_just_been_set_up_is_not_sick(state):
    assert state() is State.WAITING
    assert state(Heartbeat(job="drain", expected=START - 5 * MINUTE), waiting=4) is State.WAITING


@pytest.mark.parametrize(
    ("job", "fine", "late"),
    [("drain", 40 * MINUTE, 61 * MINUTE), ("seal", 2 * HOUR, 4 * HOUR), ("purge", 2 * HOUR, 4 * HOUR)],
)
def test_a_job_is_overdue_once_it_has_missed_three_runs(state, job, fine, late):
    assert state(ran(fine, job), job=job) is State.OK
    assert state(ran(late, job), job=job) is State.OVERDUE


def test_a_job_that_runs_every_minute_is_given_half_an_hour(state):
    more = '[pipeline]\nevery = "1m"\n'

    assert state(ran(29 * MINUTE), more=more) is State.OK
    assert state(ran(31 * MINUTE), more=more) is State.OVERDUE


def test_a_job_that_never_ran_is_overdue_from_when_it_was_deployed(state):
    assert state(Heartbeat(job="drain", expected=START - 2 * HOUR)) is State.OVERDUE


def test_where_nothing_is_scheduled_a_job_run_by_hand_is_never_overdue(state):
    assert state(ran(timedelta(days=30)), scheduled=False) is State.OK


def test_a_run_that_failed_is_failing_whoever_ran_it(state):
    assert state(ran(MINUTE, failure=FAILED), scheduled=False) is State.FAILING


def test_messages_that_have_waited_since_before_the_last_drain_are_overdue_without_a_schedule(state):
    drained = ran(timedelta(days=30))

    assert state(drained, waiting=1, oldest=5 * MINUTE, scheduled=False) is State.OK
    assert state(drained, waiting=1, oldest=2 * HOUR, scheduled=False) is State.OVERDUE
    assert state(waiting=1, oldest=2 * HOUR, scheduled=False) is State.OVERDUE


def test_a_message_that_the_drain_leaves_behind_is_stuck_after_hours(state):
    assert state(ran(MINUTE), waiting=1, oldest=2 * HOUR) is State.OK
    assert state(ran(MINUTE), waiting=1, oldest=7 * HOUR) is State.OVERDUE


def test_where_nobody_knows_how_old_messages_are_the_last_drain_tells(state):
    assert state(ran(10 * MINUTE), waiting=3, scheduled=False) is State.OK
    assert state(ran(2 * HOUR), waiting=3, scheduled=False) is State.OVERDUE
    assert state(waiting=3) is State.OVERDUE


def test_what_the_queue_delivers_by_itself_counts_as_drained(settings):
    found = settings()
    beats = {"drain": ran(2 * HOUR), "consume": ran(MINUTE, "consume")}

    judgement = judged(found, beats, [], 3, None, now=START)

    assert {one.job: one.state for one in judgement}["drain"] is State.OK


def test_the_report_is_expected_where_somebody_gets_it(state):
    more = '[report]\nto = ["me@example.com"]\n'

    assert state(ran(HOUR, "report"), job="report", more=more) is State.OK
    assert state(ran(5 * HOUR, "report"), job="report", more=more) is State.OVERDUE
