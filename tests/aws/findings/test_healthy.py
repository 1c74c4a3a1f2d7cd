"""The doctor at a project whose parts are all there."""

from __future__ import annotations

import pytest

from aws.functions import client_at
from tuppence.cli.app import DONE

REPORT = ("bot@example.com", "me@example.com", "them@example.org")


@pytest.fixture
def _verified(ministack_url):
    with client_at(ministack_url, "sesv2") as ses:
        known = {one["IdentityName"] for one in ses.list_email_identities()["EmailIdentities"]}
        for address in set(REPORT) - known:
            ses.create_email_identity(EmailIdentity=address)


@pytest.mark.usefixtures("made", "_verified")
def test_each_part_says_whose_and_where_it_is_and_how_it_is_set(doctor, project):
    told = doctor()

    assert told.status == DONE, told.text
    for part in ("queue", "compute", "store", "scheduler", "mailer"):
        assert any(one.startswith("account 000000000000, eu-west-2, as ") for one in told.of(part)), part
    assert (
        f"tuppence-{project}.fifo: FIFO, sets aside into tuppence-{project}-dead.fifo what came 6 times, "
        "keeps messages for 4 days, of 14 possible; what is not drained by then is lost | "
        "`tuppence deploy` mends it."
    ) in told.of("queue", "note")
    assert any("25 reads and 25 writes a second, which is free" in one for one in told.of("store", "ok"))
    assert any("time to live is ENABLED" in one for one in told.of("store", "ok"))
    assert any(f"tuppence-{project}-drain is there, on python3.12" in one for one in told.of("compute", "ok"))
    assert not [one for one in told.findings if one["part"] in {"schedules", "places"}]
    assert not [address for address in REPORT if address in told.text]
