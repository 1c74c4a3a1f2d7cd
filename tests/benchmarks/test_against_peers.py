"""The harness of `make bench` works, as far as it can be tried without the peers. No speed is asserted."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BENCHMARKS = ROOT / "benchmarks"
PAGE = ROOT / "docs/explanation/performance.md"
PATIENCE = 300


@pytest.fixture
def measured(tmp_path):
    """Run some of the benchmarks with small numbers; return what they write down."""

    def call(*arguments):
        file = tmp_path / "results.json"
        run("peers.py", *arguments, "--quick", "--clients", "no-op,deque,tuppence", "--json", file)
        return json.loads(file.read_text(encoding="utf-8"))

    return call


def run(script, *arguments):
    command = [sys.executable, str(BENCHMARKS / script), *map(str, arguments)]
    subprocess.run(command, check=True, timeout=PATIENCE, capture_output=True)


@pytest.mark.slow
def test_each_way_of_capturing_is_measured_and_every_event_counted(measured):
    found = measured("capture")["capture"]

    assert list(found) == ["cold", "burst", "paced", "threads"]
    for mode in found.values():
        assert list(mode) == ["no-op", "deque", "tuppence"]
        ours = mode["tuppence"]
        assert ours["captured"] > 0
        assert (ours["lost"], ours["copies"], ours["doubled"]) == (0, 0, 0)
        assert ours["requests"] > 0 or ours["later"] == ours["captured"]
        assert 0 < ours["p50"] <= ours["p99"] <= ours["max"]


@pytest.mark.slow
def test_what_a_killed_process_captured_arrives_through_its_successor_or_is_counted_as_lost(measured):
    faults = ("--fault", "SIGKILL", "--fault", "SIGKILL, disk gone")

    found = measured("faults", *faults)["faults"]

    kept, gone = found["SIGKILL"]["tuppence"], found["SIGKILL, disk gone"]["tuppence"]
    assert (kept["calls"], kept["lost"], kept["doubled"]) == (13, 0, 0)
    assert (gone["calls"], gone["lost"]) == (13, 13)


@pytest.mark.slow
def test_what_is_drained_sealed_and_reported_is_measured_of_each_volume(measured):
    found = measured("pipeline")["pipeline"]

    assert list(found) == ["100000"]
    ours = found["100000"]
    assert all(number > 0 for number in ours.values())
    assert ours["both"] < min(ours["drain"], ours["seal"])


def test_the_page_shows_the_results_that_lie_beside_it(tmp_path):
    page = shutil.copy(PAGE, tmp_path / "page.md")

    run("page.py", "--page", page)

    assert Path(page).read_text(encoding="utf-8") == PAGE.read_text(encoding="utf-8")


def test_other_results_make_another_page(tmp_path):
    results = json.loads(PAGE.with_suffix(".json").read_text(encoding="utf-8"))
    results["capture"]["burst"]["posthog"]["lost"] += 1
    changed = tmp_path / "results.json"
    changed.write_text(json.dumps(results), encoding="utf-8")
    page = shutil.copy(PAGE, tmp_path / "page.md")

    run("page.py", "--page", page, "--results", changed)

    assert Path(page).read_text(encoding="utf-8") != PAGE.read_text(encoding="utf-8")
