"""Why nobody is let in, in words: from AWS's answers, and from what this machine has."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from aws.findings.conftest import STS
from tuppence.cli.app import COULD_NOT

NOWHERE = "http://127.0.0.1:9"
REFUSALS = {
    "ExpiredTokenException": "the credentials have expired",
    "UnrecognizedClientException": "AWS does not know the access key",
    "InvalidSignatureException": "the secret key is not the one that belongs to the access key",
    "IncompleteSignature": "the credentials are refused",
}
ASKED = ("GetQueueAttributes", "DescribeTable", STS)
"""What the queue, the store and STS are asked first."""


@pytest.mark.parametrize(("code", "words"), REFUSALS.items())
def test_refused_credentials_are_explained_once_for_each_part(configured, answering, doctor, code, words):
    configured(answering(NOWHERE, dict.fromkeys(ASKED, (400, code))))

    told = doctor()

    assert told.status == COULD_NOT
    for part in ("queue", "store"):
        (only,) = told.of(part)
        assert words in only


def test_a_clock_that_is_off_is_named_as_the_reason(configured, answering, doctor):
    then = format_datetime(datetime.now(UTC) - timedelta(minutes=42), usegmt=True)
    configured(answering(NOWHERE, dict.fromkeys(ASKED, (400, "InvalidSignatureException")), Date=then))

    told = doctor()

    for part in ("queue", "store"):
        assert ["this machine's clock is 42 minutes off" in one for one in told.of(part)] == [True]


def test_where_there_are_no_credentials_each_part_says_what_to_set(configured, doctor, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    configured(NOWHERE)

    told = doctor()

    for part in ("queue", "compute", "store", "scheduler", "mailer"):
        (only,) = told.of(part)
        assert "no credentials were found; set AWS_PROFILE" in only
