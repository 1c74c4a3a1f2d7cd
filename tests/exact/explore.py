"""Plays the real code of several programs at one store in every order that their requests may come in.

What a program asks for next depends on nothing but the answers it has had: all else that it uses (clock,
random numbers) is fixed. So a program stands where it stands by its history of answers, and the whole by the
state of store and queue and the history of each program. Two orders that lead to the same point have the same
futures, which are walked once: the number of orders is added up, not walked. A program that makes no request
any more from some point on is one that was killed there.

To learn what a program asks for next, it is played from its start with the answers it has had. It then goes
on alone to its end, which is one of the orders too: what it asks for on the way need not be played again.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Hashable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Generic, NamedTuple, TypeVar
from unittest.mock import patch

from exact.model import Delete, Get, Put, Query, Request, State
from tuppence.drivers import Key
from tuppence.testing import ManualClock

Program = Callable[[Any, ManualClock], object]
"""The real code, given a world that makes requests, and a clock."""


class Actor(NamedTuple):
    """A program that takes part; `change` makes another request of each that it makes, to break it."""

    name: str
    program: Program
    change: Callable[[Request], Request] = lambda request: request


class History(NamedTuple):
    """The answers that a program has had, as the latest of them and the history before it."""

    actor: int
    length: int
    before: History | None = None
    answer: Any = None

    def answers(self) -> list[Any]:
        """Return the answers, the first first."""
        found, at = [], self
        while at.before is not None:
            found.append(at.answer)
            at = at.before
        return found[::-1]


Known = TypeVar("Known", bound=Hashable)


class Numbered(Generic[Known]):
    """Things by number: equal ones have the same."""

    def __init__(self) -> None:
        self.all: list[Known] = []
        self._numbers: dict[Hashable, int] = {}

    def number(self, thing: Known, key: Hashable = None) -> int:
        """Return the number of a thing; `key` tells equal ones where comparing them whole would take long."""
        key = thing if key is None else key
        if key not in self._numbers:
            self._numbers[key] = len(self.all)
            self.all.append(thing)
        return self._numbers[key]


class Replayed:
    """A world that gives known answers, and to each request that has none, what `go_on` returns."""

    def __init__(
        self,
        answers: Sequence[Any],
        fixed: Callable[[Request], tuple[bool, Any]],
        go_on: Callable[[Request], Any],
    ) -> None:
        self._answers = iter(answers)
        self._fixed = fixed
        self._go_on = go_on

    def do(self, request: Request, _now: Any) -> Any:
        known, answer = self._fixed(request)
        if known:
            return answer
        for answer in self._answers:
            return answer
        return self._go_on(request)


@dataclass(frozen=True)
class Explored:
    """What was found: in how many orders the requests may come, through how many points and states."""

    orders: int
    points: int
    states: Sequence[State]
    ends: AbstractSet[State]


Point = tuple[int, ...]
"""The number of the state, then that of each program's history."""


class Exploration:
    """All orders of the actors' requests, from one state.

    Args:
        start: what lies there at the beginning.
        actors: who takes part.
        touched: the keys that are ever written. What is read anywhere else is no request that matters: nobody
            could have changed it in between.
        now: what time it is for all of them.

    """

    def __init__(
        self, start: State, actors: Sequence[Actor], touched: AbstractSet[Key], now: datetime
    ) -> None:
        self._start = start
        self._actors = actors
        self._touched = touched
        self._partitions = {key.partition for key in touched}
        self._now = now
        self._states: Numbered[State] = Numbered()
        self._histories: Numbered[History] = Numbered()
        self._requests: dict[int, Request | None] = {}
        self._steps: dict[tuple[int, int], tuple[int, int] | None] = {}

    @cached_property
    def explored(self) -> Explored:
        """Walk every point, and count the orders that lead from each to an end."""
        orders: dict[Point, int] = {}
        ends = set()
        for point, following in self._walk():
            orders[point] = sum(orders[one] for one in following) if following else 1
            if not following:
                ends.add(self._states.all[point[0]])
        return Explored(orders[self._beginning()], len(orders), self._states.all, ends)

    def states(self) -> Iterator[State]:
        """Yield each state once, as soon as it is met."""
        seen = 0
        for _ in self._walk():
            yield from self._states.all[seen:]
            seen = len(self._states.all)

    def _walk(self) -> Iterator[tuple[Point, list[Point]]]:
        """Yield every point once, after all that follow it, with those that follow at once."""
        beginning = self._beginning()
        met: set[Point] = set()
        following = self._following(beginning)
        stack = [(beginning, following, iter(following))]
        while stack:
            point, following, left = stack[-1]
            for one in left:
                if one not in met:
                    met.add(one)
                    beyond = self._following(one)
                    stack.append((one, beyond, iter(beyond)))
                    break
            else:
                stack.pop()
                yield point, following

    def _beginning(self) -> Point:
        histories = [
            self._histories.number(History(actor, 0), ("start", actor)) for actor in range(len(self._actors))
        ]
        return (self._states.number(self._start), *histories)

    def _following(self, point: Point) -> list[Point]:
        """Return the points that follow when each of the programs makes its next request."""
        found = []
        for place in range(1, len(point)):
            step = self._step(point[0], point[place])
            if step is not None:
                found.append((step[0], *point[1:place], step[1], *point[place + 1 :]))
        return found

    def _step(self, state: int, history: int) -> tuple[int, int] | None:
        """Return the state, and the program's history, after its next request; `None` if it has ended."""
        try:
            return self._steps[state, history]
        except KeyError:
            request = self._request(state, history)
            step = self._answered(state, history, request) if request is not None else None
            self._steps[state, history] = step
            return step

    def _answered(self, state: int, history: int, request: Request) -> tuple[int, int]:
        before = self._histories.all[history]
        name = f"{self._actors[before.actor].name}{before.length}"
        after, answer = request.apply(self._states.all[state], self._now, name)
        longer = History(before.actor, before.length + 1, before, answer)
        return self._states.number(after), self._histories.number(longer, (history, answer))

    def _request(self, state: int, history: int) -> Request | None:
        """Return what a program with this history asks for in any state, this one too; `None` at its end."""
        if history not in self._requests:
            self._play(state, history)
        return self._requests[history]

    def _play(self, state: int, history: int) -> None:
        """Let a program with this history go on alone from a state, and note each request that it makes."""
        known = self._histories.all[history]
        actor = self._actors[known.actor]
        written = set()

        def go_on(asked: Request) -> Any:
            nonlocal state, history
            if isinstance(asked, Put | Delete):
                written.add(asked.key)
            self._requests[history] = request = actor.change(asked)
            state, history = self._answered(state, history, request)
            return self._histories.all[history].answer

        play(actor.program, Replayed(known.answers(), self._fixed, go_on), actor.name, self._now)
        self._requests[history] = None
        unexpected = written - self._touched
        if unexpected:
            raise AssertionError(f"{sorted(unexpected)} are written, but were not expected to be")

    def _fixed(self, request: Request) -> tuple[bool, Any]:
        if isinstance(request, Get) and request.key not in self._touched:
            return True, self._start.found(request.key, self._now)
        if isinstance(request, Query) and request.partition not in self._partitions:
            return True, request.apply(self._start, self._now, "")[1]
        return False, None


def play(program: Program, world: Any, name: str, now: datetime) -> None:
    """Run a program with the random numbers that it always has."""
    numbers = iter(range(1_000_000))
    with patch.object(secrets, "token_hex", lambda _: f"{name}.{next(numbers)}"):
        program(world, ManualClock(now))
