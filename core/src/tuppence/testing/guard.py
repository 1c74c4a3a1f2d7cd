"""The guard: a subclass may add to a contract and may not take from it.

What is replaced or removed fails when the class is made. What is skipped, or expected to fail from outside
the test itself, fails when it is collected.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, ClassVar

import pytest

OURS = __name__.rpartition(".")[0]
"""The package whose classes are contracts; everyone else's are held to them."""


class Guarded:
    """The base of all contracts."""

    __test__: ClassVar[bool] = False
    """A contract is collected through its subclasses, never by itself, whatever names pytest looks for."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__test__" not in vars(cls):
            cls.__test__ = not _is_ours(cls)
        for base in filter(_is_ours, cls.__mro__[1:]):
            for name, original in vars(base).items():
                if inspect.isfunction(original) and not name.startswith("__"):
                    _check_kept(cls, name, original)

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Refuse marks that would let a test of the contract go by. pytest calls this for each test."""
        name = metafunc.function.__name__
        if metafunc.cls is None or name not in contract_tests(metafunc.cls):
            return
        for node, mark in metafunc.definition.iter_markers_with_node():
            own_gap = mark.name == "xfail" and node is metafunc.definition
            if mark.name in {"skip", "skipif", "xfail"} and not own_gap:
                pytest.fail(
                    f"{metafunc.cls.__name__}.{name} is a test of the contract "
                    f"and bears the mark {mark.name}; {_REMEDY}",
                    pytrace=False,
                )


@cache
def contract_tests(cls: type) -> Mapping[str, str]:
    """Return the names of the contract's tests that `cls` is held to, each with what it is about."""
    return {
        name: vars(base).get("about", "")
        for base in reversed(cls.__mro__)
        if _is_ours(base)
        for name in _tests_in(base)
    }


_REMEDY = 'only the test itself may be replaced, by one marked pytest.mark.xfail(reason="…"), for a named gap'


def _is_ours(cls: type) -> bool:
    return issubclass(cls, Guarded) and cls.__module__.startswith(OURS)


def _tests_in(base: type) -> Iterator[str]:
    return (name for name, found in vars(base).items() if name.startswith("test_") and callable(found))


def _check_kept(cls: type, name: str, original: object) -> None:
    found = getattr(cls, name)
    if found is original:
        return
    marks = getattr(found, "pytestmark", ()) if name.startswith("test_") else ()
    if not any(_names_a_gap(mark) for mark in marks):
        raise TypeError(f"{cls.__name__}.{name} replaces a part of the contract; {_REMEDY}")


def _names_a_gap(mark: pytest.Mark) -> bool:
    """Whether a mark is an unconditional `xfail` with a reason: under a condition, anything might pass."""
    unconditional = not mark.args and "condition" not in mark.kwargs
    return mark.name == "xfail" and unconditional and bool(mark.kwargs.get("reason"))
