"""What Lambda is configured to call: `tuppence_aws.handlers.run` and `tuppence_aws.handlers.consume`.

Lambda keeps a process and calls it many times, one call at a time. So the drivers are built once, by the
first call, and never closed. The configuration is the `tuppence.toml` of the package.

Each call logs one line of JSON: what ran, for how long, and what it did, in numbers. It holds nothing of what
people asked and nobody's address.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final, Self

import msgspec

from tuppence import jobs
from tuppence.clock import Deadline
from tuppence.config import load
from tuppence.drivers import Run
from tuppence.errors import ConfigError, DriverError
from tuppence.runtime import Runtime

RESERVE: Final = timedelta(seconds=15)
"""Kept of a call's time for what follows the job: saving the units it used takes up to ten seconds."""
SHARE: Final = 4
"""Of a call that is short, one part in so many is kept."""


def run(event: Mapping[str, Any], context: Any) -> None:
    """Run the job that a schedule asks for. What is left when time runs out is for the next call."""
    runtime = _runtime()

    def work(one: Run) -> None:
        job = jobs.JOBS.get(one.job)
        if job is None:
            raise ConfigError(f"there is no job {one.job!r}; the jobs are {', '.join(jobs.JOBS)}")
        with _Logged(runtime, job=one.job, run_id=one.run_id) as logged:
            result = job(runtime, deadline=Deadline.after(_patience(context), runtime.clock))
            logged.did = _numbers(result)

    runtime.compute.runner(work)(event, context)


def consume(event: Mapping[str, Any], context: Any) -> Any:
    """Store the messages that SQS hands over; answer which of them must come again."""
    runtime = _runtime()
    handle = jobs.consume(runtime, patience=_patience(context))
    with _Logged(runtime, job="consume", run_id=str(context.aws_request_id)) as logged:
        answer = runtime.compute.consumer(handle)(event, context)
        logged.did = {"messages": len(event.get("Records", ())), "again": len(answer["batchItemFailures"])}
    return answer


@cache
def _runtime() -> Runtime:
    return Runtime(load(Path(os.environ["LAMBDA_TASK_ROOT"]) / "tuppence.toml"))


def _patience(context: Any) -> timedelta:
    """Return how long a job may take in this call."""
    left = timedelta(milliseconds=context.get_remaining_time_in_millis())
    return left - min(RESERVE, left / SHARE)


class _Logged:
    """Logs one line when the block ends, also when it failed."""

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


def _named(error: BaseException) -> str:
    """Return an error's kind; its words are in the record that Lambda itself makes of it."""
    return str(error.code) if isinstance(error, DriverError) else type(error).__name__


def _numbers(result: Any) -> dict[str, int]:
    """Return what a job did."""
    if isinstance(result, list):
        return {"mails": len(result)}
    if isinstance(result, int):
        return {"records": result}
    return {key: int(value) for key, value in msgspec.structs.asdict(result).items()}
