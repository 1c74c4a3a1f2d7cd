"""What every test on an emulator of AWS has: credentials, and a name of its own."""

import uuid

import pytest

from tuppence.testing import SECRET


@pytest.fixture(autouse=True)
def _credentials(monkeypatch):
    """Let the SDK find what the emulators take, whoever's machine this is."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "eu-west-2",
        "AWS_REGION": "eu-west-2",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def project():
    """Return a name that no other test has."""
    return f"t{uuid.uuid4().hex[:12]}"
