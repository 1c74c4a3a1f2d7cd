"""The same events give the same numbers, texts and report to the byte, whatever is done to count them faster.

What is pinned changes only when what a record says is meant to change, and then its `version` does too; a
field that is only added leaves the version as it is.
"""

import random
from datetime import timedelta
from hashlib import blake2b

import pytest

from pipeline.world import NINE, PROJECT, World, at, captured, outside
from tuppence import report
from tuppence.config import load
from tuppence.event import Event
from tuppence.pipeline import records
from tuppence.pipeline.rollup import encode
from tuppence.pipeline.texts import encode as encode_texts
from tuppence.report.period import Week

ASKED = (
    "Where is my parcel?",
    "where is MY parcel",
    "WHERE IS MY PARCEL",
    "where is my parcle",
    "Wo ist mein Paket?",
    "Rückgabe…",
    " ",
)
ODD = (None, "", 3, 2.5, True, -1, "word", ["list"], {"a": 1}, 2**60)
CROWD = 17_000
"""People of one hour: more than are kept one by one."""
HOURS = {
    "Europe/London": "56bb011e794511f9",
    "Asia/Kolkata": "13f9af365becbcc2",
}
"""What becomes of three hours, by zone; one at :30 cuts each of them in two."""
REPORT = "acba78787881bf24"


def some_event(chance, seq, *, name=None):
    """Return an event of any kind; now and then a value is not what it should be."""
    kind = chance.choice(("question", "question", "question", "request", "feedback", "signup"))
    data = {
        "question": {
            "text": chance.choice(ASKED) + chance.choice(("", f" {chance.randrange(40)}")),
            "outcome": chance.choice(("answered", "answered", "no_match", "error", "exploded")),
            "cause": chance.choice((None, "empty index", "slow")),
            "latency_ms": chance.randrange(9_000),
            "model": chance.choice(("small", "large", f"m{chance.randrange(400)}")),
            "input_tokens": chance.randrange(900),
            "output_tokens": chance.randrange(400),
            "useful": chance.choice((None, None, None, True, False)),
            "score": chance.choice((None, chance.random(), 0, 1, 1.2)),
            "sources": chance.choice((None, ["faq#7"], ["faq#7", f"page {chance.randrange(400)}", 3], "one")),
        },
        "request": {
            "method": "GET",
            "route": f"/r/{chance.randrange(300)}",
            "status": chance.choice((200, 404, 503)),
            "latency_ms": chance.random() * 900,
        },
        "feedback": {"question": f"i1-{chance.randrange(1, 3_000)}", "useful": chance.choice((True, False))},
        "signup": {"plan": "free"},
    }[kind]
    if chance.random() < 0.05:
        data[chance.choice(sorted(data))] = chance.choice(ODD)
    return Event(
        time=at(chance.randrange(179)),
        type=kind,
        seq=seq,
        id=name,
        source=chance.choice((None, "web", "app")),
        user=chance.choice((None, f"user-{chance.randrange(900)}")),
        session=f"session-{chance.randrange(900)}",
        data={key: value for key, value in data.items() if value is not None},
    )


def by_hour(events):
    """Yield events hour by hour, as batches hold them."""
    hours = {}
    for event in events:
        hours.setdefault(event.time // 3_600_000, []).append(event)
    return [hours[hour] for hour in sorted(hours)]


def bodies():
    """Return messages of three hours: captured, some of them twice or in other batches, and from outside."""
    chance = random.Random(1)
    inside = [some_event(chance, seq) for seq in range(1, 3_001)]
    named = [some_event(chance, 0, name=f"e{chance.randrange(500)}") for _ in range(600)]
    crowd = [
        Event(time=at(5), type="visit", seq=n, user=f"u{n}", session=f"s{n}") for n in range(1, CROWD + 1)
    ]
    return [
        *(
            captured(*events)
            for part in (inside[:1_000], inside[900:], inside[:50])
            for events in by_hour(part)
        ),
        *(outside(*events) for part in (named, named[:100]) for events in by_hour(part)),
        *(captured(*crowd[first : first + 4_000], instance="i2") for first in range(0, CROWD, 4_000)),
    ]


def digest(*parts):
    return blake2b(b"".join(parts), digest_size=8).hexdigest()


def lived(folder, zone):
    """Return a world in which all of it has been counted."""
    world = World(folder, zone=zone)
    world.know_visitors_by()
    world.take_in(*bodies())
    return world


def plain(key, record):
    """Return what a record says, without its compression."""
    if ".texts." in key.partition:
        return encode_texts(records.read_texts(record))
    return encode(records.read_rollup(record))


@pytest.mark.parametrize("zone", HOURS)
def test_hours_texts_and_days_are_those_they_have_always_been(tmp_path, zone):
    world = lived(tmp_path, zone)

    kinds = [f"{PROJECT}.{kind}" for kind in ("hours.202611", "texts.202611", "days.2026")]
    found = [one for kind in kinds for one in world.store.query(kind, deadline=world.deadline)]

    world.close()
    assert digest(*(plain(record.key, record) for record in found)) == HOURS[zone]


def test_the_report_is_the_one_it_has_always_been(tmp_path):
    world = lived(tmp_path, "Europe/London")
    config = load(environ={}, folder=tmp_path, project=PROJECT, timezone="Europe/London", provider="local")
    world.clock.advance(timedelta(days=7))

    made = report.build(world.store, config, Week.of(NINE, world.zone), world.clock)

    world.close()
    said = report.render_json(made).replace(made.program.encode(), b"")
    assert digest(said) == REPORT
