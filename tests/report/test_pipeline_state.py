"""A mail that cannot know says so, and a week that is not over is never taken for one that is."""

from datetime import timedelta

import pytest
from tests.report.conftest import WEEK

from tuppence.liveness import Job, Pipeline, State
from tuppence.pipeline.heartbeat import Failure, failure_of
from tuppence.pipeline.unsealed import Unsealed, error_of
from tuppence.report import render_html, render_text, subject
from tuppence.report.pipeline_state import worth_sending

THEN = WEEK.start + timedelta(days=1, hours=14, minutes=20)
FAILURE = Failure(
    code="forbidden", operation="store.put", provider="aws", message="needs dynamodb:PutItem on a table"
)
FAILING = Job(job="drain", state=State.FAILING, ended=WEEK.end, succeeded=THEN, failure=FAILURE)
OVERDUE = Job(job="drain", state=State.OVERDUE, ended=THEN, succeeded=THEN)
NEVER = Job(job="drain", state=State.OVERDUE)
SEAL = Job(job="seal", state=State.FAILING, ended=THEN, failure=Failure(code="ValueError"))
UNSEALED = failure_of(
    error_of({"h.2026111709": Unsealed(since=THEN, tried=THEN, reason="the record x cannot be read")})
)
PART = Job(job="seal", state=State.FAILING, ended=WEEK.end, succeeded=THEN, failure=UNSEALED)
CALM = ("No events have arrived yet", "Nothing needs your attention", "Nothing has arrived")
SICK = {
    "failing": Pipeline(jobs=[FAILING], waiting=33),
    "overdue": Pipeline(jobs=[OVERDUE], waiting=33, oldest_seconds=7200),
    "never ran": Pipeline(jobs=[NEVER], waiting=33),
    "seal failing": Pipeline(jobs=[SEAL], waiting=0),
    "an hour set aside": Pipeline(jobs=[PART], waiting=0),
    "queue unknown": Pipeline(queue_failure=FAILURE),
}


def empty(log):
    return log


def usual(log):
    log.ask("Where is my order?", times=30)
    log.ask("Where is my order?", times=30, at="2026-11-15T20")
    return log


def silent(log):
    log.ask("Where is my order?", times=30, at="2026-11-03T09")
    return log


@pytest.mark.parametrize("pipeline", SICK.values(), ids=SICK)
@pytest.mark.parametrize("week", [empty, usual, silent])
def test_where_jobs_fail_or_nobody_knows_what_waits_no_mail_is_calm(log, week, pipeline):
    report = week(log).report(pipeline=pipeline)
    text = " ".join(render_text(report).split())

    assert not any(words in text for words in CALM)
    assert report.actions[0].command == "tuppence doctor"
    assert worth_sending(report)


@pytest.mark.parametrize("week", [empty, usual, silent])
def test_a_drain_that_fails_is_named_with_its_cause_in_subject_and_body(log, week):
    report = week(log).report(pipeline=SICK["failing"])

    assert subject(report) == "[mybot] ⚠ nothing drained since Tue 10 November, 14:20 \u2013 wk 46"
    assert report.verdict[0].replace("\u00a0", " ") == (
        "Nothing has been drained since Tue 10 November, 14:20: "
        "forbidden, needs dynamodb:PutItem on a table; 33 messages are waiting."
    )
    assert "dynamodb:PutItem" in render_html(report)


def test_an_hour_that_cannot_be_counted_is_named_and_not_taken_for_all(log):
    report = usual(log).report(pipeline=SICK["an hour set aside"])

    said = (
        "The hour 2026-11-17 09:00 UTC cannot be counted and is set aside: the record x cannot be read. "
        "Everything else is counted."
    )
    assert said in " ".join(render_text(report).split())
    assert "Nothing has been counted" not in render_text(report)
    assert "some events cannot be counted" in subject(report)
    assert report.actions[0].title == "Get everything counted again"


def test_what_waits_is_named_with_its_age(log):
    report = log.report(pipeline=SICK["overdue"])

    assert "33 messages are waiting, the oldest for 2 hours" in report.verdict[0].replace("\u00a0", " ")


