"""Credentials are waited for no longer than the call that needs them may take."""

import sys
from contextlib import suppress

import pytest

from aws.faulty import SILENCE
from tuppence.clock import Deadline, SystemClock
from tuppence.errors import ErrorCode
from tuppence.testing.contract import refused
from tuppence_aws.credentials import CredentialChain


@pytest.fixture(autouse=True)
def _bare(monkeypatch):
    """Let nothing be set up, but what a test sets up."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_EC2_METADATA_DISABLED"):
        monkeypatch.delenv(name)


@pytest.fixture
def find():
    chain = CredentialChain("", SystemClock())
    return lambda: chain.get("queue.send", Deadline.after(0.3, SystemClock()))


@pytest.fixture
def silent(stand_in):
    return stand_in(lambda _: SILENCE)


def test_a_silent_endpoint_of_a_container_is_a_timeout(find, silent, monkeypatch):
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", silent)

    with refused(ErrorCode.TIMEOUT):
        find()


def test_a_machine_whose_endpoint_is_silent_has_no_role(find, silent, monkeypatch):
    """Elsewhere than on EC2 nobody answers at that address either."""
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", silent)

    with refused(ErrorCode.UNAUTHENTICATED):
        find()


def test_a_silent_sts_is_a_timeout(find, silent, monkeypatch, tmp_path):
    (tmp_path / "token").write_text("shown")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/r")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", silent)
    monkeypatch.setenv("AWS_REGION", "eu-west-2")

    with refused(ErrorCode.TIMEOUT):
        find()


def test_a_program_that_prints_no_credentials_is_a_timeout(find, monkeypatch, tmp_path):
    ready = tmp_path / "ready"
    ready.touch()
    program = tmp_path / "program.py"
    program.write_text(
        f"import pathlib, time\nwhile pathlib.Path({str(ready)!r}).exists(): time.sleep(0.05)\n"
    )
    config = tmp_path / "config"
    config.write_text(f"[profile hangs]\ncredential_process = {sys.executable} {program}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_PROFILE", "hangs")

    try:
        with refused(ErrorCode.TIMEOUT):
            find()
    finally:
        with suppress(FileNotFoundError):
            ready.unlink()
