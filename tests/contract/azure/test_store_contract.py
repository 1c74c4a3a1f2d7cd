import pytest

from azure.tables import table_at
from tuppence.testing import StoreContract
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