def test_a_pipeline_that_never_ran_is_said_to(log):
    report = log.report(pipeline=SICK["never ran"])

    assert "nothing drained yet" in subject(report)
    assert "Nothing has been drained yet, and no run of the job has been recorded" in report.verdict[0]


def test_an_unexpected_error_is_named_by_its_kind(log):
    report = usual(log).report(pipeline=SICK["seal failing"])

    assert report.verdict[0] == "Nothing has been counted yet: an unexpected error, ValueError."


def test_a_queue_that_cannot_be_asked_is_an_unknown_and_no_alarm(log):
    report = usual(log).report(pipeline=SICK["queue unknown"])

    assert "could not be determined: forbidden, needs dynamodb:PutItem" in report.verdict[0]
    assert "⚠" not in subject(report)


def test_messages_that_have_just_come_are_mentioned_and_no_alarm(log):
    waiting = Pipeline(jobs=[Job(job="drain", state=State.OK, ended=THEN, succeeded=THEN)], waiting=1)
    first = log.report(pipeline=waiting)
    later = usual(log).report(pipeline=waiting)

    assert not any(words in " ".join(first.verdict) for words in CALM)
    assert "1 message is waiting." in [text.replace("\u00a0", " ") for text in first.verdict]
    assert "⚠" not in subject(later)
    assert "In the queue, 1 message is waiting." in " ".join(render_text(later).split()).replace(
        "\u00a0", " "
    )


def test_a_report_that_fails_and_a_purge_that_is_late_do_not_make_the_numbers_wrong(log):
    jobs = [
        Job(job="report", state=State.FAILING, ended=THEN, failure=FAILURE),
        Job(job="purge", state=State.OVERDUE, ended=THEN, succeeded=THEN),
    ]
    report = usual(log).report(pipeline=Pipeline(jobs=jobs, waiting=0))

    assert "Nothing needs your attention this week." in report.verdict


def test_where_nothing_fails_and_nothing_ever_arrived_there_is_no_mail(log):
    assert not worth_sending(log.report(pipeline=Pipeline(waiting=0)))


UNTIL = WEEK.start + timedelta(days=1, hours=13)


def test_a_week_that_is_not_over_is_marked_everywhere(log):
    log.ask("Where is my order?", times=30)
    report = log.report(until=UNTIL)
    text = " ".join(render_text(report).split())

    assert (report.period.complete, report.period.until) == (False, "2026-11-10T13:00+00:00")
    assert subject(report).endswith("wk 46, unfinished")
    assert "Week 46, unfinished" in render_html(report)
    assert text.count("This week is not over: it is counted up to Tue 10 November, 13:00.") == 2


def test_a_week_that_is_not_over_is_compared_with_nothing(log):
    log.ask("Where is my order?", times=100, ms=900, useful=True, at="2026-11-03T09")
    log.ask("Where is my order?", times=30, ms=90, useful=False)
    report = log.report(until=UNTIL)
    text = render_text(report)

    assert (report.changes, report.before, len(report.trend)) == ([], None, 1)
    assert all(topic.before is None for topic in report.topics)
    assert not {"▲", "▼"} & set(text)
    assert "the first week" not in text
    assert "A week that is not over is not compared with another" in " ".join(text.split())


def test_a_week_that_is_not_over_is_silent_only_once_it_has_been_for_long(log):
    for hour in range(22):
        log.ask("Where is my order?", times=3, at=f"2026-11-09T{hour:02}")

    assert log.report(until=WEEK.start + timedelta(days=1)).kind == "normal"
    assert log.report(until=WEEK.start + timedelta(days=4)).kind == "silent"
    assert log.report().kind == "silent"


def test_a_week_that_is_not_over_and_holds_nothing_says_no_more_than_that(log):
    log.ask("Where is my order?", times=30, at="2026-11-03T09")
    report = log.report(until=UNTIL)

    assert report.verdict[:2] == [
        "This week is not over: it is counted up to Tue 10 November, 13:00.",
        "Nothing has arrived since Tue 3 November, 10:00.",
    ]
    assert "in the week before" not in " ".join(report.verdict)
