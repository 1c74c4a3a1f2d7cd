"""The page about the contract tests explains every promise and every fixture, and nothing that is gone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tuppence import testing
from tuppence.testing.guard import contract_tests

PAGE = (Path(__file__).parents[2] / "docs/reference/contract-tests.md").read_text(encoding="utf-8")
CONTRACTS = {
    "a queue": testing.QueueContract,
    "a store": testing.StoreContract,
    "a scheduler": testing.SchedulerContract,
    "a mailer": testing.MailerContract,
    "a compute driver": testing.ComputeContract,
}
COMMON = {"every driver", "every driver on a resource"}


def rows(text):
    """Return the first cells of a page's tables, without their heads."""
    cells = re.findall(r"^\| ([^|]+) \|", text, re.MULTILINE)
    return [cell for cell in cells if cell not in {"---", "promise", "name", "kind"}]


@pytest.mark.parametrize("kind", CONTRACTS)
def test_each_promise_of_a_kind_is_explained(kind):
    explained = rows(PAGE.partition(f"\nOf {kind}:\n")[2].partition("\nOf ")[0].partition("\n## ")[0])

    assert set(explained) == set(contract_tests(CONTRACTS[kind]).values()) - COMMON


def test_what_holds_for_every_driver_is_explained():
    assert set(rows(PAGE.partition("\nOf every driver:\n")[2].partition("\nOf ")[0])) == COMMON


def test_what_a_provider_gives_is_explained():
    given = rows(PAGE.partition("\n## What you give\n")[2].partition("\n## ")[0])

    names = {name.strip("`") for name in given}
    everything = {name for contract in CONTRACTS.values() for name in dir(contract)}
    missing = {
        name
        for contract in CONTRACTS.values()
        for base in contract.__mro__
        for name, found in vars(base).items()
        if "gives no fixture" in source(found)
    }
    assert {"open_driver", "fires"} <= missing <= names <= everything


def source(found):
    function = getattr(found, "_get_wrapped_function", lambda: None)()
    return "" if function is None else " ".join(map(str, function.__code__.co_consts))


def test_each_contract_is_in_the_table():
    for contract in CONTRACTS.values():
        assert f"| {contract.kind.value} | `{contract.__name__}` |" in PAGE
