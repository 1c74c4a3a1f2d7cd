import shutil
import threading
from dataclasses import replace

import pytest

from tuppence.bench.backend import DELAY, Condition
from tuppence.bench.compare import Comparison, Measured
from tuppence.cli.app import COULD_NOT, DONE

QUIET = Measured(
    queue="healthy", p50=12.0, p95=12.5, p99=13.0, added_p50=0.1, added_p95=0.2,
    captured=8, expected=8, met=True, problem="",
)  # fmt: skip
GOOD = Comparison(
    without=QUIET, again=QUIET, recorded=[QUIET, QUIET], control=replace(QUIET, added_p95=100.0)
)


@pytest.mark.slow
def test_the_application_really_records_and_each_queue_is_really_met(script):
    result = script("bench", "--requests", 20, "--json")

    found = result.json
    assert [one["queue"] for one in found["recorded"]] == list(Condition)
    assert all(one["captured"] == one["expected"] == 2 * 22 for one in found["recorded"])
    assert [one for one in found["recorded"] if not one["met"]] == []
    assert found["control"]["p50"] >= DELAY * 1000
    assert result.status == (DONE if found["passed"] else COULD_NOT)


@pytest.mark.slow
def test_a_queue_that_does_not_take_anything_proves_nothing(script):
    result = script("bench", "--requests", 10, "--provider", "nobodys")

    assert result.status == COULD_NOT
    assert "With a queue that is healthy, it was not met" in result.stderr
    assert "provider 'nobodys' is not installed" in result.stderr


def test_a_process_that_ends_before_its_time_ends_the_bench_in_words(tuppence, monkeypatch):
    monkeypatch.setattr("sys.executable", shutil.which("false"))

    result = tuppence("bench", "--requests", 10)

    assert result.status == COULD_NOT
    assert result.stderr.startswith("Error: a measured process ended before its time.\n  Run it again")
    timers = [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
    assert all(timer.finished.is_set() for timer in timers)  # else it holds a process, and its pipes


def test_little_that_is_added_is_no_problem():
    problems = GOOD.problems(budget=1.0)

    assert problems == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"recorded": [QUIET, replace(QUIET, added_p95=1.1)]}, "grows by 1.10 ms; the budget is 1 ms"),
        ({"recorded": [replace(QUIET, captured=7)]}, "7 of 8 events were captured"),
        ({"recorded": [replace(QUIET, met=False, problem="Why.")]}, "did not do as it should. Why."),
        ({"control": QUIET}, "The blocking control shows no difference"),
        ({"again": replace(QUIET, added_p95=1.1)}, "this machine is too busy"),
    ],
)
def test_each_reason_why_it_proves_nothing_is_said(change, said):
    problems = replace(GOOD, **change).problems(budget=1.0)

    assert len(problems) == 1
    assert said in problems[0]
