"""The option for a real account put to the test: what it collects, and its suites on an emulator."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import boto3
import pytest

from aws.deploy.test_deployed import everything
from aws.functions import client_at
from emulators import ministack

ROOT = Path(__file__).parents[2]
SUITES = "tests/contract/aws"
LIVE = f"{SUITES}/live/"
KINDS = (
    "SqsFifoQueue",
    "SqsStandardQueue",
    "DynamoStore",
    "EventBridgeScheduler",
    "LambdaCompute",
    "SesMailer",
)
OF_EACH = ("test_check", "test_findings", "forked_child", "is_billed")
CHOSEN = f"(not Sqs and not Dynamo and not long_list) or ({' or '.join(OF_EACH)})"
"""Of queue and store a few tests, since they wait in real time; the emulator lists a hundred schedules."""
ELSEWHERE = "test_deployed.py"
"""Has an emulator's functions run on another Python than is deployed; tests/aws/deploy does this on it."""


@pytest.fixture(scope="module")
def ministack_url():
    """Run an emulator on which no other test leaves anything."""
    with ministack() as url:
        yield url


def pytest_on(*arguments, **environment):
    told = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        check=False,
        cwd=ROOT,
        env={**told, **environment},
        capture_output=True,
        text=True,
    )


def collected(*arguments):
    """Return the tests that would be run."""
    printed = pytest_on("--collect-only", "-q", *arguments).stdout
    return [line for line in printed.splitlines() if "::" in line]


def test_with_the_option_only_what_runs_on_a_real_account_is_collected():
    found = collected("--tuppence-live", SUITES)

    assert all(test.startswith(LIVE) for test in found)
    assert [kind for kind in KINDS if not any(f"Test{kind}Live::" in test for test in found)] == []
    assert any(ELSEWHERE in test for test in found)


@pytest.mark.parametrize("named", [SUITES, f"{LIVE}test_contracts.py"])
def test_without_the_option_nothing_of_it_is_collected_even_where_it_is_named(named):
    found = collected(named)

    assert not [test for test in found if test.startswith(LIVE)]
    assert bool(found) == (named == SUITES)


def test_before_anything_is_made_it_says_where_what_it_costs_and_who_is_mailed():
    printed = pytest_on("--collect-only", "--tuppence-live", "--tuppence-live-mail", "me@example.com", SUITES)

    (line,) = [line for line in printed.stdout.splitlines() if line.startswith("tuppence: ")]
    assert "a real account" in line
    assert "$" in line
    assert line.endswith("real mail goes to me@example.com")


@pytest.mark.slow
def test_its_suites_pass_on_an_emulator_in_awss_place_and_leave_nothing(ministack_url):
    with client_at(ministack_url, "sesv2") as ses:
        ses.create_email_identity(EmailIdentity="me@example.net")

    ran = pytest_on(
        *("-q", "-rA", SUITES, "--tuppence-live", "--tuppence-live-mail", "me@example.net"),
        *("-k", f"not {ELSEWHERE.removesuffix('.py')} and ({CHOSEN})"),
        AWS_ENDPOINT_URL=ministack_url,
    )

    assert ran.returncode == 0, ran.stdout[-5000:]
    assert [kind for kind in KINDS if f"Test{kind}Live::" not in ran.stdout] == []
    assert everything(lambda service: boto3.client(service, endpoint_url=ministack_url), "tuppence-t") == {}
