"""The numbers are the same, byte by byte, whatever happens on the way."""

import threading
from collections import Counter
from datetime import timedelta
from functools import cache
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.world import World, captured, fresh_world, outside, question
from tuppence.event import Event
from tuppence.pipeline.drain import LEASE

SLOWLY = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])


def judged(name, about, minutes, *, useful):
    data = {"question": about, "useful": useful}
    return Event(time=question(0, minutes).time, type="feedback", id=name, data=data)


BATCHES = [
    captured(question(1, user="ann"), question(2, 5, user="bob", outcome="no_match"), hello=True),
    captured(question(2, 5, user="bob", outcome="no_match"), question(3, 9)),
    captured(question(4, 61, user="ann", text="Open on Sunday?"), question(7, 62)),
    captured(question(5, -1), question(6, -2), captured=7, dropped=1, goodbye=True),
    captured(question(1, 3, user="cleo", useful=True), instance="i2"),
    outside(question(name="a", user="dora"), question(name="b", minutes=2)),
    outside(question(name="a", user="dora"), question(name="a", minutes=4)),
    outside(judged("f1", "i1-1", 8, useful=True), judged("f2", "i2-1", 9, useful=False)),
    outside(judged("f3", "i1-1", 7, useful=False), judged("f4", "a", 20, useful=True)),
]
EVENTS = 7 + 1 + 3 + 4


@cache
def quiet():
    """Return what a run without any trouble makes."""
    with fresh_world() as world:
        world.know_visitors_by()
        world.take_in(*BATCHES)
        return world.results()


def counted(world):
    return sum(cell.events for rollup in world.days().rollups.values() for cell in rollup.cells.values())


def finish(world):
    """Let everything that is under way come to its end."""
    world.faults.crash_at = None
    world.clock.advance(2 * LEASE)
    world.drain()
    world.seal()


def test_a_quiet_run_counts_every_event_once():
    with fresh_world() as world:
        world.take_in(*BATCHES)

        assert counted(world) == EVENTS
        assert world.markers() == []


copies = st.lists(st.integers(1, 4), min_size=len(BATCHES), max_size=len(BATCHES))
deliveries = copies.map(lambda counts: list(Counter(dict(zip(BATCHES, counts, strict=True))).elements()))
deliveries = deliveries.flatmap(st.permutations)
crashes = st.none() | st.integers(0, 60)
steps = st.lists(st.tuples(st.sampled_from(["drain", "seal"]), st.integers(0, 8), crashes), max_size=6)


@SLOWLY
@given(deliveries, steps)
def test_copies_any_order_and_crashes_between_any_two_calls_change_nothing(bodies, plan):
    with fresh_world() as world:
        world.know_visitors_by()
        for step, count, crash in plan:
            world.send(*bodies[:count])
            del bodies[:count]
            world.attempt(step, crash)

        world.send(*bodies)
        finish(world)

        assert world.results() == quiet()
        assert world.markers() == []


class Stage:
    """Lets actors take turns at their driver calls, in the order that a plan says.

    Each actor runs in a thread of its own and waits before every call until it is let go; only one runs at a
    time, so a plan always plays in the same way.
    """

    def __init__(self, *actors):
        self._go = [threading.Semaphore(0) for _ in actors]
        self._back = threading.Semaphore(0)
        self._alive = set(range(len(actors)))
        self._failures = []
        self._threads = [
            threading.Thread(target=self._act, args=(number, *actor)) for number, actor in enumerate(actors)
        ]

    def play(self, plan):
        """Go by the plan, then in turn, until all have ended."""
        for thread in self._threads:
            thread.start()
        for choice in plan:
            self._let_go(choice)
        while self._alive:
            for number in sorted(self._alive):
                self._let_go(number)
        for thread in self._threads:
            thread.join()
        assert not self._failures

    def _let_go(self, number):
        if number in self._alive:
            self._go[number].release()
            self._back.acquire()

    def _act(self, number, world, action):
        def wait(_):
            self._back.release()
            self._go[number].acquire()

        self._go[number].acquire()
        world.faults.before = wait
        try:
            action()
        except Exception as error:  # noqa: BLE001 - shown at the end, in the test's own thread
            self._failures.append(error)
        finally:
            world.faults.before = lambda _: None
            self._alive.discard(number)
            self._back.release()


bursts = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 25)), max_size=12)
split = st.integers(0, len(BATCHES))


@SLOWLY
@given(split, split, bursts)
def test_one_drain_and_two_sealers_at_once_leave_what_a_quiet_run_leaves(one, other, plan):
    with TemporaryDirectory() as folder:
        worlds = [World(folder) for _ in range(3)]
        first, drained = worlds[0], sorted((one, other))
        first.know_visitors_by()
        first.take_in(*BATCHES[: drained[0]])
        first.send(*BATCHES[drained[0] : drained[1]])
        first.drain()
        first.send(*BATCHES[drained[1] :])

        Stage((first, first.drain), (worlds[1], worlds[1].seal), (worlds[2], worlds[2].seal)).play(
            [actor for actor, calls in plan for _ in range(calls)]
        )

        if not first.markers():
            assert first.results() == quiet()
        finish(first)
        assert first.results() == quiet()
        assert first.markers() == []
        for world in worlds:
            world.close()


@pytest.mark.parametrize("overtaken", [False, True])
def test_a_segment_that_comes_at_any_point_of_a_seal_is_counted(overtaken):
    """At each point a segment is drained and, if overtaken, sealed by another, before the seal goes on."""
    point, ended = 0, False
    while not ended:
        with TemporaryDirectory() as folder:
            slow, quick = World(folder), World(folder)
            slow.take_in(BATCHES[4])
            slow.send(BATCHES[0])
            slow.drain()
            calls = []

            def interfere(_, quick=quick, calls=calls, point=point):
                calls.append(1)
                if len(calls) == point + 1:
                    quick.take_in(BATCHES[1]) if overtaken else (quick.send(BATCHES[1]), quick.drain())

            slow.faults.before = interfere
            slow.seal()
            ended = len(calls) <= point
            if not quick.markers():
                assert counted(quick) == (3 if ended else 4), point
            quick.seal()
            assert counted(quick) == (3 if ended else 4), point
            slow.close()
            quick.close()
        point += 1
    assert point > 10


def test_sealing_in_many_small_steps_ends_as_sealing_once():
    with fresh_world() as world:
        world.know_visitors_by()
        for body in reversed(BATCHES):
            world.clock.advance(timedelta(minutes=15))
            world.take_in(body)

        assert world.results() == quiet()
