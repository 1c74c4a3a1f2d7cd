"""Function apps as Azure's host has them: a folder, its settings, and what calls the functions in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from azure.hosting import (
    Called,
    from_service_bus,
    from_storage,
    service_bus_metadata,
    storage_metadata,
    timer_of,
    timer_text,
)
from tuppence.drivers import Schedule
from tuppence_azure.cron import to_ncrontab
from tuppence_azure.timers import FUNCTION, encoded, schedule_setting, timer_setting

WORKER = Path(__file__).with_name("worker.py")
CONSUME = "consume"


def settings_of(*schedules, part="processor"):
    """Return the settings of an app that has these schedules."""
    now = datetime.now(UTC)
    settings = {"TUPPENCE_PART": part}
    for one in schedules:
        settings[schedule_setting(one.name)] = encoded(one)
        settings[timer_setting(one.name)] = to_ncrontab(one.cron, ZoneInfo(one.timezone), now)
    return settings


def every_minute(*jobs):
    return [Schedule(name=job, cron="* * * * *", job=job) for job in jobs]


class Here:
    """An app in this process, its arguments made by azure-functions."""

    def __init__(self, application):
        functions = application.get_functions()  # which may be asked for once
        self.bindings = {one.get_function_name(): one.get_trigger().get_dict_repr() for one in functions}
        self._functions = {one.get_function_name(): one.get_user_function() for one in functions}

    def fire(self, name):
        function = FUNCTION + name
        self._functions[function](timer_of(None, datetime.now(UTC)), Called(function))

    def store_text(self, text):
        self._functions[CONSUME](from_storage(text), Called())

    def store_message(self, message):
        self._functions[CONSUME](from_service_bus(message), Called())


class Worker:
    """An app that Microsoft's library for Python workers has indexed, and calls."""

    def __init__(self, process):
        self._process = process
        self.bindings = {name: found[0] for name, found in json.loads(self._answer()).items()}

    def fire(self, name):
        self._call(FUNCTION + name, "timer", (timer_text(None, datetime.now(UTC)), "json"), {})

    def store_text(self, text):
        self._call(CONSUME, "message", (text, "string"), storage_metadata())

    def store_message(self, message):
        body = message.body.decode("latin-1")
        self._call(CONSUME, "message", (body, "bytes"), service_bus_metadata(message.id))

    def _call(self, *told):
        self._process.stdin.write(json.dumps(told) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._answer())
        if not answer["done"]:
            raise RuntimeError(answer["error"])

    def _answer(self):
        line = self._process.stdout.readline()
        assert line, "the worker has ended; what it said is above"
        return line


@contextmanager
def worker(python, folder, settings):
    """Run the library on a function app; yield what calls its functions."""
    process = subprocess.Popen(
        [python, WORKER, folder],
        env={
            **os.environ,
            "PYTHONWARNINGS": "ignore",
            "PYTHON_SCRIPT_FILE_NAME": "function_app.py",
            **settings,
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=sys.__stderr__,
        text=True,
    )
    with process:
        try:
            yield Worker(process)
        finally:
            process.kill()
