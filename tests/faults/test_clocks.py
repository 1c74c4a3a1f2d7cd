"""Clocks that jump, forward and back, between any two steps."""

from datetime import timedelta

import pytest

from faults.messages import EVENTS, bodies
from faults.queues import CONFIGURATION, load, received, send_everything
from pipeline.world import NINE, captured, fresh_world, question
from tuppence.capture.client import Client
from tuppence.pipeline import layout
from tuppence.pipeline.drain import LEASE
from tuppence.testing.clock import ManualClock

DAY = timedelta(days=1)


def finished(world):
    """Return what is sealed in the end, and how many events that is."""
    events = sum(cell.events for rollup in world.days().rollups.values() for cell in rollup.cells.values())
    assert world.markers() == []
    return world.results(), events


@pytest.fixture
def quiet():
    """What the messages make while the clock goes as it should."""
    with fresh_world() as world:
        world.know_visitors_by()
        world.take_in(*bodies())
        made = finished(world)
    assert made[1] == EVENTS
    return made


@pytest.mark.parametrize("jump", [DAY, -DAY, 3 * LEASE, -timedelta(hours=2)])
def test_a_clock_that_jumps_between_drain_and_seal_changes_no_number(quiet, jump):
    with fresh_world() as world:
        world.know_visitors_by()
        world.send(*bodies())
        world.drain(max_messages=20)
        world.seal()
        world.clock.advance(jump)
        world.drain(max_messages=20)
        world.clock.advance(-jump)
        world.seal()
        world.clock.advance(-jump)
        world.drain()
        world.clock.advance(jump)
        world.drain()
        world.seal()

        assert finished(world) == quiet


def test_a_clock_that_was_a_month_ahead_takes_nothing_from_what_is_sealed(quiet):
    with fresh_world() as world:
        world.know_visitors_by()
        world.take_in(*bodies())
        world.clock.advance(31 * DAY)
        world.take_in(captured(question(1), instance="late"))
        closed = [letter.attributes["reason"] for letter in world.letters()].count("period closed")
        world.clock.advance(-31 * DAY)
        world.seal()

        assert closed == 1
        assert finished(world)[0] == quiet[0]


def test_events_captured_while_the_clock_jumps_are_counted_in_the_hours_it_told(tmp_path):
    (tmp_path / "tuppence.toml").write_text(CONFIGURATION)
    (tmp_path / "queue").mkdir()
    clock = ManualClock(NINE)

    with Client(load(tmp_path), clock=clock) as client:
        for jump in (DAY, -DAY, -DAY, DAY, 365 * DAY, -365 * DAY):
            client.capture("tick")
            clock.advance(jump)
        assert client.flush(10)
    assert send_everything(tmp_path)

    headers, events = received(tmp_path)
    assert sorted(event.seq for _, event in events) == [1, 2, 3, 4, 5, 6]
    assert {header.hour for header in headers} == {"2026111509", "2026111609", "2026111709", "2027111609"}


def test_a_message_that_comes_again_is_no_later_and_lives_no_longer():
    body = captured(question(1), question(2), instance="again", hello=True)
    with fresh_world() as world:
        world.take_in(body)
        [first] = world.store.query(layout.segments("bot", "2026111609"), deadline=world.deadline)
        world.clock.advance(DAY)
        world.take_in(body)
        world.take_in(captured(question(3), instance="again"))

        found = {one.key.sort: one for one in world.store.query(first.key.partition, deadline=world.deadline)}
        assert found[first.key.sort] == first
        assert world.days().late[NINE.date()] == 1
