"""Runs the application with and without recording, by turns, against queues in every condition.

Each is a process of its own, so that nothing of one is in the time of another. They take turns, so that a
machine that is slow for a while is slow for all; what is added is the median of what each turn shows.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import IO, Any, Final, cast

from tuppence.bench import plugin
from tuppence.bench.backend import HOST, Condition
from tuppence.bench.measured import Way
from tuppence.errors import TuppenceError

TURNS: Final = 10
FEWER: Final = 16
"""The control makes as many times fewer requests, since each of them waits."""
LIMIT: Final = 300
"""Seconds after which a process that hangs is killed."""
_ENDED: Final = "a measured process ended before its time"


class BenchError(TuppenceError):
    """What was to be measured did not run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One way of answering. Times are milliseconds.

    Attributes:
        queue: the queue's condition; empty where none is used.
        p50, p95, p99: of the time a caller waited.
        added_p50, added_p95: beside the application without recording.
        captured: events.
        expected: what that should be.
        met: whether the queue was met, if it lives, and did as it should: a healthy one took everything, a
            slow one something, the others nothing.
        problem: what the client last said was wrong.

    """

    queue: str
    p50: float
    p95: float
    p99: float
    added_p50: float
    added_p95: float
    captured: int
    expected: int
    met: bool
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All of them. `again` is `without` a second time, and so what chance alone adds."""

    without: Measured
    again: Measured
    recorded: list[Measured]
    control: Measured

    def problems(self, budget: float) -> list[str]:
        """Return why this proves nothing, or too much; empty where no more than `budget` ms are added."""
        found = []
        if self.again.added_p95 > budget:
            found.append("Without tuppence the second time was slower: this machine is too busy.")
        for one in self.recorded:
            case = f"With a queue that is {one.queue},"
            if one.added_p95 > budget:
                found.append(f"{case} p95 grows by {one.added_p95:.2f} ms; the budget is {budget:g} ms.")
            if one.captured != one.expected:
                found.append(f"{case} {one.captured} of {one.expected} events were captured.")
            if not one.met:
                found.append(f"{case} it was not met, or did not do as it should. {one.problem}".rstrip())
        if self.control.added_p95 <= budget:
            found.append("The blocking control shows no difference, so nothing else could.")
        return found


class _Process:
    """A module of this package in a process of its own, which is spoken to in lines."""

    def __init__(self, module: str, argument: str, path: str = "") -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own modules
            [sys.executable, "-m", f"tuppence.bench.{module}", argument],
            env=_environment(path),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._asked = cast("IO[str]", self._process.stdin)
        self._answers = cast("IO[str]", self._process.stdout)
        self._watch = threading.Timer(LIMIT, self._process.kill)
        self._watch.daemon = True
        self._watch.start()

    def ask(self, line: str) -> Any:
        """Hand it a line; return its answer."""
        try:
            self._asked.write(f"{line}\n")
            self._asked.flush()
        except OSError as error:
            raise BenchError(_ENDED) from error
        return self.answer()

    def answer(self) -> Any:
        """Return what it says next."""
        try:
            return json.loads(self._answers.readline())
        except ValueError as error:
            raise BenchError(_ENDED) from error

    def finish(self) -> None:
        """Let it end; what it answers next are its last words."""
        self._asked.close()

    def stop(self) -> None:
        """See to it that it is gone."""
        self._watch.cancel()
        self._process.kill()
        self._process.wait()
        with suppress(BrokenPipeError):  # what it was told last may still lie here
            self._asked.close()
        self._answers.close()


