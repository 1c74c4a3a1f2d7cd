"""What every test on an emulator of Azure has: the emulator, a name of its own, nobody's credentials."""

import uuid

import pytest

from emulators import azurite
from tuppence.settings import Secret

__all__ = ["_azurite", "_nobody", "account", "connection_string", "project"]


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
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def project():
    """Return a name that no other test has."""
    return f"t{uuid.uuid4().hex[:12]}"
