"""`provider = "azure"` from a captured event to the report, through the functions that Azure would call."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from azure.apps import Here, every_minute, settings_of
from azure.queues import broker_queue, queue_at
from azure.tables import table_at
from tuppence.capture.client import Client
from tuppence.clock import Deadline
from tuppence.config import load
from tuppence.report import build
from tuppence.report.period import Week
from tuppence.runtime import Runtime
from tuppence_azure import handlers
from tuppence_azure.messages import text_of

pytestmark = pytest.mark.slow  # with Service Bus, as every test of its client

EVENTS = 500
CONFIGURATION = """\
provider = "azure"
project = "{project}"

[capture]
directory = "journals"

[pipeline]
trigger = "{trigger}"

[queue]
{queue}

[store]
connection_string = {{ env = "AZURITE" }}
"""


@pytest.fixture(params=["service_bus", "storage"])
def queue(request, project, connection_string, account, namespace, queue_files):
    name = f"tuppence-{project}"
    if request.param == "storage":
        with queue_at(connection_string, name), queue_at(connection_string, f"{name}-poison"):
            yield f'service = "storage"\nset_aside = true\nconnection_string = {{ env = "{account.env}" }}'
    else:
        with broker_queue(queue_files, name, lock=300, deliveries=10):
            yield f'connection_string = {{ env = "{namespace.env}" }}'


@pytest.fixture(params=["schedule", "event"])
def app(request, queue, project, connection_string, account, tmp_path, monkeypatch):
    """Lay out an app's folder, and give it the settings of its schedules; yield it and its configuration."""
    text = CONFIGURATION.format(project=project, trigger=request.param, queue=queue)
    (tmp_path / "tuppence.toml").write_text(text, encoding="utf-8")
    config = load(tmp_path / "tuppence.toml", environ={})
    for name, value in settings_of(*every_minute("drain", "seal")).items():
        monkeypatch.setenv(name, value)
    kept = []
    monkeypatch.setattr(handlers, "Runtime", lambda told: kept.append(Runtime(told)) or kept[-1])
    with table_at(connection_string, f"tuppence{project}"):
        yield Here(handlers.app(tmp_path)), config
        for runtime in kept:
            runtime.close()


def hand_over(app, runtime):
    """Call with what waits in the queue, a message a call, as the host does; return how many there were."""
    driver, soon = runtime.queue.driver, Deadline.after(60)
    storage = app.bindings["consume"]["type"] == "queueTrigger"
    found = []
    while part := runtime.queue.receive(max_messages=10, lease=timedelta(seconds=60), deadline=soon):
        found += part
        for delivery in part:
            app.store_text(text_of(delivery.message)) if storage else app.store_message(delivery.message)
        assert not driver.ack(part, deadline=soon)
    return len(found)


def test_what_is_captured_is_stored_sealed_and_reported(app):
    app, config = app
    with Client(config) as client:
        for number in range(EVENTS):
            with client.question(f"Open on {number % 7}?", user=f"u{number % 50}") as question:
                question.answered()
        assert client.flush(timeout=30)

    with Runtime(config) as runtime:  # as a machine beside has it
        if config.pipeline.trigger == "event":
            assert hand_over(app, runtime) > 0
        app.fire("drain")
        app.fire("seal")
        week = Week.of(runtime.clock.now(), ZoneInfo("UTC"))
        report = build(runtime.store, config, week, runtime.clock, deadline=Deadline.after(60))

    assert report.totals.questions == EVENTS
    assert report.totals.people == 50
