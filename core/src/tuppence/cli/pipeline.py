"""What `tuppence doctor` and `tuppence status` say of the jobs and their schedules."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from tuppence.cli.output import count, next_step
from tuppence.drivers import Kind, Schedule
from tuppence.errors import DriverError, ErrorCode
from tuppence.findings import Finding, note, ok, wrong
from tuppence.liveness import Job, Pipeline, State
from tuppence.pipeline.heartbeat import Failure
from tuppence.report.pipeline_state import last_run, problem
from tuppence.report.words import NBSP
from tuppence.runtime import Runtime
from tuppence.schedules import schedules


def jobs(runtime: Runtime, pipeline: Pipeline) -> Iterator[Finding]:
    """Say of each job when it last ran, or what is wrong with it."""
    zone = ZoneInfo(runtime.config.timezone)
    for job in pipeline.jobs:
        if job in pipeline.sick:
            detail = problem(job, pipeline, zone).replace(NBSP, " ")
            yield wrong(detail, _mend(runtime, job), part=job.job)
        elif job.state is State.WAITING:
            yield note(last_run(job, zone), part=job.job)
        else:
            yield ok(last_run(job, zone).replace(NBSP, " "), part=job.job)


def schedule(runtime: Runtime, there: list[Schedule]) -> Iterator[Finding]:
    """Look whether what has to run is set to run, and as the configuration says."""
    known = {one.name: one for one in there}
    wanted = schedules(runtime.config)
    gone = [one.name for one in wanted if one.name not in known]
    other = [one.name for one in wanted if one.name in known and known[one.name] != one]
    deployed = _deployed(runtime)
    mend = "`tuppence deploy` sets them." if deployed else "`tuppence worker` sets them when it starts."
    if gone and (deployed or known):
        detail = f"{count(len(gone), 'schedule is', 'schedules are')} missing: {', '.join(gone)}"
        yield wrong(detail, mend, part="schedules")
    elif gone:
        detail = f"{count(len(gone), 'schedule')} not set: {', '.join(gone)}"
        yield note(detail, f"{mend} `worker --once` needs none.", part="schedules")
    if other:
        detail = f"{count(len(other), 'schedule')} not set as the configuration says: {', '.join(other)}"
        yield wrong(detail, mend, part="schedules") if deployed else note(detail, mend, part="schedules")


def mend_of(failure: Failure) -> str:
    """Return what to do about a failure that was written down."""
    if not failure.provider:
        return "Run it by hand with `--debug` to see why."
    code = ErrorCode(failure.code) if failure.code in set(ErrorCode) else ErrorCode.UNKNOWN
    return next_step(DriverError(code, operation=failure.operation, provider=failure.provider))


def _mend(runtime: Runtime, job: Job) -> str:
    failure, deployed = job.failure, _deployed(runtime)
    if failure is not None:
        if deployed and failure.code == ErrorCode.FORBIDDEN:
            return "`tuppence deploy` gives each function the permissions it needs."
        return mend_of(failure)
    by_hand = f"`tuppence {'drain' if job.job == 'consume' else job.job}` does it by hand."
    if deployed:
        return f"Look at the log of its function and at its schedule; `tuppence deploy` sets both. {by_hand}"
    return f"Is `tuppence worker` running? {by_hand}"


def _deployed(runtime: Runtime) -> bool:
    """Whether the schedules are made by `tuppence deploy`, and not by a worker."""
    provider = runtime.plugins.providers.get(runtime.config.provider_of(Kind.SCHEDULER))
    return bool(provider is not None and provider.deployer)
