"""A project's parts on an emulator, made without Terraform, and the doctor who looks at them."""

from __future__ import annotations

import json
import os
from contextlib import ExitStack, contextmanager

import pytest

from aws.faulty import Answer, Faulty
from aws.functions import client_at, functions_at, role_at
from aws.queues import queues_at
from aws.tables import table_at
from cli.result import Result
from tuppence.cli.app import run
from tuppence.config import load
from tuppence.drivers import Role
from tuppence.runtime import Runtime
from tuppence.schedules import register
from tuppence_aws.compute import FUNCTIONS

CONFIGURATION = """\
provider = "aws"
project = "{project}"

[report]
to = ["me@example.com", "them@example.org"]
sender = "Bot <bot@example.com>"
"""
PART = '[{kind}]\nregion = "eu-west-2"\nendpoint = "{url}"\n'
STS = "/"
"""The path of what speaks AWS's query protocol, which answers in XML."""
ROLES = (Role.PROCESSOR, Role.REPORTER)
KINDS = ("queue", "store", "compute", "scheduler", "mailer")


@pytest.fixture
def configured(tmp_path, project, monkeypatch):
    """Write the configuration of the project, on this address; other addresses for some of its kinds."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("TUPPENCE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TUPPENCE_CAPTURE__DIRECTORY", str(tmp_path / "journals"))

    def configured(url, **others):
        parts = [PART.format(kind=kind, url=others.get(kind, url)) for kind in KINDS]
        place = tmp_path / "tuppence.toml"
        place.write_text(CONFIGURATION.format(project=project) + "".join(parts), encoding="utf-8")
        return place

    return configured


@pytest.fixture
def made(ministack_url, project, configured):
    """Make everything a project has, and return the emulator's address."""
    names = [f"tuppence-{project}-{part}" for part in dict.fromkeys(FUNCTIONS.values())]
    with ExitStack() as stack:
        stack.enter_context(queues_at(ministack_url, project))
        stack.enter_context(table_at(ministack_url, f"tuppence-{project}"))
        with Runtime(load(configured(ministack_url))) as runtime:
            kinds = (runtime.queue.driver, runtime.store.driver, runtime.mailer)
            needed = [one for driver in kinds for role in ROLES for one in driver.permissions(role)]
        role = stack.enter_context(role_at(ministack_url, f"tuppence-{project}-invoke", needed))
        stack.enter_context(functions_at(ministack_url, *names, role=role))
        stack.enter_context(group_at(ministack_url, f"tuppence-{project}"))
        with Runtime(load(configured(ministack_url))) as runtime:
            register(runtime.scheduler, runtime.config)
        yield ministack_url


@contextmanager
def group_at(url, name):
    with client_at(url, "scheduler") as scheduler:
        scheduler.create_schedule_group(Name=name)
        yield
        scheduler.delete_schedule_group(Name=name)


@pytest.fixture
def doctor(capsys):
    """Run the doctor; return what was found, as texts by part and state."""

    def doctor():
        capsys.readouterr()
        status = run(["doctor", "--json"])
        result = Result(status, *capsys.readouterr())
        return Told(result)

    return doctor


class Told:
    """What the doctor told."""

    def __init__(self, result):
        self.text = result.stdout
        self.status = result.status
        self.findings = result.json["findings"]

    def of(self, part, *states):
        """Return the findings of a part, of these states or of all, each with what to do."""
        return [
            f"{one['detail']} | {one['mend']}"
            for one in self.findings
            if one["part"] == part and (not states or one["state"] in states)
        ]


@pytest.fixture
def answering():
    """Return what starts a server that answers some paths or actions, and passes the other calls on.

    An answer is a document, or a status with an error's code.
    """
    with ExitStack() as stack:

        def answering(upstream, answers, **headers):
            def answer(request, forward):
                asked = request.operation or request.path.partition("?")[0]
                if asked not in answers:
                    return forward(request)
                return _answer(asked, answers[asked], headers)

            proxy = Faulty(upstream, (answer,), rate=1.0)
            return stack.enter_context(proxy.running()).url

        yield answering


def _answer(asked, told, headers):
    status, code = told if isinstance(told, tuple) else (200, "")
    if asked == STS:
        body = f"<ErrorResponse><Error><Code>{code}</Code></Error></ErrorResponse>"
        return Answer(status, {"Content-Type": "text/xml", **headers}, body.encode())
    body = {"__type": code, "message": "made up"} if code else told
    kind = {"Content-Type": "application/x-amz-json-1.0", "x-amzn-ErrorType": code}
    return Answer(status, {**kind, **headers}, json.dumps(body).encode())
