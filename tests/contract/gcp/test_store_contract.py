from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from gcp.stores import NOWHERE, bucket_at
from tuppence.testing import ManualClock, StoreContract, TroubledService
from tuppence.testing.records import DAY
from tuppence_gcp.store import FirestoreStore


class FirestoreContract:
    """A collection for each test. Expiry is the driver's own work, so its clock may be moved by hand."""

    __test__ = False
    counterpart = "Google's Firestore emulator, SDK 528"
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
            return FirestoreStore(options, context)

        return open_driver

    @pytest.fixture
    def open_in_trouble(self, project):
        @contextmanager
        def open_in_trouble(context, trouble):
            with TroubledService(trouble) as (host, port):
                options = FirestoreStore.Options(endpoint=f"http://{host}:{port}", collection=project)
                yield FirestoreStore(options, context)

        return open_in_trouble


class TestFirestoreStoreOnGooglesEmulator(FirestoreContract, StoreContract):
    __test__ = True


class TestFirestoreStoreWithCloudStorageOnEmulators(FirestoreContract, StoreContract):
    __test__ = True
    counterpart = "Google's Firestore emulator, SDK 528, and gcp-storage-emulator"
    blobs = "gs://"

    @pytest.fixture(autouse=True)
    def _all_apart(self, monkeypatch, storage_url, project):
        """Keep every body in a bucket, so that the whole contract is held by that way of keeping them."""
        monkeypatch.setattr(FirestoreStore, "_goes_apart", lambda _, record, condition: bool(record.body))
        monkeypatch.setattr("tuppence_gcp.store.LEAST", 1)
        monkeypatch.setattr("tuppence_gcp.store.ALONE", 1)
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", storage_url)
        with bucket_at(storage_url, project):
            yield
