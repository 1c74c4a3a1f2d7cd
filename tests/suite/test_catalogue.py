"""The contract put to the test: for every driver of the catalogue, what is said to find it fails on it."""

from __future__ import annotations

import runpy
from collections import Counter
from pathlib import Path

import pytest

from suite.bad import CATALOGUE, name_of
from suite.running import contract_of, run
from tuppence.local.compute import LocalCompute
from tuppence.local.mailer import LocalMailer
from tuppence.local.queue import LocalQueue
from tuppence.local.scheduler import LocalScheduler
from tuppence.local.store import LocalStore
from tuppence.testing.guard import contract_tests

ROOT = Path(__file__).parents[2]
LEAST = 150
"""Bad drivers that the suite finds."""
HEALTHY = {
    contract_of(cls)[0]: cls for cls in (LocalQueue, LocalStore, LocalCompute, LocalScheduler, LocalMailer)
}
SLIPS = (AttributeError, NameError, TypeError, NotImplementedError, pytest.skip.Exception)
"""What a mistake in a bad driver raises, or in the tests that run it."""

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


@pytest.mark.parametrize("bad", CATALOGUE, ids=name_of)
def test_a_bad_driver_is_found(bad):
    for test in bad.tests:
        with pytest.raises((Exception, pytest.fail.Exception)) as caught:
            run(bad, test)

        assert not isinstance(caught.value, SLIPS)


@pytest.mark.parametrize(
    ("contract", "test"),
    [(contract, test) for contract in HEALTHY for test in contract_tests(contract)],
    ids=lambda one: one if isinstance(one, str) else one.__name__,
)
def test_the_embedded_driver_passes_when_it_is_run_the_same_way(contract, test):
    run(HEALTHY[contract], test)


def test_the_catalogue_is_long_enough_and_says_what_is_wrong_once():
    wrong = Counter((contract_of(bad)[0], bad.__doc__) for bad in CATALOGUE)

    assert len(CATALOGUE) >= LEAST
    assert {kind.__name__: times for (kind, _), times in wrong.items() if times > 1} == {}
    assert [name_of(bad) for bad in CATALOGUE if not bad.__doc__.endswith(".") or "\n\n" in bad.__doc__] == []
    assert max(Counter((contract_of(bad)[0], bad.__name__) for bad in CATALOGUE).values()) == 1


def test_no_test_of_the_contract_is_left_that_no_bad_driver_fails():
    promised = {getattr(contract, test) for contract in HEALTHY for test in contract_tests(contract)}
    failed = {getattr(contract_of(bad)[0], test) for bad in CATALOGUE for test in bad.tests}

    assert sorted(test.__qualname__ for test in promised - failed) == []


def test_the_page_of_bad_drivers_is_that_of_the_catalogue():
    script = runpy.run_path(str(ROOT / "scripts/bad_drivers.py"))

    assert script["page"]() == script["PAGE"].read_text(encoding="utf-8"), "run scripts/bad_drivers.py"
