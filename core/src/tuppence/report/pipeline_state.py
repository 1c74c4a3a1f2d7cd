"""What the jobs behind the application are doing, in words: for the mail, `tuppence status` and `doctor`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from tuppence.liveness import Job, Pipeline, State
from tuppence.pipeline.heartbeat import Failure
from tuppence.report.words import counted, moment

_NOTHING: Final = {
    "drain": "Nothing has been drained",
    "consume": "No message has been stored on arrival",
    "seal": "Nothing has been counted",
    "purge": "Nothing that expired has been deleted",
    "report": "The report has not run without an error",
}
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)


def problem(job: Job, pipeline: Pipeline, zone: ZoneInfo) -> str:
    """Return what is wrong with a job that fails or is overdue, without a full stop."""
    nothing = _NOTHING.get(job.job, f"The job {job.job} has not succeeded")
    since = f"since {_moment(job.succeeded, zone)}" if job.succeeded else "yet"
    if job.state is State.FAILING and job.failure:
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
    return f"{text}, the oldest for {duration(pipeline.oldest)}" if pipeline.oldest is not None else text


def reason(failure: Failure) -> str:
    """Return why a run failed, as `forbidden, needs dynamodb:PutItem on …`."""
    if not failure.provider:
        return failure.message or f"an unexpected error, {failure.code}"
    return f"{failure.code.replace('_', ' ')}, {failure.message or f'{failure.provider} {failure.operation}'}"


def duration(span: timedelta) -> str:
    """Return `40 minutes`, `3 hours` or `2 days`."""
    for unit, name in ((_DAY, "day"), (_HOUR, "hour")):
        if span >= 2 * unit:
            return counted(span // unit, name)
    return counted(span // timedelta(minutes=1), "minute")


def last_run(job: Job, zone: ZoneInfo) -> str:
    """Return when a job that is well last ran."""
    return f"last ran {_moment(job.ended, zone)}" if job.ended else "has not run yet"


def _moment(at: datetime, zone: ZoneInfo) -> str:
    return moment(at.astimezone(zone))
