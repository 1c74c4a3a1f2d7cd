"""A week of questions as rollups and texts, counted here in the plainest way."""

import hashlib
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tuppence.pipeline.rollup import Cell, CitationUse, ModelUse, Rollup, RouteUse, Seen
from tuppence.pipeline.sketch import IdSet
from tuppence.pipeline.texts import ASKERS, Text, key_of
from tuppence.report.facts import Evidence, facts
from tuppence.report.numbers import sum_week
from tuppence.report.period import Week
from tuppence.report.verdict import worded

LONDON = ZoneInfo("Europe/London")
WEEK = Week(date(2026, 11, 9), LONDON)


def hashed(name):
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big")


class Log:
    """Events as they are told, and the evidence they make."""

    def __init__(self, week=WEEK):
        self.week = week
        self.events = []
        self.instances = {}

    def ask(self, text, outcome="answered", times=1, **details):
        for number in range(times):
            self.say("question", text=text, outcome=outcome, number=number, **details)

    def request(self, route, status=200, times=1, **details):
        for _ in range(times):
            self.say("request", route=route, status=status, **details)

    def say(self, kind, at="2026-11-10T09", **details):
        self.events.append({"type": kind, "hour": at, **details})

    def saw(self, day, instance, **seen):
        self.instances.setdefault(date.fromisoformat(day), {})[instance] = Seen(**seen)

    def days(self):
        hours = {}
        for event in self.events:
            hours.setdefault(event["hour"], []).append(event)
        days = {}
        for hour, events in hours.items():
            day = date.fromisoformat(hour[:10])
            rollup = days.setdefault(day, Rollup(zone=self.week.zone.key, parts=[], cells={}))
            rollup.cells[hour] = cell_of(events)
        for day, instances in self.instances.items():
            days.setdefault(day, Rollup(zone=self.week.zone.key, parts=[])).instances = instances
        return days

    def texts(self, week):
        found = {}
        wanted = {day.isoformat() for day in week.days}
        for event in self.events:
            if event["type"] == "question" and event["hour"][:10] in wanted:
                found.setdefault(key_of(event["text"]), []).append(event)
        return {key: text_of(events) for key, events in found.items()}

    def evidence(self, **more):
        days = self.days()
        weeks = [self.week.ago(number) for number in range(7, -1, -1)]
        given = {
            "project": "mybot",
            "weeks": [sum_week(week, days) for week in weeks],
            "after": {},
            "texts": self.texts(self.week),
            "texts_before": {key: text.count for key, text in self.texts(self.week.previous).items()},
            "next_send": datetime(2026, 11, 23, 7, tzinfo=UTC).astimezone(self.week.zone),
            "next_week": self.week.ago(-1),
            "keep_events": timedelta(days=30),
            "keep_rollups": timedelta(days=800),
        }
        return Evidence(**given | more)

    def report(self, **more):
        return worded(facts(self.evidence(**more)))


def cell_of(events):
    cell = Cell(events=len(events))
    questions = [event for event in events if event["type"] == "question"]
    cell.questions = len(questions)
    cell.types = count(event["type"] for event in events)
    cell.outcomes = count(event["outcome"] for event in questions)
    cell.causes = count(f"{q['outcome']}/{q['cause']}" for q in questions if q.get("cause"))
    cell.useful_yes = sum(q.get("useful") is True for q in questions)
    cell.useful_no = sum(q.get("useful") is False for q in questions)
    cell.people = IdSet.of(hashed(name) for event in events if (name := user_of(event)))
    cell.sessions = IdSet.of(hashed(event["session"]) for event in events if event.get("session"))
    for question in questions:
        if "ms" in question:
            cell.latency.add(question["ms"])
    cell.sources = count(q["source"] for q in questions if q.get("source"))
    for question in questions:
        if "score" in question:
            score = round(question["score"] * 100)
            cell.scores[score] = cell.scores.get(score, 0) + 1
        for name in question.get("sources", ()):
            cited = cell.citations.setdefault(name, CitationUse())
            cited.questions += 1
            cited.answered += question["outcome"] == "answered"
            cited.useful_yes += question.get("useful") is True
            cited.useful_no += question.get("useful") is False
        if "model" in question:
            used = cell.models.setdefault(question["model"], ModelUse())
            used.questions += 1
            used.input_tokens += question.get("tokens", 0)
            used.output_tokens += question.get("tokens", 0)
    for event in events:
        if event["type"] == "request":
            use = cell.routes.setdefault(event["route"], RouteUse())
            use.requests += 1
            use.errors += event["status"] >= 500
            use.client_errors += 400 <= event["status"] < 500
            if "ms" in event:
                use.latency.add(event["ms"])
    return cell


def text_of(events):
    text = Text(min(event["text"] for event in events), count=len(events))
    text.outcomes = count(event["outcome"] for event in events)
    text.causes = count(f"{e['outcome']}/{e['cause']}" for e in events if e.get("cause"))
    askers = sorted({hashed(name) for event in events if (name := user_of(event))})
    text.sampled = len(askers) > ASKERS
    text.askers = askers[:ASKERS]
    text.useful_yes = sum(event.get("useful") is True for event in events)
    text.useful_no = sum(event.get("useful") is False for event in events)
    return text


def user_of(event):
    """Every asking by someone else, where a question is told with `users`."""
    if "users" in event:
        return f"{event['users']}-{event['number']}"
    return event.get("user")


def count(names):
    found = {}
    for name in names:
        found[name] = found.get(name, 0) + 1
    return found


@pytest.fixture
def log():
    return Log()
