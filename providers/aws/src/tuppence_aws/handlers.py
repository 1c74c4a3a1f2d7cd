"""What Lambda is configured to call: `tuppence_aws.handlers.run` and `tuppence_aws.handlers.consume`.

Lambda keeps a process and calls it many times, one call at a time. So the drivers are built once, by the
first call, and never closed. The configuration is the `tuppence.toml` of the package.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from tuppence import functions, jobs
from tuppence.config import load
from tuppence.runtime import Runtime


def run(event: Mapping[str, Any], context: Any) -> None:
    """Run the job that a schedule asks for. What is left when time runs out is for the next call."""
    runtime = _runtime()
    runtime.compute.runner(lambda one: functions.run(runtime, one, left=_left(context)))(event, context)


def consume(event: Mapping[str, Any], context: Any) -> Any:
    """Store the messages that SQS hands over; answer which of them must come again."""
    runtime = _runtime()
    handle = jobs.consume(runtime, patience=functions.patience(_left(context)))
    with functions.Logged(runtime, job="consume", run_id=str(context.aws_request_id)) as logged:
        answer = runtime.compute.consumer(handle)(event, context)
        logged.did = {"messages": len(event.get("Records", ())), "again": len(answer["batchItemFailures"])}
    return answer


@cache
def _runtime() -> Runtime:
    return Runtime(load(Path(os.environ["LAMBDA_TASK_ROOT"]) / "tuppence.toml"))


def _left(context: Any) -> timedelta:
    return timedelta(milliseconds=context.get_remaining_time_in_millis())
