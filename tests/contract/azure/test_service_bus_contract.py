from contextlib import ExitStack
from dataclasses import replace

import pytest

from azure.queues import broker_queue
from tuppence.testing import QueueContract
from tuppence_azure import queue as module
from tuppence_azure.queue import ServiceBusQueue

pytestmark = pytest.mark.slow  # the official client connects in half a second, and leaves in as long


class TestServiceBusQueueOnOurBroker(QueueContract):
    """A queue for each test. Leases are as long as the queue's locks, which are those the tests ask for."""

    counterpart = "a broker of our own"

    @pytest.fixture
    def clock(self, service_clock):
        return service_clock

    @pytest.fixture
    def open_driver(self, namespace, queue_files, project, monkeypatch):
        monkeypatch.setattr(module, "LEAST_WAIT", 0.2)  # the broker is near

        names = {"contract": project, "other": f"{project}-other"}

        def open_driver(context, *, missing=False):
            of_test = f"{project}-nowhere" if missing else names[context.project]
            options = ServiceBusQueue.Options(connection_string=namespace)
            return ServiceBusQueue(options, replace(context, project=of_test))

        with ExitStack() as made:
            for name in names.values():
                made.enter_context(broker_queue(queue_files, f"tuppence-{name}", lock=30, deliveries=6))
            yield open_driver
