from datetime import UTC, datetime

import pytest

from gcp.stores import NOWHERE, bucket_at
from tuppence.testing import ManualClock, StoreContract
from tuppence.testing.records import DAY
from tuppence_gcp.store import FirestoreStore


class AllApart(FirestoreStore):
    """Keeps every body in the bucket, so that the whole contract is held by that way of keeping them."""

    def _goes_apart(self, record, condition):
        return bool(record.body)


class FirestoreContract:
    """A collection for each test. Expiry is the driver's own work, so its clock may be moved by hand."""

    __test__ = False
    counterpart = "Google's Firestore emulator, SDK 528"
    driver_class = FirestoreStore
    blobs = ""

    @pytest.fixture
    def clock(self):
        return ManualClock(datetime.now(UTC) + DAY)

    @pytest.fixture
    def open_driver(self, database_url, project):
        def open_driver(context, *, missing=False):
            options = FirestoreStore.Options(
                endpoint=database_url,
                database=NOWHERE if missing else "(default)",
                collection=project,
                blobs=self.blobs and f"{self.blobs}{project}",
            )
            return self.driver_class(options, context)

        return open_driver


class TestFirestoreStoreOnGooglesEmulator(FirestoreContract, StoreContract):
    __test__ = True


class TestFirestoreStoreWithCloudStorageOnEmulators(FirestoreContract, StoreContract):
    __test__ = True
    counterpart = "Google's Firestore emulator, SDK 528, and gcp-storage-emulator"
    driver_class = AllApart
    blobs = "gs://"

    @pytest.fixture(autouse=True)
    def _bucket(self, monkeypatch, storage_url, project):
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", storage_url)
        with bucket_at(storage_url, project):
            yield
