"""From a captured event to a day's numbers, on Azure's services."""

import secrets
from datetime import timedelta

import pytest

from azure.queues import broker_queue, queue_at
from azure.tables import table_at
from tuppence import jobs
from tuppence.capture.client import Client
from tuppence.clock import Deadline
from tuppence.config import load
from tuppence.pipeline.reader import read_days
from tuppence.runtime import Runtime

pytestmark = pytest.mark.slow  # with Service Bus, as every test of its client

EVENTS = 2_000


@pytest.fixture(params=["service_bus", "storage"])
def queue(request, project, connection_string, account, namespace, queue_files):
    name = f"tuppence-{project}"
    if request.param == "storage":
        with queue_at(connection_string, name):
            yield {"service": "storage", "connection_string": {"env": account.env}}
    else:
        with broker_queue(queue_files, name, lock=300, deliveries=10):
            yield {"connection_string": {"env": namespace.env}}  # the default


@pytest.fixture
def config(queue, project, connection_string, account, tmp_path):
    with table_at(connection_string, f"tuppence{project}"):
        yield load(
            environ={},
            folder=tmp_path,
            provider="azure",
            project=project,
            capture={"directory": str(tmp_path)},
            queue=queue,
            store={"connection_string": {"env": account.env}},
        )


def test_every_event_is_counted_once(config):
    with Client(config) as client:
        for number in range(EVENTS):
            client.capture("noise", user=f"u{number % 50}", note=secrets.token_hex(40))
        assert client.flush(timeout=30)

    with Runtime(config) as runtime:
        soon = Deadline.after(60)
        drained = jobs.drain(runtime, deadline=soon)
        jobs.seal(runtime, deadline=soon)
        left, _ = runtime.queue.depth(deadline=soon)
        today, day = runtime.clock.now().date(), timedelta(days=1)
        days = read_days(runtime.store, config.project, today - day, today + day, deadline=soon).rollups

    assert drained.segments > 1  # more than one batch, so that each kept to what the queue takes
    assert left == 0
    assert sum(cell.events for day in days.values() for cell in day.cells.values()) == EVENTS
