"""The segments of an hour, in the order in which they count."""

from datetime import timedelta

from pipeline.world import PROJECT, captured, question
from tuppence.batch import peek
from tuppence.pipeline import segments
from tuppence.pipeline.segments import Segments

BODIES = [captured(question(n)) for n in range(1, 6)]


def read(world, *counted):
    hour = Segments(world.store, PROJECT, "2026111609", world.deadline)
    return [segment.body for segment in hour.in_order([peek(body)[0] for body in counted])]


def receive(world, *bodies):
    for body in bodies:
        world.send(body)
        world.drain()
        world.clock.advance(timedelta(seconds=1))


def test_they_come_as_they_were_received(world):
    receive(world, *BODIES)

    assert read(world) == BODIES


def test_what_has_been_counted_comes_first(world):
    receive(world, *BODIES)

    assert read(world, BODIES[3], BODIES[4]) == [*BODIES[3:], *BODIES[:3]]


def test_what_fits_into_memory_is_read_once(world, monkeypatch):
    receive(world, *BODIES)
    monkeypatch.setattr(world.store, "get", None)

    assert read(world) == BODIES


def test_what_does_not_fit_into_memory_is_read_when_it_is_due(world, monkeypatch):
    monkeypatch.setattr(segments, "HELD", len(BODIES[0]))
    receive(world, *BODIES)

    assert read(world) == BODIES
