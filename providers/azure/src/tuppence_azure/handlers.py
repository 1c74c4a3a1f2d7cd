"""What the function apps are made of: a function for each timer, and one for a queue that calls by itself.

Azure keeps a process and calls it many times, also several times at once. So the drivers are built once, by
the first call, and never closed; and calls of one process wait for each other. The configuration is the
`tuppence.toml` of the package; which timers an app has, and which part of the project it is, its settings
say (`tuppence_azure.timers`).
"""

from __future__ import annotations

import os
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, Final

import azure.functions as func

from tuppence import functions, jobs
from tuppence.config import load
from tuppence.drivers import Role
from tuppence.runtime import Runtime
from tuppence_azure.storage_queue import StorageQueue
from tuppence_azure.timers import FUNCTION, PART, SCHEDULE, TIMER, schedule_of

CONSUME: Final = "consume"
"""The function that the queue calls, where the configuration says so."""
CONNECTION: Final = "EVENTS"
"""Begins the names of the settings that say where the queue is, unless its key is given."""
_BINARY: Final = "BINARY"
"""What the host must call a message's body, or it makes text of it."""


def app(folder: Path) -> func.FunctionApp:
    """Return the function app whose package is unpacked in a folder."""
    calls = _Calls(folder)
    application = func.FunctionApp()
    for setting in sorted(name for name in os.environ if name.startswith(TIMER)):
        timer = application.timer_trigger(
            arg_name="timer", schedule=f"%{setting}%", run_on_startup=False, use_monitor=True
        )
        application.function_name(FUNCTION + schedule_of(setting))(timer(calls.timer()))
    reads = os.environ.get(PART, Role.PROCESSOR.value) == Role.PROCESSOR.value
    if reads and calls.runtime.config.pipeline.trigger == "event":
        application.function_name(CONSUME)(calls.consumer(application))
    return application


class _Calls:
    """The functions, and what they work with."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._turn = Lock()

    @cached_property
    def runtime(self) -> Runtime:
        """The configuration, whose queue and store are known without asking them."""
        told = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        return Runtime(load(self._folder / "tuppence.toml", environ=told))

    def timer(self) -> Any:
        """Return what a timer calls: the job of its schedule. What is left over is for the next call."""

        def run(timer: func.TimerRequest, context: func.Context) -> None:
            with self._turn:
                runtime = self.runtime
                left = _longest(runtime)
                runtime.compute.runner(lambda one: functions.run(runtime, one, left=left))(timer, context)

        return run

    def consumer(self, application: func.FunctionApp) -> Any:
        """Return what the queue calls, bound to it: it stores a message, or raises, and it comes again."""
        queue: Any = self.runtime.queue.driver
        secret = queue.options.connection_string
        connection = secret.env if secret is not None and secret.env else CONNECTION

        def from_storage(message: func.QueueMessage, context: func.Context) -> None:
            self._store(message, context)

        def from_service_bus(message: func.ServiceBusMessage, context: func.Context) -> None:
            self._store(message, context)

        if isinstance(queue, StorageQueue):
            storage = application.queue_trigger(
                arg_name="message", queue_name=queue.name, connection=connection
            )
            return storage(from_storage)
        service_bus = application.service_bus_queue_trigger(
            arg_name="message", queue_name=queue.name, connection=connection, data_type=_BINARY
        )
        return service_bus(from_service_bus)

    def _store(self, message: Any, context: func.Context) -> None:
        with self._turn:
            runtime = self.runtime
            handle = jobs.consume(runtime, patience=functions.patience(_longest(runtime)))
            with functions.Logged(runtime, job=CONSUME, run_id=str(context.invocation_id)) as logged:
                runtime.compute.consumer(handle)(message, context)
                logged.did = {"messages": 1}


_OURS: Final = (SCHEDULE, TIMER, PART)
"""Variables of the environment that are no settings of the configuration's."""


def _longest(runtime: Runtime) -> timedelta:
    """Return how long a call may take, from its beginning."""
    timeout: timedelta = runtime.compute.options.timeout
    return timeout
