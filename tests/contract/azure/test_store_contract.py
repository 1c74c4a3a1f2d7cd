from contextlib import contextmanager

import pytest

from azure.queues import troubled_account
from azure.tables import table_at
from tuppence.settings import Secret
from tuppence.testing import StoreContract, TroubledService
from tuppence_azure.store import TableStore


class TestTableStoreOnAzurite(StoreContract):
    """A table for each test. Expiry is the driver's own work, so its clock may be moved by hand."""

    counterpart = "azurite 3.35.0"

    @pytest.fixture
    def open_driver(self, connection_string, account, project):
        def open_driver(context, *, missing=False):
            table = f"{project}nowhere" if missing else project
            return TableStore(TableStore.Options(connection_string=account, table=table), context)

        with table_at(connection_string, project):
            yield open_driver

    @pytest.fixture
    def open_in_trouble(self, monkeypatch):
        @contextmanager
        def open_in_trouble(context, trouble):
            with TroubledService(trouble) as (host, port):
                monkeypatch.setenv("TROUBLED", troubled_account("Table", host, port))
                options = TableStore.Options(connection_string=Secret(env="TROUBLED"), table="events")
                yield TableStore(options, context)

        return open_in_trouble
