from __future__ import annotations

import click
import pytest

from tuppence import __version__
from tuppence.cli import app
from tuppence.cli.app import COMMANDS, COULD_NOT, DONE, USAGE, commands


def every_command():
    """Yield each command with the words that call it."""
    group = click.Context(commands)
    for name in COMMANDS:
        command = commands.get_command(group, name)
        if isinstance(command, click.Group):
            yield from ((f"{name} {inner}", found) for inner, found in command.commands.items())
        else:
            yield name, command


@pytest.fixture
def failing(monkeypatch):
    """Make `tuppence providers` raise."""

    def with_error(error):
        def load():
            raise error

        monkeypatch.setattr("tuppence.plugins.load", load)

    return with_error


def test_the_script_says_its_version(script):
    result = script("--version")

    assert (result.status, result.stdout) == (DONE, f"tuppence {__version__}\n")


def test_every_command_takes_config_and_json_and_explains_itself():
    for name, command in every_command():
        options = {option for parameter in command.params for option in parameter.opts}

        assert {"--config", "--json"} <= options, name
        assert command.help, name


def test_a_misspelt_command_is_a_usage_error_that_names_the_nearest(tuppence):
    result = tuppence("provider")

    assert result.status == USAGE
    assert "did you mean 'providers'?" in result.stderr


def test_a_usage_error_is_json_where_json_was_asked_for(tuppence):
    result = tuppence("providers", "--jsn", "--json")

    assert result.status == USAGE
    assert result.json["error"]["kind"] == "usage"
    assert result.json["error"]["next"] == "Run `tuppence providers --help`."


def test_a_wrong_setting_is_named_with_what_was_probably_meant(tuppence, folder):
    (folder / "tuppence.toml").write_text('provider = "local"\n[retention]\nevnts = "9d"\n', encoding="utf-8")

    result = tuppence("status")

    assert result.status == COULD_NOT
    assert "unknown key `retention.evnts`; did you mean `events`?" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_configuration_that_is_not_there_says_how_to_get_one(tuppence):
    result = tuppence("status", "--config", "elsewhere.toml", "--json")

    assert result.status == COULD_NOT
    assert "tuppence init" in result.json["error"]["message"]


def test_a_bug_asks_to_be_reported_and_shows_no_traceback(tuppence, failing):
    failing(ZeroDivisionError("secret"))

    result = tuppence("providers")

    assert result.status == COULD_NOT
    assert "ZeroDivisionError" in result.stderr
    assert "report it" in result.stderr
    assert "secret" not in result.stderr


def test_debug_shows_the_traceback_of_a_bug(tuppence, failing):
    failing(ZeroDivisionError("why"))

    result = tuppence("providers", "--debug")

    assert "ZeroDivisionError: why" in result.stderr
    assert "Traceback" in result.stderr


def test_an_interrupted_command_could_not_do_its_work(tuppence, failing):
    failing(KeyboardInterrupt())

    result = tuppence("providers", "--json")

    assert result.status == COULD_NOT
    assert result.json["error"]["message"] == "Stopped."


def test_the_commands_of_the_help_are_in_the_order_a_newcomer_meets_them(tuppence):
    result = tuppence("--help")

    listed = [line.split()[0] for line in result.stdout.partition("Commands:\n")[2].splitlines() if line]
    assert [name for name in listed if name in COMMANDS] == list(app.COMMANDS)
