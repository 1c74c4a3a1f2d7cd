"""What functions-framework is configured to call: `run`, `consume` and `receive`, which `main.py` names.

Cloud Run keeps a process and calls it many times, one call at a time. So the drivers are built once, by the
first call, and never closed. The configuration is the `tuppence.toml` of the package, beside `main.py`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, cast

from tuppence import functions, jobs
from tuppence.config import load
from tuppence.config_sources import ENV_FILE
from tuppence.drivers import BatchHandler, Delivery, ItemError
from tuppence.runtime import Runtime
from tuppence_gcp.compute import CONSUMES, CloudRunCompute


def run(request: Any) -> Any:
    """Run the job that a schedule asks for. What is left when time runs out is for the next call."""
    runtime, compute = _parts()
    return compute.runner(lambda one: functions.run(runtime, one, left=compute.time))(request)


def consume(request: Any) -> Any:
    """Store the message that Pub/Sub pushes; answer whether it must come again."""
    runtime, compute = _parts()
    return compute.consumer(_stored(runtime))(request)


def receive(event: Any) -> None:
    """Store the message that Eventarc hands over as an event; end the call with what must come again."""
    runtime, compute = _parts()
    compute.listener(_stored(runtime))(event)


def _stored(runtime: Runtime) -> BatchHandler:
    """Return what stores messages, and logs it."""
    handle = jobs.consume(runtime, patience=functions.patience(CONSUMES))

    def stored(deliveries: Sequence[Delivery]) -> Sequence[ItemError]:
        with functions.Logged(runtime, job="consume", run_id=deliveries[0].message.id) as logged:
            again = handle(deliveries)
            logged.did = {"messages": len(deliveries), "again": len(again)}
        return again

    return stored


@cache
def _parts() -> tuple[Runtime, CloudRunCompute]:
    beside = Path(__file__).parents[1] / "tuppence.toml"
    runtime = Runtime(load(os.environ.get(ENV_FILE) or beside))
    return runtime, cast("CloudRunCompute", runtime.compute)
