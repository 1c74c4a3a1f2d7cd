"""Holds the reference pages to the code: nothing missing, nothing that is gone."""

from __future__ import annotations

import re
from datetime import timedelta

import click
import msgspec
import pytest

from docs.reading import page, rows, section
from tuppence import config, event, plugins
from tuppence.cli.app import COMMANDS, commands
from tuppence.drivers import Kind
from tuppence.settings import parse_span

TABLES = {
    name: getattr(config, name.title()) for name in ("capture", "pipeline", "retention", "report", "budget")
}


def defaults(struct):
    return {field.name: default_of(field) for field in msgspec.structs.fields(struct)}


def default_of(field):
    return field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()


def same(written, default):
    """Whether a default as written means the default in the code."""
    if isinstance(default, timedelta):
        return parse_span(written.strip('`"')) == default
    return default is None if written == "none" else msgspec.json.decode(written.strip("`")) == default


def leaf_commands():
    context = click.Context(commands)
    for name in COMMANDS:
        command = commands.get_command(context, name)
        inner = getattr(command, "commands", {})
        yield from ((f"{name} {sub}", found) for sub, found in inner.items())
        if not inner:
            yield name, command


@pytest.mark.parametrize("table", TABLES)
def test_each_table_of_the_configuration_is_described_with_its_defaults(table):
    described = rows(section(page("configuration.md"), f"`[{table}]`"))

    expected = defaults(TABLES[table])
    assert set(described) == set(expected)
    assert all(same(described[key], default) for key, default in expected.items())


@pytest.mark.parametrize("kind", ["queue", "store", "scheduler", "mailer"])
def test_each_option_of_the_embedded_provider_is_described_with_its_default(kind):
    described = rows(section(page("configuration.md"), f"`[{kind}]` of `local`"))

    expected = defaults(plugins.load().driver_class(Kind(kind), "local").Options)
    assert set(described) == set(expected)
    assert all(same(described[key], default) for key, default in expected.items())


def test_the_top_of_the_configuration_is_described_with_its_defaults():
    described = rows(section(page("configuration.md"), "Top of the file"))

    top = defaults(config._Settings)
    expected = {key: default for key, default in top.items() if key not in TABLES}
    assert set(described) == set(expected)
    assert all(same(described[key], default) for key, default in expected.items())


@pytest.mark.parametrize(("name", "command"), list(leaf_commands()), ids=str)
def test_each_command_is_described_with_its_options(name, command):
    described = section(page("cli.md"), f"`tuppence {name}`")

    own = {
        option
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for option in parameter.opts
        if option not in {"--config", "--json", "--debug"}
    }
    assert described
    assert set(re.findall(r"^\| `(--[a-z-]+)", described, re.MULTILINE)) == own


def test_no_command_is_described_that_is_gone():
    described = set(re.findall(r"^## `tuppence ([a-z ]+)`$", page("cli.md"), re.MULTILINE))

    assert described == {name for name, _ in leaf_commands()}


def test_each_outcome_is_described():
    described = re.findall(r"^\| `([a-z_]+)` \|", section(page("events.md"), "Questions"), re.MULTILINE)

    assert {outcome.value for outcome in event.Outcome} <= set(described)


def test_the_limits_of_an_event_are_those_of_the_code():
    limits = section(page("events.md"), "Limits")

    for number in (event.MAX_EVENT_BYTES, event.MAX_TEXT, event.MAX_NAME, event.MAX_KEYS, event.MAX_DEPTH):
        assert re.search(rf"\| {number:,} ", limits), number
