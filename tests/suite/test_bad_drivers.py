"""The contract put to the test: a driver that is bad in one way fails what names that way, and no more."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from suite.bad import more_others, more_queues, more_stores, others, queues, stores
from tuppence.testing.contract import Contract
from tuppence.testing.guard import contract_tests
from tuppence.testing.results import read

HERE = Path(__file__).parent
FAST = Path("/dev/shm")
"""Where files cost no disk, on machines that have it."""
RUNS = (("queues", "others", "more_queues", "more_others"), ("stores", "more_stores"))
"""Modules of bad drivers that are run together; the runs are made at the same time."""

MODULES = (queues, stores, others, more_queues, more_stores, more_others)


def suites(module):
    found = vars(module).values()
    return [
        one
        for one in found
        if isinstance(one, type) and issubclass(one, Contract) and one.__module__ == module.__name__
    ]


BAD = {
    f"{suite.driver_class.__module__.rpartition('.')[2]}:{suite.driver_class.__qualname__}": suite
    for module in MODULES
    for suite in suites(module)
}
"""The suites by module and class of the driver they are about."""


def run_all(tmp_path):
    """Return how each suite went, by the same names."""
    results = tmp_path / "results"
    results.mkdir()
    with tempfile.TemporaryDirectory(dir=FAST if os.access(FAST, os.W_OK) else None) as scratch:
        running = [_start(modules, results, scratch) for modules in RUNS]
        try:
            printed = [process.communicate(timeout=300)[0] for process in running]
        finally:
            for process in running:
                process.kill()  # the others too, where one hangs
                process.communicate()
    assert [process.returncode for process in running] == [1, 1], printed
    found = [suite for path in results.iterdir() for suite in read(path).suites]
    return {suite.driver.rpartition(".")[2]: suite for suite in found}


def _start(modules, results, scratch):
    files = [str(HERE / "bad" / f"{module}.py") for module in modules]
    alone = ["-c", os.devnull, "--rootdir", str(HERE), "-o", f"pythonpath={HERE.parent}", "-W", "error"]
    options = ["-q", "--tb=line", "-p", "no:cacheprovider", "-p", "tuppence.testing.results"]
    options += ["--contract-results", str(results / f"{modules[0]}.json")]
    options += ["--basetemp", f"{scratch}/{modules[0]}"]
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", *alone, *options, *files],
        cwd=scratch,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.slow
def test_a_bad_driver_fails_what_names_its_fault_and_no_more(tmp_path):
    went = run_all(tmp_path)

    failed = {name: functions(suite.failed) - BAD[name].may_break for name, suite in went.items()}
    assert failed == {name: suite.breaks for name, suite in BAD.items()}
    ran = {name: functions([*suite.passed, *suite.failed]) for name, suite in went.items()}
    assert ran == {name: set(contract_tests(suite)) for name, suite in BAD.items()}


def test_no_test_of_the_contract_is_left_that_no_bad_driver_fails():
    promised = {getattr(suite, name) for suite in BAD.values() for name in contract_tests(suite)}
    failed = {getattr(suite, name) for suite in BAD.values() for name in suite.breaks}

    assert sorted(test.__qualname__ for test in promised - failed) == []


def functions(tests):
    """Return names without parameters."""
    return {test.partition("[")[0] for test in tests}
