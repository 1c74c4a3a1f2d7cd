"""An hour or day that cannot be counted holds up no other, and is named."""

from datetime import timedelta

import pytest

from pipeline.world import NINE, PROJECT, captured, question, unavailable
from tuppence.batch import peek
from tuppence.clock import Deadline
from tuppence.drivers import Record
from tuppence.errors import ErrorCode
from tuppence.pipeline import layout
from tuppence.pipeline.segments import Segments
from tuppence.pipeline.tally import Tally
from tuppence.pipeline.unsealed import AGAIN, TOO_LONG, Unsealed, UnsealedError, error_of, read_unsealed

NINE_O_CLOCK, TEN_O_CLOCK = "h.2026111609", "h.2026111610"
TWO_HOURS = captured(question(1)), captured(question(2, 60))


def unsealed(world):
    found = read_unsealed(world.store, PROJECT, deadline=world.deadline)
    return {name: one.reason for name, one in found.items()}


def spoil(world, key):
    world.store.put(Record(key=key, body=b"\xc1"), deadline=world.deadline)


def take_in(world, *bodies):
    world.send(*bodies)
    world.drain()


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (
            layout.hour(PROJECT, "2026111609"),
            "the hour .* 09:00 UTC and 1 more cannot be counted and are",
        ),
        (layout.texts(PROJECT, "2026111609"), "the hour 2026-11-16 09:00 UTC cannot be counted and is"),
        (layout.day(PROJECT, NINE.date()), "the day 2026-11-16 cannot be counted and is"),
    ],
    ids=["hour", "texts", "day"],
)
def test_what_cannot_be_read_is_named_and_all_else_is_counted(world, key, name):
    take_in(world, *TWO_HOURS)
    spoil(world, key)

    with pytest.raises(UnsealedError, match=f"^{name} set aside: the record .*. Everything else is counted$"):
        world.seal()

    assert TEN_O_CLOCK not in world.markers()
    assert unsealed(world).keys() == set(world.markers())


def test_it_is_counted_once_the_cause_is_gone_and_no_longer_named(world):
    take_in(world, *TWO_HOURS)
    spoil(world, layout.hour(PROJECT, "2026111609"))
    with pytest.raises(UnsealedError):
        world.seal()
    world.store.delete(layout.hour(PROJECT, "2026111609"), deadline=world.deadline)

    assert world.seal().hours == 1

    assert unsealed(world) == {}
    assert world.day().whole.events == 2


def test_what_nobody_thought_of_is_one_hour_s_too(world, monkeypatch):
    def finish(self):
        if self.parts == [peeked]:
            raise KeyError("user@example.org")
        return finish_all(self)

    finish_all, peeked = Tally.finish, peek(TWO_HOURS[0])[0]
    monkeypatch.setattr(Tally, "finish", finish)
    take_in(world, *TWO_HOURS)

    with pytest.raises(UnsealedError):
        world.seal()

    reason = unsealed(world)[NINE_O_CLOCK]
    assert reason.startswith("an unexpected error, KeyError in finish, line ")
    assert "example.org" not in reason
    assert TEN_O_CLOCK not in world.markers()


@pytest.mark.parametrize("code", [ErrorCode.TOO_LARGE, ErrorCode.INVALID])
def test_a_record_that_the_store_refuses_is_one_hour_s(world, code):
    def refuse(operation):
        if operation == "put" and next(refusals, False):
            raise unavailable(code=code)

    refusals = iter([True])
    world.take_in(*TWO_HOURS)
    take_in(world, captured(question(3)), captured(question(4, 60)))
    world.faults.before = refuse

    with pytest.raises(UnsealedError):
        world.seal()

    assert list(unsealed(world)) == [NINE_O_CLOCK]
    assert TEN_O_CLOCK not in world.markers()


class TestTooLong:
    """An hour that takes longer than a run may."""

    @pytest.fixture
    def slow(self, world, monkeypatch):
        """Let each segment of 09:00 take three seconds."""

        def add(tally, part, body, **options):
            if tally._start == first:
                world.clock.advance(timedelta(seconds=3))
            return add_one(tally, part, body, **options)

        add_one, first = Tally.add, question().time // 3_600_000 * 3_600_000
        monkeypatch.setattr(Tally, "add", add)
        take_in(world, *(captured(question(n)) for n in range(1, 9)), captured(question(9, 60)))
        return world

    def seal(self, world, **options):
        return world.seal(deadline=Deadline.after(30, world.clock), **options)

    def test_it_is_given_up_in_time_for_the_others(self, slow):
        with pytest.raises(UnsealedError, match=TOO_LONG):
            self.seal(slow)

        assert slow.markers() == [NINE_O_CLOCK]
        assert slow.day().whole.events == 1

    def test_reading_again_what_came_before_is_given_up_in_time_too(self, world, monkeypatch):
        def read(segments, part):
            if part in once:
                world.clock.advance(timedelta(seconds=3))
            once.add(part)
            return read_one(segments, part)

        read_one, once = Segments.body, set()
        take_in(world, *(captured(question(n)) for n in range(1, 9)))
        world.clock.advance(timedelta(seconds=1))
        take_in(world, captured(question(8), question(9)), captured(question(10, 60)))
        monkeypatch.setattr(Segments, "body", read)

        with pytest.raises(UnsealedError, match=TOO_LONG):
            self.seal(world)

        assert world.markers() == [NINE_O_CLOCK]

    def test_it_is_tried_again_a_day_later(self, slow, monkeypatch):
        with pytest.raises(UnsealedError):
            self.seal(slow)
        monkeypatch.undo()
        with pytest.raises(UnsealedError):
            self.seal(slow)
        slow.clock.advance(AGAIN)

        assert self.seal(slow).hours == 1

        assert slow.day().whole.events == 9

    def test_it_stays_named_by_a_run_that_does_not_get_to_it(self, slow):
        for settle in (None, timedelta(days=1)):
            with pytest.raises(UnsealedError, match=TOO_LONG):
                self.seal(slow, settle=settle)

        assert list(unsealed(slow)) == [NINE_O_CLOCK]

    def test_one_that_was_begun_late_in_a_run_is_only_left(self, slow):
        take_in(slow, captured(question(10, -60)))

        assert self.seal(slow).left == 1

        with pytest.raises(UnsealedError, match=TOO_LONG):
            self.seal(slow)


def test_several_are_counted_and_the_first_is_named():
    why = Unsealed(since=NINE, tried=NINE, reason="it is damaged")
    error = error_of({"h.2026111610": why, "d.20261116": why, "h.2026111609": why})

    assert str(error) == (
        "the hour 2026-11-16 09:00 UTC and 2 more cannot be counted and are set aside: "
        "it is damaged. Everything else is counted"
    )
