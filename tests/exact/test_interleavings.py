"""Whatever order the requests of programs at one store come in, and wherever one is killed: the same numbers.

The programs are the real ones. From every state that any order leads to, everything is let come to its end,
and the rollups, texts, days and dead letters are, byte by byte, those of a run in which nothing went wrong.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from exact.explore import Actor, Exploration
from exact.model import Delete, Memory, Put
from exact.programs import (
    draining,
    losing_patience,
    prepared,
    purging,
    replaying,
    results,
    run,
    sealing,
    sealing_by_small_pages,
    under_way,
)
from pipeline.world import captured, question
from tuppence.testing import ManualClock

FIRST = captured(question(1, user="ann"), hello=True)
AGAIN = captured(question(1, user="ann"), question(2, 5, user="bob", outcome="no_match"))
OTHER = captured(question(1, 9, user="cleo", useful=True), instance="i2")
NEXT_HOUR = captured(question(3, 61, user="bob"), question(4, 62, user="dora"))
NOW = ManualClock().now()
A_MONTH_LATER = NOW + timedelta(days=31)

DRAIN, SLOW_DRAIN = Actor("d", draining), Actor("e", draining)
SEALER, RIVAL = Actor("s", sealing), Actor("t", sealing)


class Play:
    """All orders of some programs' requests, from one state, and what a quiet run leaves."""

    def __init__(self, start, *actors, now=NOW, ends=(draining, sealing)):
        self._now = now
        self._ends = ends
        quiet = Memory(start)
        run(quiet, now, *ends)
        assert not under_way(quiet.state, ends)
        self._quiet = results(quiet.state, now)
        self._exploration = Exploration(start, actors, quiet.written, now)

    def explore(self):
        return self._exploration.explored

    def wrong(self):
        """Yield how many states have been met, and one of which the numbers are or end otherwise."""
        for number, state in enumerate(self._exploration.states(), start=1):
            if not self._right(state):
                yield number, state

    def _right(self, state):
        if not under_way(state, self._ends) and results(state, self._now) != self._quiet:
            return False
        memory = Memory(state)
        run(memory, self._now, *self._ends)
        return not under_way(memory.state, self._ends) and results(memory.state, self._now) == self._quiet


@pytest.fixture
def proven(record_property):
    """Return what holds a play to its promise, and tells how much that was."""

    def proven(what, play):
        found = play.explore()
        record_property(
            "summary",
            f"{what}: {found.orders:,} orders of requests, through {found.points:,} points, "
            f"lead to {len(found.states):,} states, none of them wrong",
        )
        assert not list(play.wrong())
        return found

    return proven


@pytest.mark.slow
def test_one_drain_and_two_sealers_of_an_hour_of_which_nothing_is_known(proven):
    sealers = Actor("s", sealing_by_small_pages), Actor("t", sealing_by_small_pages)
    play = Play(prepared(NOW, waiting=[FIRST, AGAIN]), DRAIN, *sealers)

    found = proven("one drain and two sealers of an unknown hour", play)

    assert found.orders > 10**13


@pytest.mark.slow
def test_one_drain_and_two_sealers_of_an_hour_that_is_being_sealed_again(proven):
    start = prepared(NOW, sealed=[OTHER], drained=[FIRST], waiting=[AGAIN])
    play = Play(start, DRAIN, SEALER, RIVAL)

    found = proven("one drain and two sealers of an hour sealed before", play)

    assert found.orders > 10**15


@pytest.mark.slow
def test_two_drains_that_lose_their_leases_and_a_sealer(proven):
    start = prepared(NOW, waiting=[FIRST, OTHER])
    play = Play(start, DRAIN, SLOW_DRAIN, SEALER, Actor("clock", losing_patience))

    proven("two drains, leases that run out, and a sealer", play)


@pytest.mark.slow
def test_two_sealers_of_a_day_whose_second_hour_is_new(proven):
    play = Play(prepared(NOW, sealed=[FIRST], drained=[NEXT_HOUR]), SEALER, RIVAL)

    proven("two sealers of the second hour of a day", play)


@pytest.mark.slow
def test_two_replays_a_drain_and_a_sealer(proven):
    start = prepared(NOW, sealed=[OTHER], waiting=[AGAIN], letters=[FIRST])
    replays = Actor("r", replaying), Actor("q", replaying)
    play = Play(start, *replays, DRAIN, SEALER, ends=(draining, replaying, sealing))

    proven("two replays, a drain and a sealer", play)


def test_what_comes_after_its_hour_has_expired_while_it_is_purged(proven):
    start = prepared(NOW, sealed=[OTHER], waiting=[FIRST])
    play = Play(start, DRAIN, SEALER, RIVAL, Actor("p", purging), now=A_MONTH_LATER)

    proven("a drain, two sealers and a purge, a month late", play)


def unconditional(*partitions):
    """Return a change that takes the condition from what is written to these partitions."""

    def change(request):
        written = isinstance(request, Put | Delete) and request.key.partition.split(".")[1] in partitions
        return replace(request, condition=None) if written else request

    return change


BROKEN = {
    "the condition of the hour's rollup": ("hours",),
    "the condition of the day's rollup": ("days",),
    "the check of the marker's token": ("dirty",),
}


@pytest.mark.slow
@pytest.mark.parametrize("partitions", BROKEN.values(), ids=BROKEN)
def test_without_a_condition_some_order_ends_wrong(partitions, record_property, request):
    start = prepared(NOW, sealed=[OTHER], drained=[FIRST], waiting=[AGAIN])
    broken = [actor._replace(change=unconditional(*partitions)) for actor in (SEALER, RIVAL)]

    found = next(Play(start, DRAIN, *broken).wrong(), None)

    assert found is not None
    record_property("summary", f"without {request.node.callspec.id}: state {found[0]:,} ends wrong")
