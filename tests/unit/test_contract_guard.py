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


@pytest.fixture
def collect(tmp_path):
    """Return what pytest says of a provider's test module when it collects it."""

    def collect(before="", inside="", *options):
        (tmp_path / "test_acme.py").write_text(MODULE.format(before=before, inside=inside))
        command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *options]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
        return done.returncode, done.stdout

    return collect


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


def test_a_provider_collects_every_test_of_the_contract(collect):
    code, printed = collect()

    assert code == 0
    assert f"TestAcme::{NAME}" in printed


@pytest.mark.parametrize(
    ("before", "inside"),
    [
        ("@pytest.mark.skip(reason='later')", ""),
        ("@pytest.mark.skipif(True, reason='later')", ""),
        ("@pytest.mark.xfail(reason='all of it')", ""),
        ("", "pytestmark = pytest.mark.skip"),
        ("pytestmark = pytest.mark.skip(reason='later')", ""),
        ("pytestmark = [pytest.mark.xfail(reason='all of it')]", ""),
    ],
)
def test_a_mark_on_class_or_module_fails_at_collection(collect, before, inside):
    code, printed = collect(before, inside)

    assert code == 2
    assert "is a test of the contract and bears the mark" in printed


def test_a_gap_may_not_be_skipped_as_well(collect):
    gap = f"""
    @pytest.mark.skip
    @pytest.mark.xfail(reason="the emulator forgets")
    def {NAME}(self):
        raise AssertionError
"""

    code, printed = collect(inside=gap)

    assert code == 2
    assert "bears the mark skip" in printed


def test_other_tests_of_the_module_may_bear_any_mark(collect):
    other = """
@pytest.mark.skip
def test_other():
    pass
"""

    code, printed = collect(before=other)

    assert (code, "test_other" in printed) == (0, True)


def test_a_contract_itself_is_not_collected(collect):
    code, printed = collect("", "", "-o", "python_classes=*Contract Test")

    assert code == 0
    assert "::TestAcme::" in printed
    assert "Contract::" not in printed
