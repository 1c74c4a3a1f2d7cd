import pytest

from tuppence.testing import QueueContract

NAME = "test_an_empty_queue_gives_nothing"


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
