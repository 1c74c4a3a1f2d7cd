"""Whether the jobs behind the application run, in words: for the mail, `tuppence status` and `doctor`.

A report is made from what has been counted. Where the jobs that count fail, or nobody knows what waits, it
must not read as if that were all.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from tuppence.liveness import Job, Pipeline, State
from tuppence.pipeline.heartbeat import Failure
from tuppence.pipeline.unsealed import UnsealedError
from tuppence.report.document import Action, Report
from tuppence.report.words import capital, counted, moment

_NOTHING: Final = {
    "drain": "Nothing has been drained",
    "consume": "No message has been stored on arrival",
    "seal": "Nothing has been counted",
    "purge": "Nothing that expired has been deleted",
    "report": "The report job has not succeeded",
}
_COUNTING: Final = frozenset({"drain", "consume", "seal"})
"""The jobs without which nothing is counted."""
_VERBS: Final = {"drain": "nothing drained", "consume": "nothing stored", "seal": "nothing counted"}
_SHOWN: Final = 2
"""Jobs that are named in one mail at most, the first in the way of the events."""
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)


def problem(job: Job, pipeline: Pipeline, zone: ZoneInfo) -> str:
    """Return what is wrong with a job that fails or is overdue, without a full stop."""
    nothing = _NOTHING.get(job.job, f"The job {job.job} has not succeeded")
    since = f"since {_moment(job.succeeded, zone)}" if job.succeeded else "yet"
    if job.failure and _counts_in_part(job):
        text = capital(reason(job.failure))
    elif job.state is State.FAILING and job.failure:
        text = f"{nothing} {since}: {reason(job.failure)}"
    elif job.ended is None:
        text = f"{nothing} yet, and no run of the job has been recorded"
    else:
        text = f"{nothing} {since}, and no run has been recorded after that"
    if job.job == "drain" and pipeline.waiting:
        text += f"; {waiting(pipeline)}"
    return text


def waiting(pipeline: Pipeline) -> str:
    """Return `33 messages are waiting, the oldest for 3 hours`."""
    count = pipeline.waiting or 0
    text = f"{counted(count, 'message')} {'is' if count == 1 else 'are'} waiting"
    if pipeline.oldest_seconds is None:
        return text
    return f"{text}, the oldest for {duration(timedelta(seconds=pipeline.oldest_seconds))}"


def reason(failure: Failure) -> str:
    """Return why a run failed, as `forbidden, needs dynamodb:PutItem on …`."""
    if not failure.provider:
        return failure.message or f"an unexpected error, {failure.code}"
    return f"{failure.code.replace('_', ' ')}, {failure.message or f'{failure.provider} {failure.operation}'}"


def duration(span: timedelta) -> str:
    """Return `less than a minute`, `40 minutes`, `3 hours` or `2 days`."""
    for unit, name in ((_DAY, "day"), (_HOUR, "hour")):
        if span >= 2 * unit:
            return counted(span // unit, name)
    minutes = span // timedelta(minutes=1)
    return counted(minutes, "minute") if minutes else "less than a minute"


def last_run(job: Job, zone: ZoneInfo) -> str:
    """Return when a job that is well last ran."""
    return f"last ran {_moment(job.ended, zone)}" if job.ended else "has not run yet"


def alarms(report: Report) -> list[str]:
    """Return a sentence for each job that fails or is overdue."""
    zone, pipeline = ZoneInfo(report.period.zone), report.health.pipeline
    return [f"{problem(job, pipeline, zone)}." for job in _sick(report)[:_SHOWN]]


def alarm_in_brief(report: Report) -> str:
    """Return what a subject says of the worst job, as `nothing drained since Tue 24 November, 14:20`."""
    sick = _sick(report)
    if not sick:
        return ""
    if _counts_in_part(sick[0]):
        return "some events cannot be counted"
    verb = _VERBS.get(sick[0].job, f"{sick[0].job} has not run")
    at = sick[0].succeeded
    return f"{verb} since {_moment(at, ZoneInfo(report.period.zone))}" if at else f"{verb} yet"


def unknown(report: Report) -> str:
    """Return that nobody knows what waits in the queue, or nothing where it is known."""
    failure = report.health.pipeline.queue_failure
    if failure is None:
        return ""
    return f"Whether messages are waiting in the queue could not be determined: {reason(failure)}."


def remarks(report: Report) -> Iterator[str]:
    """Yield what Data health says of the pipeline."""
    yield from alarms(report)
    if doubt := unknown(report):
        yield doubt
    elif report.health.pipeline.waiting and not alarms(report):
        yield f"In the queue, {waiting(report.health.pipeline)}."


def repairs(report: Report) -> Iterator[Action]:
    """Yield what is to be done about jobs that fail, and about a queue that cannot be asked."""
    in_part = all(map(_counts_in_part, _sick(report)))
    for sentence in alarms(report)[:1]:
        yield Action(
            title="Get everything counted again" if in_part else "Get the jobs running again",
            why=f"{sentence} Until then this report is not complete.",
            command="tuppence doctor",
        )
    if doubt := unknown(report):
        yield Action(title="Let the report look at the queue", why=doubt, command="tuppence doctor")


def nothing_waits(report: Report) -> bool:
    """Whether it is known that no events are on their way: what has not been counted has not arrived."""
    return not (alarms(report) or unknown(report) or report.health.pipeline.waiting)


def nothing_arrived(report: Report) -> list[str]:
    """Return what is said where no event has ever been counted."""
    check = "Run “tuppence doctor” where the application runs: it checks every step and says what to repair."
    if troubles := alarms(report):
        return [*troubles, "So no events have been counted.", check]
    if doubt := unknown(report):
        return ["No events have been counted.", doubt, check]
    if report.health.pipeline.waiting:
        return ["No events have been counted yet.", f"{waiting(report.health.pipeline)}.", check]
    return [
        "No events have arrived yet.",
        "Sending mail works. What is missing is a first event, or its way here from your application.",
        check,
    ]


def unfinished(report: Report) -> str:
    """Return how far the report of a week goes that is not over; nothing where it is."""
    if report.period.until is None:
        return ""
    until = moment(datetime.fromisoformat(report.period.until))
    return f"This week is not over: it is counted up to {until}."


def worth_sending(report: Report) -> bool:
    """Whether there is anything to mail: something has arrived, or nobody can say that nothing has."""
    return bool(report.kind != "empty" or alarms(report) or unknown(report))


def _sick(report: Report) -> list[Job]:
    """Return the jobs that a reader has to know of.

    The report is running right now, and what does not touch the numbers may run after it.
    """
    return [
        job
        for job in report.health.pipeline.sick
        if job.job in _COUNTING or (job.state is State.FAILING and job.job != "report")
    ]


def _counts_in_part(job: Job) -> bool:
    """Whether a job did what it could, and all but some hours or days are counted."""
    failure = job.failure
    return job.state is State.FAILING and failure is not None and failure.code == UnsealedError.__name__


def _moment(at: datetime, zone: ZoneInfo) -> str:
    return moment(at.astimezone(zone))
