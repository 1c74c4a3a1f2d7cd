"""What every test on an emulator of Azure has: the emulator, a name of its own, nobody's credentials."""

import uuid

import pytest

from azure.arm import Arm
from emulators import azurite, service_bus
from tuppence.settings import Secret

__all__ = [
    "_azurite",
    "_nobody",
    "account",
    "arm",
    "broker",
    "connection_string",
    "namespace",
    "project",
    "queue_files",
]


@pytest.fixture(scope="session")
def _azurite(services_clock):
    with azurite(services_clock.environment) as connection_string:
        yield connection_string


@pytest.fixture
def connection_string(_azurite):
    """Return what Azurite's account is reached by."""
    return _azurite


@pytest.fixture
def account(connection_string, monkeypatch):
    """Return the reference to it that a configuration holds."""
    monkeypatch.setenv("AZURITE", connection_string)
    return Secret(env="AZURITE")


@pytest.fixture(scope="session")
def queue_files(tmp_path_factory):
    """Return the folder whose files are the broker's queues."""
    return tmp_path_factory.mktemp("queues")


@pytest.fixture(scope="session")
def broker(services_clock, queue_files):
    with service_bus(queue_files, services_clock.environment) as connection_string:
        yield connection_string


@pytest.fixture
def namespace(broker, monkeypatch):
    """Return the reference to the broker's connection string that a configuration holds."""
    monkeypatch.setenv("SERVICE_BUS", broker)
    return Secret(env="SERVICE_BUS")


@pytest.fixture(autouse=True)
def _nobody(monkeypatch):
    """Let no credentials be found, whoever's machine this is."""
    for name in (
        "AZURE_STORAGE_ACCOUNT",
        "AZURE_STORAGE_CONNECTION_STRING",
        "AZURE_SERVICEBUS_CONNECTION_STRING",
        "AZURE_CLIENT_ID",
        "AZURE_TENANT_ID",
        "AZURE_CLIENT_SECRET",
        "AZURE_SUBSCRIPTION_ID",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def arm(monkeypatch):
    """Run a stand-in for Resource Manager, and let credentials for it be found."""
    with Arm().running() as arm:
        for name, value in arm.environment.items():
            monkeypatch.setenv(name, value)
        yield arm


@pytest.fixture
def project():
    """Return a name that no other test has."""
    return f"t{uuid.uuid4().hex[:12]}"
