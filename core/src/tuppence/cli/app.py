"""The group of all commands: the options each of them takes, and how an error ends one."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Final

import click

from tuppence import __version__
from tuppence.cli.output import Output, discard_output, tolerate_narrow_streams
from tuppence.clock import Clock, SystemClock
from tuppence.config import Config, load
from tuppence.errors import TuppenceError
from tuppence.runtime import Runtime
from tuppence.watch import Watch, watched

DONE: Final = 0
COULD_NOT: Final = 1
USAGE: Final = 2

COMMANDS: Final = {
    "demo": "demo:demo",
    "init": "init:init",
    "doctor": "doctor:doctor",
    "providers": "providers:providers",
    "import": "import_:import_",
    "drain": "steps:drain",
    "seal": "steps:seal",
    "purge": "steps:purge",
    "worker": "worker:worker",
    "report": "report:report",
    "status": "status:status",
    "dead": "dead:dead",
    "deploy": "deploy:deploy",
    "destroy": "deploy:destroy",
    "bench": "bench:bench",
    "completion": "completion:completion",
}
"""Where each command lives, in the order a newcomer meets them. A command is imported when it is run."""


class Session:
    """What a command works with.

    Attributes:
        output: where it says what it did.
        clock: the machine's.
        config_file: what `--config` named.

    """

    def __init__(self, config_file: str | None, output: Output, clock: Clock | None = None) -> None:
        self.output = output
        self.clock = clock or SystemClock()
        self.config_file = config_file

    def config(self) -> Config:
        """Read the configuration that `--config`, the environment or the working directory names."""
        return load(self.config_file)

    def runtime(self) -> Runtime:
        """Bring that configuration to life; use it in a `with`."""
        return Runtime(self.config(), clock=self.clock)


def shared(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that every command takes, and hand it a `Session` first."""

    @click.option(
        "--config",
        "config_file",
        metavar="FILE",
        type=click.Path(dir_okay=False),
        help="Read this configuration instead of the nearest tuppence.toml.",
    )
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
    @click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error.")
    @functools.wraps(function)
    def command(*, config_file: str | None, as_json: bool, **options: Any) -> Any:
        output = Output(json=as_json)
        with watched(Watch(output.aside)):
            return function(Session(config_file, output), **options)

    return command


class Commands(click.Group):
    """A group whose commands are imported when asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return their names in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """Import one."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(f"tuppence.cli.{module}"), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or name the one that was probably meant."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            close = difflib.get_close_matches(name, COMMANDS, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(COMMANDS)}."
            raise click.UsageError(f"No command {name!r}; {hint}", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="tuppence", message="%(prog)s %(version)s")
def commands() -> None:
    """Learn every Monday what people asked your chatbot, for nothing, in your own cloud account."""


def run(arguments: Sequence[str]) -> int:
    """Run one command line, `arguments` being what was typed after `tuppence`; return its exit status."""
    output = Output(json="--json" in arguments)
    debug = "--debug" in arguments
    tolerate_narrow_streams()
    try:
        return int(commands.main(list(arguments), prog_name="tuppence", standalone_mode=False) or DONE)
    except click.UsageError as error:
        output.usage(error)
        return USAGE
    except (KeyboardInterrupt, click.Abort):
        output.fail("Stopped.", "Nothing is lost: run the command again to go on.")
    except BrokenPipeError:
        discard_output()
    except (TuppenceError, click.ClickException, OSError) as error:
        output.error(error, traceback=debug)
    except Exception as error:  # noqa: BLE001 - the last place where a bug can still be explained
        output.bug(error, traceback=debug)
    return COULD_NOT
