"""One line of the configuration moves the example application and its report to another provider."""

from __future__ import annotations

import importlib.util
import json
import random
import shutil
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from aws.queues import queues_at as sqs_at
from aws.tables import table_at as dynamo_at
from azure.fixtures import _azurite, broker, queue_files
from azure.queues import broker_queue
from azure.tables import table_at as tables_at
from contract.aws.conftest import _credentials
from gcp.fixtures import firestore_url, pubsub_url
from gcp.queues import queues_at as pubsub_at
from tuppence import jobs
from tuppence.capture import client as capturing
from tuppence.capture import question as asking
from tuppence.capture.client import Client
from tuppence.clock import Deadline, SystemClock
from tuppence.config import load
from tuppence.event import milliseconds
from tuppence.report import build, render_html, render_text
from tuppence.report.period import Week
from tuppence.runtime import Runtime
from tuppence.testing import ManualClock

__all__ = ["_azurite", "_credentials", "broker", "firestore_url", "pubsub_url", "queue_files"]

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/chatbot"
PROVIDERS = ("local", "aws", "gcp", "azure")
PROJECT = "chatbot"
PEOPLE = 40
QUESTIONS = 700


def example():
    """Return the example application as a module."""
    spec = importlib.util.spec_from_file_location("chatbot", EXAMPLE / "app.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def asked():
    """Yield a week of lines: what people ask, with and without feedback."""
    chance = random.Random(1)
    asks = (
        "When do you open on Sunday?",
        "Is there fresh rye bread today?",
        "Can I order a birthday cake?",
        "Which of your cakes have no nuts?",
        "Where can I park?",
        "Do you sell coffee?",
        "Je cherche un café <b>près d'ici</b>",
        "My card 4111 1111 1111 1111 was charged twice",
    )
    for _ in range(QUESTIONS):
        user = f"u{chance.randrange(PEOPLE)}"
        yield f"{user}: {chance.choice(asks)}"
        if chance.random() < 0.2:
            yield f"{user}: {chance.choice('++-')}"


class Passing:
    """The time that the application has: the shop's hours on two days of a week that is over."""

    def __init__(self, week):
        self._times = [
            milliseconds(week.start) + ((day * 24 + 8) * 60 + minute) * 60_000
            for day in (1, 3)
            for minute in range(12 * 60)
        ]
        self._looks = 0

    def time_ns(self):
        self._looks += 1
        return self._times[self._looks * 2 // 3 % len(self._times)] * 1_000_000

    def perf_counter(self):
        self._looks += 1
        return self._looks * 0.173


@pytest.fixture(scope="module")
def week():
    return Week.last(SystemClock().now(), ZoneInfo("Europe/London"))


@pytest.fixture
def places(ministack_url, pubsub_url, firestore_url, _azurite, broker, queue_files):
    """Return what makes each provider's queue and store, and the environment that leads to them."""
    name = f"tuppence-{PROJECT}"
    return {
        "local": ((), {}),
        "aws": (
            (lambda: sqs_at(ministack_url, PROJECT), lambda: dynamo_at(ministack_url, name)),
            {f"TUPPENCE_{kind}__ENDPOINT": ministack_url for kind in ("QUEUE", "STORE")},
        ),
        "gcp": (
            (lambda: pubsub_at(pubsub_url, PROJECT),),
            {
                "GOOGLE_CLOUD_PROJECT": "proj",
                "PUBSUB_EMULATOR_HOST": pubsub_url.removeprefix("http://"),
                "FIRESTORE_EMULATOR_HOST": firestore_url.removeprefix("http://"),
            },
        ),
        "azure": (
            (
                lambda: broker_queue(queue_files, name, lock=300, deliveries=10),
                lambda: tables_at(_azurite, f"tuppence{PROJECT}"),
            ),
            {"AZURE_STORAGE_CONNECTION_STRING": _azurite, "AZURE_SERVICEBUS_CONNECTION_STRING": broker},
        ),
    }


@pytest.fixture
def moved(places, week, tmp_path, monkeypatch):
    """Return what runs the example on a provider; it returns the week's report in every form."""

    def moved(provider):
        folder = tmp_path / provider
        shutil.copytree(EXAMPLE, folder)
        file = folder / "tuppence.toml"
        lines = file.read_text(encoding="utf-8").splitlines()
        assert [line for line in lines if line.startswith("provider")] == [lines[0]]
        file.write_text("\n".join([f'provider = "{provider}"', *lines[1:]]), encoding="utf-8")
        make, environment = places[provider]
        with ExitStack() as there, monkeypatch.context() as patched:
            for name, value in (environment | {"XDG_STATE_HOME": str(folder / "state")}).items():
                patched.setenv(name, value)
            for one in make:
                there.enter_context(one())
            config = load(file)
            assert config.provider == provider
            _serve(config, week, patched)
            return _reported(config, week)

    return moved


def _serve(config, week, patched):
    """Let the application answer everybody, on a time of its own."""
    app, passing = example(), Passing(week)
    with Client(config) as client, patched.context() as timed:
        timed.setattr(capturing, "time", passing)
        timed.setattr(asking, "time", passing)
        assert len(list(app.serve(client, asked()))) == QUESTIONS
        assert client.flush(timeout=60)


def _reported(config, week):
    """Do what the schedules do, and return the report as JSON, HTML and text."""
    with Runtime(config) as runtime:
        soon = Deadline.after(120)
        drained = jobs.drain(runtime, deadline=soon)
        jobs.seal(runtime, deadline=soon, settle=timedelta(0))
        jobs.purge(runtime, deadline=soon)
        report = build(runtime.store, config, week, ManualClock(week.end + timedelta(hours=7)), deadline=soon)
    assert drained.segments >= 24
    return msgspec.json.encode(report), render_html(report), render_text(report)


@pytest.mark.slow  # the services of three clouds
def test_the_same_application_has_the_same_report_on_every_provider(moved):
    reports = {provider: moved(provider) for provider in PROVIDERS}

    found = json.loads(reports["local"][0])
    assert found["totals"]["questions"] == QUESTIONS
    assert found["outcomes"]["no_match"] > 0
    assert found["health"]["lost"] == 0
    for provider in PROVIDERS:
        assert reports[provider] == reports["local"], provider
