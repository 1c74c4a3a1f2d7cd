"""From nothing to a week's numbers and back to nothing, on a real account."""

from __future__ import annotations

import boto3
import pytest

from aws.deploy.conftest import CONFIGURATION
from aws.deploy.test_deployed import awaited, drained, everything, hurry, last_week
from tuppence import Client
from tuppence.cli.app import DONE

QUESTIONS = 30


@pytest.fixture
def place(tmp_path, project, pytestconfig):
    """Write the configuration of the project, with mail where there is an address for it."""
    address = pytestconfig.getoption("--tuppence-live-mail")
    text = CONFIGURATION.format(project=project, parts="").replace("me@example.com", address)
    place = tmp_path / "tuppence.toml"
    place.write_text(text if address else text.replace('to = [""]', "to = []"), encoding="utf-8")
    return place


@pytest.fixture
def deployed(tuppence, place, project):
    """Deploy, and in the end remove everything, however the test went."""
    try:
        result = tuppence("deploy", "--yes", "--json")
        assert result.status == DONE, result
        yield result.json
    finally:
        result = tuppence("destroy", "--yes", "--json")
        assert result.status == DONE, result
    assert everything(boto3.client, project) == {}


def test_from_nothing_to_a_weeks_numbers_and_back(tuppence, place, deployed, project, tmp_path):
    doctor = tuppence("doctor", "--json")
    assert doctor.json["healthy"], doctor.stdout
    (tmp_path / "week.ndjson").write_text(last_week(QUESTIONS), encoding="utf-8")

    with Client(config=place) as client:
        client.capture("signup", user="u1")
        assert client.flush(30)
    assert tuppence("import", "week.ndjson").status == DONE
    hurry(boto3.client, project, "seal")

    assert awaited(lambda: drained(tuppence))
    assert awaited(lambda: counted(tuppence) == QUESTIONS)


def counted(tuppence):
    """Return how many questions last week's report has."""
    result = tuppence("report", "--week", "last", "--format", "json", "--json")
    assert result.status == DONE, result
    return result.json["totals"]["questions"]
