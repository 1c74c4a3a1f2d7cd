from __future__ import annotations

import pytest

from tuppence.cli.app import DONE, USAGE


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_script_that_asks_tuppence(tuppence, shell):
    result = tuppence("completion", shell)

    assert result.status == DONE
    assert f"_TUPPENCE_COMPLETE={shell}_complete" in result.stdout


def test_an_unknown_shell_is_a_usage_error(tuppence):
    assert tuppence("completion", "ed").status == USAGE


def test_the_script_completes_commands_and_options(script, monkeypatch):
    monkeypatch.setenv("_TUPPENCE_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "tuppence init --tim")
    monkeypatch.setenv("COMP_CWORD", "2")

    result = script()

    assert result.stdout.strip() == "plain,--timezone"
