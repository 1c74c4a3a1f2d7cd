"""What every test on an emulator of Google Cloud has: the emulators, a name of its own, no credentials."""

import uuid

import pytest

from emulators import firestore, pubsub, storage
from gcp.functions_service import FunctionsService
from gcp.issuer import Issuer
from gcp.monitored import Monitored
from gcp.scheduler_service import SchedulerService
from gcp.stores import OneByOne, only_the_default

__all__ = [
    "_nobody",
    "database_url",
    "firestore_url",
    "functions_service",
    "issuer",
    "monitored_url",
    "project",
    "pubsub_url",
    "scheduler_service",
    "storage_url",
]


@pytest.fixture(scope="session")
def pubsub_url():
    with pubsub() as url:
        yield url


@pytest.fixture(scope="session")
def monitored_url(pubsub_url):
    """Return the address of Pub/Sub and of what counts its backlogs."""
    with Monitored(pubsub_url).running() as proxy:
        yield proxy.url


@pytest.fixture(scope="session")
def firestore_url():
    with firestore() as url:
        yield url


@pytest.fixture(scope="session")
def database_url(firestore_url):
    """Return the address of Firestore, with a database that is not there."""
    with only_the_default(firestore_url) as url:
        yield url


@pytest.fixture(scope="session")
def storage_url():
    with storage() as url, OneByOne(url).running() as proxy:
        yield proxy.url


@pytest.fixture(scope="session")
def issuer():
    """Return who signs the tokens of calls."""
    with Issuer().running() as server:
        yield server


@pytest.fixture
def scheduler_service(issuer):
    with SchedulerService(issuer).running() as service:
        yield service


@pytest.fixture
def functions_service():
    with FunctionsService().running() as service:
        yield service


@pytest.fixture(autouse=True)
def _nobody(monkeypatch, tmp_path):
    """Let no credentials be found, whoever's machine this is."""
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "gcloud"))
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "proj")
    monkeypatch.setenv("GCE_METADATA_HOST", "127.0.0.1:1")
    for name in (
        "GOOGLE_APPLICATION_CREDENTIALS",
        "GCLOUD_PROJECT",
        "GCP_PROJECT",
        "K_SERVICE",
        "K_REVISION",
    ):
        monkeypatch.delenv(name, raising=False)
    for service in ("PUBSUB", "FIRESTORE", "STORAGE", "MONITORING", "SCHEDULER", "FUNCTIONS", "RUN"):
        monkeypatch.delenv(f"{service}_EMULATOR_HOST", raising=False)


@pytest.fixture
def project():
    """Return a name that no other test has."""
    return f"t{uuid.uuid4().hex[:12]}"