def _environment(path: str) -> dict[str, str]:
    """Return the environment without what it says of tuppence and of proxies, and with `path` for modules."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("TUPPENCE_") and not name.lower().endswith("_proxy")
    }
    places = [place for place in (path, kept.get("PYTHONPATH", "")) if place]
    return {**kept, "PYTHONPATH": os.pathsep.join(places)}


class _Runner:
    """One way of answering, with its queue, and how long its callers have waited, turn by turn."""

    def __init__(self, way: Way, condition: Condition | None, provider: str, folder: Path) -> None:
        self.way = way
        self.condition = condition
        self.turns: list[list[float]] = []
        self._backend = _Process("backend", condition.value) if condition else None
        with ExitStack() as starting:  # what has been started is stopped also where the rest cannot be
            if self._backend:
                starting.callback(self._backend.stop)
            told = {
                "way": way.value,
                "url": f"http://{HOST}:{self._backend.answer()}" if self._backend else "",
                "provider": provider,
                "folder": str(folder),
            }
            self._application = _Process("measured", json.dumps(told), str(folder.parent))
            starting.callback(self._application.stop)
            self._started = starting.pop_all()

    def turn(self, requests: int) -> None:
        """Have requests made; the control makes fewer."""
        share = max(1, requests // FEWER) if self.way is Way.BLOCKING else requests
        self.turns.append(self._application.ask(str(share)))

    def finish(self) -> None:
        """Let it end: the last try to send takes a while, for all of them at once."""
        self._application.finish()

    def measured(self, base: _Runner) -> Measured:
        """Return the sums, once it has ended; the first turn pays for what is made when first needed."""
        end = self._application.answer()
        met = self._met(end) if self._backend else True
        p50, p95, p99 = _percentiles([span for turn in self.turns[1:] for span in turn])
        pairs = zip(map(_percentiles, self.turns[1:]), map(_percentiles, base.turns[1:]), strict=True)
        added = [(mine[0] - its[0], mine[1] - its[1]) for mine, its in pairs]
        return Measured(
            queue=self.condition or "",
            p50=round(p50, 3),
            p95=round(p95, 3),
            p99=round(p99, 3),
            added_p50=round(median(turn[0] for turn in added), 3),
            added_p95=round(median(turn[1] for turn in added), 3),
            captured=end.get("captured", 0),
            expected=2 * sum(map(len, self.turns)) if self.way is Way.CAPTURED else 0,
            met=met,
            problem=end.get("problem", ""),
        )

    def _met(self, end: dict[str, Any]) -> bool:
        assert self._backend is not None, "there is a queue to be met"
        self._backend.finish()
        came: int = self._backend.answer()
        if self.way is not Way.CAPTURED or self.condition is Condition.SLOW:
            return came > 0
        if self.condition is Condition.HEALTHY:
            return came > 0 and bool(end["sent"])
        return not end["batches"] and bool(came or self.condition is Condition.DEAD)

    def stop(self) -> None:
        """See to it that both processes are gone."""
        self._started.close()


def compare(provider: str, requests: int, advance: Callable[[int], None]) -> Comparison:
    """Measure.

    Args:
        provider: whose queue is used, which must have the option `endpoint`; `bench` has one for this alone.
        requests: how many are made of each process, but for the control.
        advance: told of each turn that is over, of `TURNS`.

    """
    recording = [(Way.CAPTURED, one) for one in Condition]
    ways = [(Way.WITHOUT, None), (Way.WITHOUT, None), *recording, (Way.BLOCKING, Condition.SLOW)]
    with ExitStack() as stack:
        scratch = plugin.installed(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        runners = []
        for number, (way, condition) in enumerate(ways):
            folder = scratch / str(number)
            folder.mkdir()
            runners.append(_Runner(way, condition, provider, folder))
            stack.callback(runners[-1].stop)
        for turn in range(1 + TURNS):
            for runner in runners:
                runner.turn(requests // TURNS)
            advance(min(turn, 1))
        for runner in runners:
            runner.finish()
        without, again, *recorded, control = (runner.measured(runners[0]) for runner in runners)
    return Comparison(without=without, again=again, recorded=recorded, control=control)


def _percentiles(spans: list[float]) -> tuple[float, float, float]:
    if len(spans) == 1:
        return spans[0], spans[0], spans[0]
    cuts = quantiles(spans, n=100, method="inclusive")
    return cuts[49], cuts[94], cuts[98]
