"""Counts a week's report from the events themselves. Knows nothing of tuppence."""

from collections import Counter
from datetime import datetime
from zoneinfo import ZoneInfo


def week_of(moment):
    year, week, _ = moment.isocalendar()
    return f"{year}-W{week:02d}"


def count(events, zone, week):
    """Return what the report of `week` must say of these events, each a dict with `time` as text."""
    owner = ZoneInfo(zone)
    seen = {}
    for event in events:
        moment = datetime.fromisoformat(event["time"])
        seen[event["id"], moment] = (event, moment.astimezone(owner))
    inside = [(event, at) for event, at in seen.values() if week_of(at) == week]
    grid = [[0] * 24 for _ in range(7)]
    for event, at in inside:
        if event["type"] == "question":
            grid[at.weekday()][at.hour] += 1
    questions = [event for event, _ in inside if event["type"] == "question"]
    return {
        "events": len(inside),
        "questions": len(questions),
        "people": len({event["user"] for event, _ in inside if event.get("user")}),
        "sessions": len({event["session"] for event, _ in inside if event.get("session")}),
        "outcomes": Counter(event["data"]["outcome"] for event in questions),
        "by_hour": grid,
    }


def told(document):
    """Return the same of a report."""
    totals = document["totals"]
    return {
        **{name: totals[name] for name in ("events", "questions", "people", "sessions")},
        "outcomes": Counter({name: times for name, times in document["outcomes"].items() if times}),
        "by_hour": document["by_hour"],
    }
