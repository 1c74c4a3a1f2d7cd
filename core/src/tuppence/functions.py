"""What a deployed function does, whichever platform calls it: one job within its time, and one line of log.

A platform keeps a process and calls it many times. So a provider builds the drivers once, at the first call,
and never closes them.

The line is JSON: what ran, for how long, and what it did, in numbers. It holds nothing of what people asked
and nobody's address.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final, Self

import msgspec

from tuppence import jobs
from tuppence.clock import Deadline
from tuppence.drivers import Run
from tuppence.errors import ConfigError, DriverError, TuppenceError
from tuppence.runtime import Runtime
from tuppence.schedules import SCHEDULED

RESERVE: Final = timedelta(seconds=15)
"""Kept of a call's time for what follows the job: saving its heartbeat and units takes up to ten seconds."""
SHARE: Final = 4
"""Of a call that is short, one part in so many is kept."""


def run(runtime: Runtime, asked: Run, *, left: timedelta) -> None:
    """Run the jobs of a schedule, or one by its name. What is not done in time is for the next call.

    Args:
        runtime: what the job works with.
        asked: which job, and which call of it.
        left: how long the platform lets this call go on.

    """
    names = SCHEDULED.get(asked.job, (asked.job,))
    if unknown := set(names) - jobs.JOBS.keys():
        raise ConfigError(f"there is no job {unknown.pop()!r}; the jobs are {', '.join(jobs.JOBS)}")
    deadline = Deadline.after(patience(left), runtime.clock)
    problems = []
    for name in names:
        try:
            with Logged(runtime, job=name, run_id=asked.run_id) as logged:
                logged.did = _numbers(jobs.JOBS[name](runtime, deadline=deadline))
        except TuppenceError as error:  # keeps no other from running
            problems.append(error)
    if problems:
        raise problems[0]


def patience(left: timedelta) -> timedelta:
    """Return how long the work of a call may take, of the time that the platform lets it go on."""
    return left - min(RESERVE, left / SHARE)


class Logged:
    """Logs one line when the block ends, also when it failed.

    Attributes:
        did: numbers that the line is to tell.

    """

    def __init__(self, runtime: Runtime, **about: str) -> None:
        self._clock = runtime.clock
        self._about: dict[str, Any] = about
        self.did: Mapping[str, int] = {}

    def __enter__(self) -> Self:
        self._started = self._clock.monotonic()
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        took = round(self._clock.monotonic() - self._started, 3)
        failed = {} if error is None else {"failed": _named(error)}
        sys.stdout.write(json.dumps({**self._about, "seconds": took, **self.did, **failed}) + "\n")
        sys.stdout.flush()  # a platform may freeze the process once it has its answer


def _named(error: BaseException) -> str:
    """Return an error's kind; its words are in the record that the platform itself makes of it."""
    return str(error.code) if isinstance(error, DriverError) else type(error).__name__


def _numbers(result: Any) -> dict[str, int]:
    """Return what a job did."""
    if isinstance(result, list):
        return {"mails": len(result)}
    if isinstance(result, int):
        return {"records": result}
    return {key: int(value) for key, value in msgspec.structs.asdict(result).items()}
