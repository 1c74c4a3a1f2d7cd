"""Captured = counted + refused + dropped + dead-lettered, whatever happens on the way.

Instances number their events, lose the oldest to a full journal, refuse some calls, and cut what is left into
batches anywhere. Each batch comes once to four times, in any order, up to weeks late, while programs are
killed between any two calls of a driver. Only one thing is promised: that nothing waits unsealed until it
expires.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import groupby, pairwise
from typing import NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.world import NINE, PROJECT, captured, fresh_world, outside, question
from tuppence.batch import to_events, unpack
from tuppence.errors import BadBatch
from tuppence.event import hour_of
from tuppence.pipeline.drain import LEASE
from tuppence.pipeline.loss import loss
from tuppence.pipeline.reader import read_days
from tuppence.pipeline.rollup import merge_instances

SLOWLY = settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
FIRST, LAST = NINE.date() - timedelta(days=1), NINE.date() + timedelta(days=3)
NOISE = [b"", b"{}", b"\xff" * 9, b'{"id":"x","type":"t"}', captured(question(1))[:-1]]
FROM_OUTSIDE = [outside(question(name="a", user="dora"), question(name="b", minutes=2))]


class Life(NamedTuple):
    """What one instance did: its batches, the numbers in them, and what it says of the rest."""

    name: str
    bodies: list[bytes]
    sent: frozenset[int]
    captured: int
    dropped: int
    refused: int


@st.composite
def lives(draw, name):
    count = draw(st.integers(1, 12))
    dropped, refused = draw(st.integers(0, count - 1)), draw(st.integers(0, 3))
    minutes = sorted(draw(st.lists(st.integers(0, 2_900), min_size=count, max_size=count)))
    sent = range(dropped + 1, count + 1)
    events = [question(seq, minutes[seq - 1], user=f"u{seq % 3}") for seq in sent]
    cuts = sorted({0, len(events), *draw(st.sets(st.integers(0, len(events)), max_size=3))})
    parts = [
        list(part)
        for first, last in pairwise(cuts)
        for _, part in groupby(events[first:last], lambda event: hour_of(event.time))
    ]
    bodies = [
        captured(
            *part,
            instance=name,
            captured=part[-1].seq,
            dropped=dropped,
            refused=refused,
            hello=part is parts[0],
            goodbye=part is parts[-1],
        )
        for part in parts
    ]
    return Life(name, bodies, frozenset(sent), count, dropped, refused)


@st.composite
def deliveries(draw):
    """Return instances, and all their messages and others, with copies, in any order."""
    instances = [draw(lives(name)) for name in ("i1", "i2")]
    bodies = [body for life in instances for body in life.bodies] + FROM_OUTSIDE
    bodies += draw(st.lists(st.sampled_from(NOISE), max_size=2, unique=True))
    copies = {body: draw(st.integers(1, 4)) for body in bodies}
    return instances, draw(st.permutations(list(Counter(copies).elements())))


steps = st.tuples(
    st.sampled_from(["drain", "seal", "drain"]),
    st.integers(0, 9),  # messages that come before it
    st.none() | st.integers(0, 60),  # driver calls before it is killed
    st.sampled_from([0, 0, 1, 8, 17]),  # days until the next
)


def play(world, bodies, plan):
    """Let it all happen; return the bodies of all dead letters there ever were."""
    waiting, letters = list(bodies), set()
    for step, count, crash, days in [*plan, ("drain", len(waiting), None, 0)]:
        world.send(*waiting[:count])
        del waiting[:count]
        world.attempt(step, crash)
        world.seal()
        letters |= {letter.body for letter in world.letters()}
        world.clock.advance(timedelta(days=days))
    world.clock.advance(2 * LEASE)
    world.drain()
    world.seal()
    return letters | {letter.body for letter in world.letters()}


def numbers_in(bodies, instance):
    """Return the numbers of an instance's events in these messages."""
    found = set()
    for body in bodies:
        try:
            header, columns = unpack(body)
        except BadBatch:
            continue
        if header.instance == instance:
            found |= {event.seq for event in to_events(columns)}
    return found


@SLOWLY
@given(deliveries(), st.lists(steps, max_size=5))
def test_what_was_captured_is_counted_refused_dropped_or_a_dead_letter(given_messages, plan):
    instances, bodies = given_messages
    with fresh_world() as world:
        letters = play(world, bodies, plan)

        rollups = read_days(world.store, PROJECT, FIRST, LAST, deadline=world.deadline).rollups.values()
        seen = merge_instances(rollup.instances for rollup in rollups)
        events = sum(cell.events for rollup in rollups for cell in rollup.cells.values())
        identified = sum(rollup.identified for rollup in rollups)
        assert world.markers() == []
        assert world.queue.depth(deadline=world.deadline)[0] == 0

    counted_in_all = 0
    for life in instances:
        runs = seen[life.name].received if life.name in seen else []
        counted = {number for first, last in runs for number in range(first, last + 1)}
        dead = numbers_in(letters, life.name) - counted
        assert counted | dead == life.sent
        assert life.captured == len(counted) + len(dead) + life.dropped
        if counted:
            assert seen[life.name].dropped == life.dropped
            assert seen[life.name].refused == life.refused
        counted_in_all += len(counted)
    assert events == counted_in_all + identified
    assert identified == 2 or FROM_OUTSIDE[0] in letters
    assert {body for body in bodies if body in NOISE} <= letters


@SLOWLY
@given(deliveries(), st.lists(steps, max_size=5))
def test_what_came_within_the_retention_is_counted_as_if_it_had_come_at_once(given_messages, plan):
    """No more than 29 days pass, so every segment can still be read whenever the next one comes."""
    instances, bodies = given_messages
    brief = [(step, count, crash, min(days, 5)) for step, count, crash, days in plan]
    with fresh_world() as quiet, fresh_world() as world:
        for one in (quiet, world):
            one.know_visitors_by()
        quiet.take_in(*dict.fromkeys(bodies))

        letters = play(world, bodies, brief)

        assert world.results() == quiet.results()
        assert letters == {letter.body for letter in quiet.letters()}
        seen = merge_instances(rollup.instances for rollup in quiet.days().rollups.values())
        told = loss({}, seen, {})
    assert told.lost == 0
    assert told.dropped == sum(life.dropped for life in instances)
    assert told.refused == sum(life.refused for life in instances)
