from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cache

import pytest

from azure.queues import queue_at, troubled_account
from tuppence.settings import Secret
from tuppence.testing import QueueContract, TroubledService
from tuppence_azure.storage_queue import StorageQueue


class TestStorageQueueOnAzurite(QueueContract):
    counterpart = "azurite 3.35.0"

    @pytest.fixture
    def clock(self, service_clock):
        return service_clock

    @pytest.fixture
    def open_driver(self, connection_string, account, project):
        with ExitStack() as made:

            @cache
            def named(name):
                made.enter_context(queue_at(connection_string, f"tuppence-{name}"))
                return name

            def open_driver(context, *, missing=False):
                of_test = f"{project}-nowhere" if missing else named(names[context.project])
                options = StorageQueue.Options(connection_string=account)
                return StorageQueue(options, replace(context, project=of_test))

            names = {"contract": project, "other": f"{project}-other"}
            named(project)
            yield open_driver

    @pytest.fixture
    def open_in_trouble(self, monkeypatch):
        @contextmanager
        def open_in_trouble(context, trouble):
            with TroubledService(trouble) as (host, port):
                monkeypatch.setenv("TROUBLED", troubled_account("Queue", host, port))
                options = StorageQueue.Options(connection_string=Secret(env="TROUBLED"))
                yield StorageQueue(options, context)

        return open_in_trouble
