from dataclasses import replace

import pytest

from azure.queues import queue_at
from tuppence.testing import QueueContract
from tuppence_azure.storage_queue import StorageQueue


class TestStorageQueueOnAzurite(QueueContract):
    counterpart = "azurite 3.35.0"

    @pytest.fixture
    def clock(self, service_clock):
        return service_clock

    @pytest.fixture
    def open_driver(self, connection_string, account, project):
        def open_driver(context, *, missing=False):
            named = replace(context, project=f"{project}-nowhere" if missing else project)
            return StorageQueue(StorageQueue.Options(connection_string=account), named)

        with queue_at(connection_string, f"tuppence-{project}"):
            yield open_driver
