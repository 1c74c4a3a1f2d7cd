from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tuppence.demo.traffic import OUTAGE, Week
from tuppence.event import Outcome, parse_event

LONDON = ZoneInfo("Europe/London")
MONDAY = date(2026, 11, 9)


def week(*, seed=1, before=False, monday=MONDAY, count=2_000):
    return Week(monday, LONDON, seed=seed, before=before).events(count)


def answered(events, words):
    asked = [e["data"] for e in events if words in e["data"].get("text", "").lower()]
    return sum(data["outcome"] == Outcome.ANSWERED for data in asked) / len(asked)


def test_the_same_seed_and_week_give_the_same_events():
    assert week() == week()
    assert week(seed=2) != week()


def test_each_event_is_one_that_an_import_accepts():
    events = week()

    assert len({parse_event(event).id for event in events}) == len(events) == 2_000


@pytest.mark.parametrize("monday", [MONDAY, date(2026, 3, 23), date(2026, 10, 19), date(2026, 12, 28)])
def test_all_events_lie_in_the_week_and_in_order(monday):
    times = [datetime.fromisoformat(event["time"]).astimezone(LONDON) for event in week(monday=monday)]

    assert times == sorted(times)
    assert {(at.date() - monday).days for at in times} == set(range(7))


def test_nights_are_quiet_and_evenings_are_not():
    hours = Counter(datetime.fromisoformat(event["time"]).astimezone(LONDON).hour for event in week())

    assert sum(hours[hour] for hour in range(1, 6)) * 5 < sum(hours[hour] for hour in range(18, 22))


def test_the_outage_ends_every_question_of_one_evening():
    start = datetime(2026, 11, 9, tzinfo=LONDON)
    outcomes = {
        event["data"]["outcome"]
        for event in week()
        if event["type"] == "question"
        and OUTAGE[0] + timedelta(seconds=1) < datetime.fromisoformat(event["time"]) - start < OUTAGE[1]
    }

    assert outcomes == {"error", "timeout"}


def test_the_week_before_had_a_gap_that_was_closed_since():
    assert answered(week(before=True), "pot do i need") < 0.5 < answered(week(), "pot do i need")


def test_feedback_names_a_question_of_the_same_conversation():
    events = week()
    sessions = {event["id"]: event["session"] for event in events if event["type"] == "question"}
    said = [event for event in events if event["type"] == "feedback"]

    assert said
    assert all(sessions[event["data"]["question"]] == event["session"] for event in said)
