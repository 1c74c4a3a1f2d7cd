"""Plays the real code of several programs at one store in every order that their requests may come in.

What a program asks for next depends on nothing but the answers it has had: all else that it uses (clock,
random numbers) is fixed. So a program stands where it stands by its history of answers, and the whole by the
state of store and queue and the history of each program. Two orders that lead to the same point have the same
futures, which are walked once: the number of orders is added up, not walked. A program that makes no request
any more from some point on is one that was killed there.
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


class Asked(BaseException):
    """The program waits for the answer to this request."""

    def __init__(self, request: Request) -> None:
        self.request = request


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
    """A world that gives known answers, and stops the program at the first request that has none."""

    def __init__(self, answers: Sequence[Any], fixed: Callable[[Request], Any]) -> None:
        self._answers = iter(answers)
        self._fixed = fixed

    def do(self, request: Request, _now: Any) -> Any:
        known, answer = self._fixed(request)
        if known:
            return answer
        for answer in self._answers:
            return answer
        raise Asked(request)


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
        self._steps: dict[tuple[int, int], tuple[int, int]] = {}

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
        stack = [(beginning, list(self._following(beginning)), 0)]
        while stack:
            point, following, at = stack.pop()
            if at == len(following):
                yield point, following
                continue
            stack.append((point, following, at + 1))
            if following[at] not in met:
                met.add(following[at])
                stack.append((following[at], list(self._following(following[at])), 0))

    def _beginning(self) -> Point:
        histories = [
            self._histories.number(History(actor, 0), ("start", actor)) for actor in range(len(self._actors))
        ]
        return (self._states.number(self._start), *histories)

    def _following(self, point: Point) -> Iterator[Point]:
        """Yield the points that follow when each of the programs makes its next request."""
        for place in range(1, len(point)):
            if self._request(point[place]) is not None:
                state, history = self._step(point[0], point[place])
                yield (state, *point[1:place], history, *point[place + 1 :])

    def _step(self, state: int, history: int) -> tuple[int, int]:
        """Return the state, and the program's history, after its next request."""
        if (state, history) not in self._steps:
            before, request = self._histories.all[history], self._request(history)
            assert request is not None
            name = f"{self._actors[before.actor].name}{before.length}"
            after, answer = request.apply(self._states.all[state], self._now, name)
            longer = History(before.actor, before.length + 1, before, answer)
            self._steps[state, history] = (
                self._states.number(after),
                self._histories.number(longer, (history, answer)),
            )
        return self._steps[state, history]

    def _request(self, history: int) -> Request | None:
        """Return what a program with this history asks for, or `None` when it has ended."""
        if history not in self._requests:
            known = self._histories.all[history]
            actor = self._actors[known.actor]
            asked = play(actor.program, Replayed(known.answers(), self._fixed), actor.name, self._now)
            if isinstance(asked, Put | Delete) and asked.key not in self._touched:
                raise AssertionError(f"{asked.key} is written, but was not expected to be")
            self._requests[history] = actor.change(asked) if asked is not None else None
        return self._requests[history]

    def _fixed(self, request: Request) -> tuple[bool, Any]:
        if isinstance(request, Get) and request.key not in self._touched:
            return True, self._start.found(request.key, self._now)
        if isinstance(request, Query) and request.partition not in self._partitions:
            return True, request.apply(self._start, self._now, "")[1]
        return False, None


def play(program: Program, world: Any, name: str, now: datetime) -> Request | None:
    """Run a program; return the request it stopped at, or `None` when it came to its end."""
    numbers = iter(range(1_000_000))
    with patch.object(secrets, "token_hex", lambda _: f"{name}.{next(numbers)}"):
        try:
            program(world, ManualClock(now))
        except Asked as asked:
            return asked.request
    return None
