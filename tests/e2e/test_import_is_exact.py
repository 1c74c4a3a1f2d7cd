"""A messy file of events, imported twice, reported exactly."""

import json
import random
from datetime import UTC, datetime, timedelta

import pytest

from e2e.count import count, told

WEEK = "2026-W46"
OUTCOMES = ["answered"] * 12 + [
    "no_match",
    "refused",
    "error",
    "timeout",
    "rate_limited",
    "invalid",
    "aborted",
]
BROKEN = [
    "not json",
    '{"type": "question", "time": "2026-11-10T09:00:00Z"',
    '["a", "list"]',
    '{"id": "x", "type": "question", "data": {"text": "no time"}}',
    '{"id": "x", "type": "question", "time": "yesterday", "data": {}}',
    '{"id": "x", "type": "question", "time": "2026-11-10T09:00:00", "data": {}}',
    '{"id": "x", "time": "2026-11-10T09:00:00Z"}',
    '{"id": "x", "type": "question", "time": "2026-11-10T09:00:00Z", "data": {"outcome": "fine"}}',
    '{"id": "x", "type": "question", "time": "2026-11-10T09:00:00Z", "data": 5}',
]


def made_up(chance):
    """Return 15,000 questions around the week, a third of them without an id."""
    start = datetime(2026, 11, 6, tzinfo=UTC)
    events = []
    for number in range(15_000):
        at = start + timedelta(seconds=chance.uniform(0, 13 * 86_400))
        user = f"u{chance.randrange(900)}"
        event = {
            "type": "question",
            "time": at.isoformat(timespec="milliseconds"),
            "user": user,
            "session": f"{user}-{chance.randrange(40)}",
            "data": {"text": f"question {number} of many", "outcome": chance.choice(OUTCOMES)},
        }
        if number % 3:
            event["id"] = f"id-{number}"
        events.append(event)
    return events


def without_jobs(document):
    """Leave out when the jobs last ran: that is no part of what was counted."""
    del document["health"]["pipeline"]["jobs"]
    return document


@pytest.mark.slow
@pytest.mark.parametrize("zone", ["Pacific/Auckland", "Pacific/Marquesas"])
def test_a_messy_file_is_reported_exactly_and_a_second_import_changes_nothing(
    tuppence, report, configure, tmp_path, zone
):
    chance = random.Random(46)
    events = made_up(chance)
    repeated = chance.sample([event for event in events if "id" in event], 750)
    lines = [json.dumps(event) for event in events + repeated]
    lines += [chance.choice(BROKEN) for _ in range(150)]
    chance.shuffle(lines)
    (tmp_path / "events.ndjson").write_text("\n".join(lines) + "\n")
    broken = {number for number, line in enumerate(lines, 1) if line in BROKEN}
    configure(zone)

    tuppence("import", "events.ndjson", "--refused", "refused.ndjson", status=1)
    refused = [json.loads(line) for line in (tmp_path / "refused.ndjson").read_text().splitlines()]
    assert sorted(refusal["line"] for refusal in refused) == sorted(broken)
    tuppence("drain")
    tuppence("seal")
    first = without_jobs(report(WEEK))

    expected = count([{"id": json.dumps(event), **event} for event in events], zone, WEEK)
    assert told(first) == expected
    assert sum(map(sum, expected["by_hour"])) == expected["questions"] > 7_000

    (tmp_path / "other-name.ndjson").write_bytes((tmp_path / "events.ndjson").read_bytes())
    tuppence("import", "other-name.ndjson", status=1)
    tuppence("drain")
    tuppence("seal")
    assert without_jobs(report(WEEK)) == first
