"""`provider = "gcp"` from an application's call to the report: what deployment makes, on this machine.

Pub/Sub and Firestore are Google's emulators, functions are processes of functions-framework, and Cloud
Scheduler is our stand-in. What stands before the functions is ours too, and does what Cloud Run says it does:
it looks at each call's token, and passes it on without its signature.
"""

from __future__ import annotations

import json
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from google.auth import jwt

from aws.faulty import Faulty
from cli.result import Result
from emulators import free_port, running
from gcp.answers import error_of
from gcp.issuer import removed
from gcp.queues import queues_at
from tuppence import Client
from tuppence.cli.app import DONE, run
from tuppence.config import load
from tuppence.runtime import Runtime
from tuppence.schedules import register
from tuppence_gcp.package import MAIN

PARTS = ("drain", "seal", "report")
QUESTIONS = 30
CONFIGURATION = """\
provider = "gcp"
project = "{project}"
timezone = "Europe/London"

[report]
to = ["me@example.com"]
sender = "me@example.com"

[mailer]
provider = "local"
directory = "mails"

[compute]
function_url = "{front}/{{function}}"
certificates = "{certificates}"

[scheduler]
function_url = "{front}/{{function}}"
"""


class CloudRun(Faulty):
    """What Google has before functions: it lets the invoker in, and passes calls on."""

    def __init__(self, issuer, invoker):
        super().__init__("http://127.0.0.1:1")
        self._issuer = issuer
        self._invoker = invoker
        self.functions = {}

    def answer(self, request):
        part = request.path.strip("/")
        headers = {name.lower(): value for name, value in request.headers.items()}
        token = headers.get("authorization", "").removeprefix("Bearer ")
        try:
            told = jwt.decode(token, certs=self._issuer.known, audience=f"{self.url}/{part}")
        except ValueError:
            return error_of(401, "UNAUTHENTICATED")
        if told["email"] != self._invoker:
            return error_of(403, "PERMISSION_DENIED")
        passed = {**headers, "authorization": f"Bearer {removed(token)}"}
        with Faulty(self.functions[part]).running() as there:
            return there._forward(request.__class__("POST", "/", passed, request.body))


@contextmanager
def functions(folder, project, environment):
    """Run each function in a process of its own, as Cloud Run would; lend their addresses."""
    (folder / "main.py").write_text(MAIN, encoding="utf-8")
    command = [
        "functions-framework",
        "--source",
        str(folder / "main.py"),
        "--target",
        "run",
        "--host",
        "127.0.0.1",
    ]
    with ExitStack() as stack:
        addresses = {}
        for part in PARTS:
            port, name = free_port(), f"tuppence-{project}-{part}"
            told = {**environment, "K_SERVICE": name, "K_REVISION": f"{name}-00001-abc"}
            stack.enter_context(running([*command, "--port", str(port)], port, told))
            addresses[part] = f"http://127.0.0.1:{port}"
        yield addresses


@pytest.fixture
def tuppence(capsys, place):
    def call(*arguments):
        capsys.readouterr()
        status = run([*arguments, "--config", str(place)])
        printed = capsys.readouterr()
        return Result(status, printed.out, printed.err)

    return call


@pytest.fixture
def front(issuer, project):
    with CloudRun(issuer, f"tuppence-{project}-invoke@proj.iam.gserviceaccount.com").running() as front:
        yield front


@pytest.fixture
def place(tmp_path, project, front, issuer):
    place = tmp_path / "tuppence.toml"
    text = CONFIGURATION.format(project=project, front=front.url, certificates=issuer.certificates)
    place.write_text(text, encoding="utf-8")
    return place


@pytest.fixture
def environment(monkeypatch, pubsub_url, firestore_url, scheduler_service, tmp_path, place):
    told = {
        "PUBSUB_EMULATOR_HOST": pubsub_url.removeprefix("http://"),
        "FIRESTORE_EMULATOR_HOST": firestore_url.removeprefix("http://"),
        "SCHEDULER_EMULATOR_HOST": scheduler_service.url.removeprefix("http://"),
        "TUPPENCE_CONFIG": str(place),
        "TUPPENCE_CAPTURE__DIRECTORY": str(tmp_path / "journals"),
    }
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    return told


def last_week():
    """Return import lines of last week's questions."""
    now = datetime.now(UTC)
    at = (now - timedelta(days=now.weekday() + 4)).isoformat()
    lines = (
        {
            "id": f"q{n}",
            "type": "question",
            "time": at,
            "data": {"text": f"Open on {n}?", "outcome": "answered"},
        }
        for n in range(QUESTIONS)
    )
    return "".join(json.dumps(line) + "\n" for line in lines)


def test_what_an_application_asks_is_in_the_report_that_schedules_make(
    tuppence, place, environment, project, front, scheduler_service, pubsub_url, tmp_path
):
    (tmp_path / "week.ndjson").write_text(last_week(), encoding="utf-8")
    jobs = f"projects/proj/locations/us-central1/jobs/tuppence-{project}-"
    with Runtime(load(place)) as runtime:
        register(runtime.scheduler, runtime.config)

    with queues_at(pubsub_url, project), functions(tmp_path, project, environment) as addresses:
        front.functions |= addresses
        with Client(config=place) as client:
            client.capture("signup", user="u1")
            assert client.flush(30)
        assert tuppence("import", str(tmp_path / "week.ndjson")).status == DONE

        fired = [scheduler_service.fire(f"{jobs}{part}") for part in PARTS]

    assert fired == [[204]] * 3
    told = tuppence("report", "--week", "last", "--format", "json").json
    assert told["totals"]["questions"] == QUESTIONS
    assert told["outcomes"]["answered"] == QUESTIONS
    (mail,) = tmp_path.rglob("*.eml")
    assert f"{QUESTIONS} questions" in mail.read_text(encoding="utf-8")


def test_a_schedule_of_somebody_else_runs_nothing(
    place, environment, project, front, scheduler_service, tmp_path
):
    with Runtime(load(place)) as runtime:
        register(runtime.scheduler, runtime.config)
    (job,) = (one for name, one in scheduler_service.jobs.items() if name.endswith("-drain"))
    job["httpTarget"]["oidcToken"]["serviceAccountEmail"] = "someone@else.iam.gserviceaccount.com"
    job["retryConfig"]["retryCount"] = 0

    assert scheduler_service.fire(job["name"]) == [403]
