"""Holds the reference pages to the code: nothing missing, nothing that is gone."""

from __future__ import annotations

import inspect
import re
from datetime import timedelta

import click
import msgspec
import pytest

from docs.reading import names, page, rows, section, tables
from tuppence import config, event, plugins
from tuppence.capture.client import Client, Stats
from tuppence.capture.question import Question
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


@pytest.mark.parametrize(
    ("provider", "kind"),
    [
        ("local", "queue"),
        ("local", "store"),
        ("local", "scheduler"),
        ("local", "mailer"),
        ("aws", "queue"),
        ("aws", "store"),
        ("aws", "compute"),
        ("aws", "scheduler"),
        ("aws", "mailer"),
        ("azure", "store"),
        ("gcp", "queue"),
        ("gcp", "store"),
    ],
)
def test_each_option_of_a_provider_is_described_with_its_default(provider, kind):
    described = rows(section(page("configuration.md"), f"`[{kind}]` of `{provider}`"))

    expected = defaults(plugins.load().driver_class(Kind(kind), provider).Options)
    assert set(described) == set(expected)
    assert all(same(described[key], default) for key, default in expected.items())


@pytest.mark.parametrize(
    ("provider", "kind", "service"),
    [
        ("azure", "queue", "storage"),
        ("azure", "queue", "service_bus"),
        ("azure", "mailer", "communication"),
        ("azure", "mailer", "logic_apps"),
    ],
)
def test_each_option_of_one_of_several_services_is_described_with_its_default(provider, kind, service):
    heading = f'`[{kind}]` of `{provider}` with `service = "{service}"`'

    described = rows(section(page("configuration.md"), heading))

    expected = defaults(plugins.load().driver_class(Kind(kind), provider, service).Options)
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
    table = section(page("events.md"), "Questions").partition("| outcome | the question |")[2]

    assert list(rows(f"|{table}")) == [outcome.value for outcome in event.Outcome]


def public(cls):
    return {name for name in vars(cls) if not name.startswith("_")}


def test_each_call_of_the_client_is_described_with_its_arguments():
    described = {
        re.match(r"(?:await )?(\w+)", name)[1]: name
        for cells in tables(section(page("client.md"), "`Client(config=None, *, clock=None, **settings)`"))
        for name in names(cells[0])
    }

    internal = {"open_question", "amend_question", "close_question", "reset", "ignore", "warn"}
    internal |= {"note_misfit", "note_failure"}
    arguments = {"config", "clock", "settings"}
    assert public(Client) - internal == set(described) - arguments
    for name in ("capture", "question", "feedback"):
        words = set(re.findall(r"\w+", described[name])) - {name}
        assert words == set(inspect.signature(getattr(Client, name)).parameters) - {"self", "surplus"}


def test_each_count_of_the_client_is_described():
    described = section(page("client.md"), "`Client(config=None, *, clock=None, **settings)`")
    counts = next(cells[1] for cells in tables(described) if cells[0] == "`stats`")

    assert set(names(counts)) == set(Stats.__struct_fields__)


def test_each_way_out_of_a_question_is_described():
    described = section(page("client.md"), "`Question`")

    ways = set(re.findall(r"`q\.(\w+)\(", described))
    assert (
        ways
        == {outcome.value for outcome in event.Outcome}
        == public(Question) - {"note_misfit", "note_failure"}
    )


def test_the_limits_of_an_event_are_those_of_the_code():
    limits = section(page("events.md"), "Limits")

    for number in (event.MAX_EVENT_BYTES, event.MAX_TEXT, event.MAX_NAME, event.MAX_KEYS, event.MAX_DEPTH):
        assert re.search(rf"\| {number:,} ", limits), number
