"""`tuppence completion`: the script that teaches a shell the commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from tuppence.cli.app import Session, commands, shared


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@shared
def completion(session: Session, shell: str) -> None:
    """Print the completion script of a shell.

    Load it where your shell starts, as in `eval "$(tuppence completion bash)"`.
    """
    found = get_completion_class(shell)
    assert found is not None, "click knows the three shells"
    script = found(commands, {}, "tuppence", "_TUPPENCE_COMPLETE").source()
    session.output.say(script)
    session.output.result({"shell": shell, "script": script})
