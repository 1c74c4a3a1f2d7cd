import os
import subprocess
import sys

import pytest

from tuppence.testing import QueueContract

NAME = "test_an_empty_queue_gives_nothing"
MODULE = """
import pytest
from tuppence.testing import ComputeContract, QueueContract
{before}
class TestAcme(QueueContract):
    {inside}
    @pytest.fixture
    def open_driver(self):
        raise AssertionError("never reached")
"""
MARKED = {
    "skipped class": ("@pytest.mark.skip(reason='later')", ""),
    "skipped class under a condition": ("@pytest.mark.skipif(True, reason='later')", ""),
    "a gap that is everything": ("@pytest.mark.xfail(reason='all of it')", ""),
    "skipped within": ("", "pytestmark = pytest.mark.skip"),
    "skipped module": ("pytestmark = pytest.mark.skip(reason='later')", ""),
    "a module of gaps": ("pytestmark = [pytest.mark.xfail(reason='all of it')]", ""),
    "a skipped gap": (
        "",
        f"@pytest.mark.skip\n    @pytest.mark.xfail(reason='it forgets')\n    def {NAME}(self): pass",
    ),
}
FINE = {
    "plain": ("", ""),
    "another test": ("@pytest.mark.skip\ndef test_other(): pass", ""),
    "a gap": ("", f"@pytest.mark.xfail(reason='it forgets')\n    def {NAME}(self): pass"),
}


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    """Return what pytest says of each module when it collects them, all in one run."""
    folder = tmp_path_factory.mktemp("providers")
    for name, (before, inside) in {**MARKED, **FINE}.items():
        path = folder / f"test_{name.replace(' ', '_')}.py"
        path.write_text(MODULE.format(before=before, inside=inside), encoding="utf-8")
    options = ("--collect-only", "-q", "-p", "no:cacheprovider", "-o", "python_classes=*Contract Test")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        cwd=folder,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return lambda name: [
        line for line in done.stdout.splitlines() if f"test_{name.replace(' ', '_')}.py" in line
    ]


def weakened(_self):
    """Stand in for a test of the contract."""


def test_a_contract_test_cannot_be_replaced():
    with pytest.raises(TypeError, match=NAME):
        type("TestWeak", (QueueContract,), {NAME: weakened})


def test_a_contract_test_cannot_be_removed():
    with pytest.raises(TypeError, match=NAME):
        type("TestWeak", (QueueContract,), {NAME: None})


def test_a_contract_test_cannot_be_replaced_through_another_base():
    mixin = type("Weak", (), {NAME: weakened})

    with pytest.raises(TypeError, match=NAME):
        type("TestWeak", (mixin, QueueContract), {})


def test_a_mark_without_a_reason_does_not_help():
    def marked(_self):
        """Stand in for a test of the contract."""

    with pytest.raises(TypeError, match="reason"):
        type("TestWeak", (QueueContract,), {NAME: pytest.mark.xfail(marked)})


def test_a_named_gap_may_be_marked():
    @pytest.mark.xfail(reason="the emulator forgets")
    def gap(_self):
        """Stand in for a test of the contract."""

    honest = type("TestHonest", (QueueContract,), {NAME: gap})

    assert getattr(honest, NAME) is gap


def test_a_provider_may_add_tests_of_its_own():
    added = type("TestMore", (QueueContract,), {"test_of_its_own": lambda _self: None})

    assert issubclass(added, QueueContract)


def test_a_gap_under_a_condition_is_none():
    @pytest.mark.xfail(condition=False, reason="never")
    def marked(_self):
        """Stand in for a test of the contract."""

    with pytest.raises(TypeError, match=NAME):
        type("TestWeak", (QueueContract,), {NAME: marked})


def test_what_the_tests_are_made_of_cannot_be_replaced():
    with pytest.raises(TypeError, match="drained"):
        type("TestWeak", (QueueContract,), {"drained": lambda *_: []})


def test_what_a_provider_gives_may_be_replaced():
    given = type("TestGiven", (QueueContract,), {"lease": None, "clock": pytest.fixture(lambda _self: None)})

    assert given.lease is None


@pytest.mark.parametrize("name", MARKED)
def test_a_mark_that_lets_a_test_go_by_fails_at_collection(collected, name):
    lines = collected(name)

    assert any("ERROR" in line for line in lines)
    assert not any(f"::TestAcme::{NAME}" in line for line in lines)


@pytest.mark.parametrize("name", FINE)
def test_a_provider_collects_every_test_of_the_contract_and_no_contract_by_itself(collected, name):
    lines = collected(name)

    assert any(f"::TestAcme::{NAME}" in line for line in lines)
    assert not any("Contract::" in line or "ERROR" in line for line in lines)
