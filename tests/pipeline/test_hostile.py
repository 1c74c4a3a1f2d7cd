"""A sender that means harm: whatever well-formed batches it sends, the genuine events are in the report.

`HOSTILE_SECONDS=1200` tries for that long instead of thirty times.
"""

import os
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.forged import START, forged, nested
from pipeline.world import NINE, PROJECT, captured, fresh_world, question
from tuppence import report
from tuppence.config import load
from tuppence.event import MAX_EVENT_BYTES, MAX_KEYS, MAX_NAME, MAX_NUMBER
from tuppence.pipeline import records
from tuppence.report.period import Week

SECONDS = float(os.environ.get("HOSTILE_SECONDS", "0"))
SHOWN = "genuine"
GENUINE = [
    question(
        n, n % 60, user=f"u{n % 7}", text="How do I return it?", outcome="answered" if n % 3 else "no_match"
    )
    for n in range(1, 31)
]
EDGES = [0, 1, 2, 30, 2**31, MAX_NUMBER - 1, MAX_NUMBER, MAX_NUMBER + 1, 2**53, 2**63 - 1]
numbers = st.sampled_from(EDGES) | st.integers(0, 5_000)
counts = st.sampled_from([0, 1, 2, 7, 100, 4_096])
names = st.sampled_from(
    ["", "a", SHOWN, f"{SHOWN}-1", "x" * MAX_NAME, "x" * (MAX_NAME + 1), "\x1b[2J", "{{7*7}}"]
)
texts = st.sampled_from(
    [
        "",
        "?",
        "How do I return it?",
        "a" * MAX_EVENT_BYTES,
        "\u202e" * 4_000,
        "\U0001f600" * 4_000,
        "<script>",
    ]
)
values = (
    texts
    | numbers
    | st.sampled_from([None, True, -1, -(2**63), 2**64 - 1, 1e308, -0.0, float("nan"), float("inf")])
    | st.sampled_from(
        [nested(5), nested(6), nested(60), ["a"] * MAX_KEYS, ["a"] * (MAX_KEYS + 1), {"a": {"b": []}}]
    )
)
FIELDS = [
    "text", "outcome", "cause", "model", "latency_ms", "input_tokens", "output_tokens", "useful", "question",
    "score", "sources", "status", "route", "method",
]  # fmt: skip
KINDS = ["question", "feedback", "request", "signup", "", "x" * MAX_NAME]
INSTANCES = ["", SHOWN, "evil", "evil.twin", "x" * 100, "x" * 101, "../..", "a b"]


@st.composite
def columns(draw, count, first):
    """Return columns in which any number of rows say the same or count upwards."""

    def column(items):
        few = draw(st.lists(items, min_size=1, max_size=3))
        return [few[n % len(few)] for n in range(count)]

    step = draw(st.sampled_from([0, 1, 2, 255, 2**20]))
    found = {
        "time": [START] + [draw(st.sampled_from([0, 1, 800]))] * (count - 1),
        "type": column(st.sampled_from(KINDS)),
        "id": [f"{n}" for n in range(count)] if draw(st.booleans()) else column(names),
        "user": [f"u{n}" for n in range(count)] if draw(st.booleans()) else column(names),
        "session": column(names),
        "data": {
            key: [f"{n} {value}"[:4_000] for n, value in enumerate(column(texts))]
            if draw(st.booleans())
            else column(values)
            for key in draw(st.lists(st.sampled_from(FIELDS), unique=True, max_size=4))
        },
    }
    if draw(st.booleans()):
        found["seq"] = [first] + [step] * (count - 1)
    return {key: value if count else [] for key, value in found.items() if key != "data"} | {
        "data": found["data"] if count else {}
    }


@st.composite
def batches(draw):
    """Return a batch whose header and columns are well-formed, and hold anything."""
    count, first = draw(counts), draw(numbers)
    body = draw(columns(count, first))
    seqs = body.get("seq") or [0]
    header = {
        "count": count,
        "instance": draw(st.sampled_from(INSTANCES)),
        "first": first,
        "last": sum(seqs) if count else first,
        "hour": draw(st.sampled_from(["2026111609"] * 6 + ["1970010100", "9998123123", "2026111610"])),
        "captured": draw(numbers),
        "hello": draw(st.booleans()),
        "goodbye": draw(st.booleans()),
    }
    header |= {
        name: draw(numbers) for name in draw(st.sets(st.sampled_from(["dropped", "refused", "ignored"])))
    }
    return forged(body, **header)


def come_through(world, folder, hostile):
    """Let genuine events and others be counted; return the week's report, and the number of records read."""
    config = load(environ={}, folder=folder, project=PROJECT, timezone="UTC", provider="local")
    half = len(hostile) // 2
    genuine = [
        captured(*part, instance=f"{SHOWN}.secret", captured=part[-1].seq, hello=part[0].seq == 1)
        for part in (GENUINE[:20], GENUINE[20:])
    ]
    world.take_in(*hostile[:half], genuine[0])
    world.take_in(*hostile[half:], genuine[1])
    week = Week.of(NINE, world.zone)
    made = report.build(world.store, config, week, world.clock)
    assert report.render_html(made)
    assert report.render_text(made)
    return made, sum(map(readable, stored(world)))


def stored(world):
    for kind in ("hours.202611", "texts.202611", "days.2026", "hours.197001", "days.1970", "hours.999812"):
        yield from world.store.query(f"{PROJECT}.{kind}", deadline=world.deadline)


def readable(record):
    read = records.read_texts if ".texts." in record.key.partition else records.read_rollup
    return bool(read(record))


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(hostile=st.lists(batches(), max_size=6))
def try_to_harm(folder, hostile):
    with fresh_world(zone="UTC") as world:
        made, records_read = come_through(world, folder, hostile)

        assert world.day().whole.questions >= len(GENUINE)
        assert made.totals.questions >= len(GENUINE)
        assert world.day().instances[f"{SHOWN}.secret"].received == [[1, len(GENUINE)]]
        assert world.texts().texts["how do i return it"].count >= len(GENUINE)
        assert records_read >= 3
        assert world.markers() == []


@pytest.mark.timeout(600 + 2 * SECONDS)
def test_genuine_events_are_all_in_the_report_whatever_else_is_sent(tmp_path):
    try_to_harm(tmp_path)
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        try_to_harm(tmp_path)
