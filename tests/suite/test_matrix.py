"""The page of providers is made of the committed results; `make test` compares them with those of its run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tuppence.testing.results import read

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "docs/reference/provider-results/local.json"
PAGE = ROOT / "docs/reference/providers.md"
SCRIPT = ROOT / "scripts/provider_matrix.py"
HINT = "run `make matrix`, and commit what it writes"
MODULE = """
import pytest
from suite.running import Worker
from tuppence.clock import SystemClock
from tuppence.drivers import Context
from tuppence.local.compute import LocalCompute
from tuppence.meter import UnitMeter
from tuppence.testing import ComputeContract

class Slow(LocalCompute):
    def consumer(self, handle, /):
        raise RuntimeError("away")

class TestAcme(ComputeContract):
    provider = "acme"
    counterpart = "emulator: acmemu 1.0"

    @pytest.fixture
    def platform(self):
        context = Context(project="contract", meter=UnitMeter(), clock=SystemClock())
        return Worker(Slow(LocalCompute.Options(), context))

    @pytest.mark.xfail(reason="acmemu | drops bytes")
    def test_a_body_is_bytes(self):
        raise AssertionError

    @pytest.mark.xfail(reason="acmemu calls once")
    def test_a_consumer_is_called_again_and_again(self):
        pass

    def test_of_its_own(self):
        pass
"""
CONFTEST = """
import pytest

def pytest_collection_modifyitems(items):
    for item in items:
        if item.name == "test_check_succeeds_on_a_resource_that_is_there":
            item.add_marker(pytest.mark.skip(reason="offline today"))
"""


def run_contracts(results, *arguments):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    options = ["-p", "tuppence.testing.results", "--contract-results", str(results)]
    return subprocess.run(
        [*command, *options, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTEST_ADDOPTS": "", "PYTHONPATH": str(ROOT / "tests")},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def write_page(results, page):
    subprocess.run([sys.executable, SCRIPT, "--results", results, "--page", page], check=True, timeout=60)
    return page.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def acme(tmp_path_factory):
    """Return the results of a provider with gaps."""
    folder = tmp_path_factory.mktemp("acme")
    (folder / "test_acme.py").write_text(MODULE, encoding="utf-8")
    (folder / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    results = folder / "results" / "acme.json"
    done = run_contracts(results, "-n", "1", "-k", "not empty_call", str(folder))
    assert done.returncode == 1, done.stdout
    return results


def test_the_committed_page_is_made_of_the_committed_results(tmp_path):
    assert write_page(COMMITTED.parent, tmp_path / "page.md") == PAGE.read_text(encoding="utf-8"), HINT


def test_the_results_tell_each_outcome_apart(acme):
    (suite,) = read(acme).suites

    assert (suite.provider, suite.counterpart, suite.kind) == ("acme", "emulator: acmemu 1.0", "compute")
    assert suite.driver.endswith("test_acme:Slow")
    assert suite.xfailed == {"test_a_body_is_bytes": "acmemu | drops bytes"}
    assert suite.xpassed == {"test_a_consumer_is_called_again_and_again": "acmemu calls once"}
    assert suite.skipped == {"test_check_succeeds_on_a_resource_that_is_there": "offline today"}
    assert suite.failed["test_messages_arrive_as_they_were_sent"] == "RuntimeError: away"
    assert "test_a_run_that_raises_is_not_done" in suite.passed
    assert "test_of_its_own" not in suite.passed


def test_the_page_names_all_that_did_not_pass_with_its_reason(acme, tmp_path):
    page = write_page(acme.parent, tmp_path / "page.md")

    assert "| acme | compute | `Slow` | ? | emulator: acmemu 1.0 | - | - |" in page
    assert "| acme | compute | a body is bytes | named gap | acmemu \\| drops bytes | `Acme` | - |" in page
    assert "| acme | compute | an empty call is nothing to do | not run | - | `Acme` | - |" in page
    assert "| check succeeds on a resource that is there | skipped | offline today | `Acme` | - |" in page
    assert "| messages arrive as they were sent | failed | RuntimeError: away | `Acme` | - |" in page
    assert "| marked as a gap, and passed | acmemu calls once | `Acme` | - |" in page


def test_a_gap_of_one_counterpart_is_shown_with_where_there_is_none(acme, tmp_path):
    results = read(acme)
    (gap,) = results.suites
    closed = msgspec.convert({**msgspec.to_builtins(gap), "name": "TestLive"}, type(gap))
    closed.xfailed, closed.passed = {}, [*gap.passed, *gap.xfailed]
    results.suites.append(closed)
    (tmp_path / "acme.json").write_bytes(msgspec.json.encode(results))

    page = write_page(tmp_path, tmp_path / "page.md")

    assert "| a body is bytes | named gap | acmemu \\| drops bytes | `Acme` | `Live` |" in page


def compared(run):
    command = [sys.executable, SCRIPT, "--compare", run]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_a_run_that_found_what_is_committed_differs_in_nothing(tmp_path, acme):
    run = read(COMMITTED)
    for other in COMMITTED.parent.glob("*.json"):
        run.suites += [] if other == COMMITTED else read(other).suites
    run.suites += read(acme).suites
    (tmp_path / "run.json").write_bytes(msgspec.json.encode(run))

    done = compared(tmp_path / "run.json")

    assert (done.returncode, done.stderr) == (0, "")


def test_a_run_that_found_something_else_says_where(tmp_path):
    run = read(COMMITTED)
    gone, changed = run.suites.pop(), run.suites[0]
    changed.failed["test_of_now"] = "late"
    changed.limits["batch_items"] = 1
    (tmp_path / "run.json").write_bytes(msgspec.json.encode(run))

    done = compared(tmp_path / "run.json")

    assert done.returncode == 1
    assert f"local {gone.name}: was not run" in done.stderr
    assert f"local {changed.name}: differs in limits, failed" in done.stderr
    assert HINT in done.stderr


def test_a_kind_that_no_contract_was_run_on_is_named(tmp_path):
    results = read(COMMITTED)
    results.suites = [suite for suite in results.suites if suite.kind != "mailer"]
    (tmp_path / "local.json").write_bytes(msgspec.json.encode(results))

    page = write_page(tmp_path, tmp_path / "page.md")

    assert "- local offers a mailer that no contract was run on." in page
