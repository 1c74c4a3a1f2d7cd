"""Holds to the code what people who write providers and handle errors look up."""

from __future__ import annotations

import inspect
import re
import runpy
from dataclasses import fields

import pytest

import tuppence
from docs.reading import ROOT, names, page, rows, section, tables
from tuppence import config, config_sources, errors, hookspecs
from tuppence.cli import app
from tuppence.errors import DriverError, ErrorCode
from tuppence.pipeline.intake import Reason
from tuppence.report.send import Status
from tuppence.retry import FEW_TRIES, FIRST_TRY, may_retry

RETRIED = {"yes": True, "no": False, "three times": True}


def test_the_page_of_the_drivers_is_what_their_docstrings_say():
    script = runpy.run_path(str(ROOT / "scripts/driver_reference.py"))

    assert script["page"]() == page("drivers.md"), "run: python scripts/driver_reference.py"


def test_each_hook_is_described_with_its_arguments():
    hooks = {
        f"{name}({', '.join(inspect.signature(function).parameters)})"
        for name, function in vars(hookspecs).items()
        if hasattr(function, "tuppence_spec")
    }

    assert hooks
    assert set(re.findall(r"^## `(\w+\(.*\))`$", page("hooks.md"), re.MULTILINE)) == hooks


def test_each_field_of_what_a_hook_returns_is_described():
    described = rows(section(page("hooks.md"), "`Provider`"))

    assert set(described) == {field.name for field in fields(hookspecs.Provider)}


def test_the_version_of_the_interfaces_is_that_of_the_code():
    assert f"speaks: {hookspecs.API}." in section(page("hooks.md"), "Interface versions")


def test_each_code_is_described_with_whether_it_is_retried():
    described = {
        names(code)[0]: RETRIED[retried]
        for code, _, retried, _ in tables(section(page("errors.md"), "Codes of `DriverError`"))
    }

    tried_again = {
        code.value: may_retry(DriverError(code, operation="store.get", provider="test"), 1)
        for code in ErrorCode
    }
    assert described == tried_again
    assert (FEW_TRIES, FIRST_TRY) == (3, 10)


def test_each_exception_is_described_with_where_it_can_be_imported_from():
    described = {
        names(cell)[0]: cell.endswith("*") for cell, _ in tables(section(page("errors.md"), "Exceptions"))
    }

    own = {
        name
        for name, found in vars(errors).items()
        if inspect.isclass(found) and issubclass(found, errors.TuppenceError)
    }
    assert described == {name: name in tuppence.__all__ for name in own}


@pytest.mark.parametrize(
    ("heading", "values"),
    [("Reasons of dead letters", Reason), ("Outcomes of a mail", Status)],
)
def test_each_reason_and_outcome_is_described(heading, values):
    described = [names(cells[0])[0] for cells in tables(section(page("errors.md"), heading))]

    assert sorted(described) == sorted(one.value for one in values)


def test_the_guide_to_dead_letters_knows_each_reason():
    guide = (ROOT / "docs/how-to/replay-dead-letters.md").read_text(encoding="utf-8")

    assert [reason.value for reason in Reason if f"| {reason.value} " not in guide.replace(", ", " | ")] == []


def test_each_exit_status_is_described():
    described = [int(cells[0]) for cells in tables(section(page("errors.md"), "Exit statuses"))]

    assert described == [app.DONE, app.COULD_NOT, app.USAGE]


def test_each_variable_that_is_no_setting_is_described():
    described = rows(section(page("environment.md"), "Other variables"))

    assert set(described) == config_sources.ENV_OTHER


def test_each_variable_shown_for_a_setting_is_one(tmp_path):
    shown = [names(cells[1])[0] for cells in tables(section(page("environment.md"), "Settings"))]
    variables = dict(one.split("=", 1) for one in shown)

    loaded = config.load(environ=variables, folder=tmp_path)

    assert len(variables) == len(shown) > 0
    assert loaded.origin == ", ".join(sorted(variables))
