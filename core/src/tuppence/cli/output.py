"""What a command says: text for people, one JSON document for programs, errors for both.

On a terminal tables are drawn and long work shows its progress; into a pipe go plain lines with tabs between
the columns, so that `cut` and `awk` work.
"""

from __future__ import annotations

import io
import os
import sys
import threading
import traceback as tracebacks
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final, TextIO
from unicodedata import bidirectional, category

import click
import msgspec

from tuppence.errors import ConfigError, DeployError, DriverError, ErrorCode, PluginError

SILENCE: Final = 1.0
"""Seconds after which a command says what it waits for."""

Advance = Callable[[int], None]
"""Called with how much has been done since the last call."""

_NEXT: Final = {
    ErrorCode.CONFLICT: "Mend what it names, in the provider's console or in your configuration.",
    ErrorCode.ALREADY_EXISTS: "Choose another name in your configuration, or remove what is there.",
    ErrorCode.INVALID: "Mend what it names; `docs/reference/configuration.md` lists all settings.",
    ErrorCode.NOT_FOUND: "Check its name in your configuration; `tuppence doctor` looks at each resource.",
    ErrorCode.UNAUTHENTICATED: "Check the credentials of this machine, then run `tuppence doctor`.",
    ErrorCode.FORBIDDEN: "Allow it for the account in use, then run `tuppence doctor`.",
    ErrorCode.TOO_LARGE: "Make it smaller, or choose a provider with wider limits (`tuppence providers`).",
    ErrorCode.UNSUPPORTED: "Choose a provider that can do this (`tuppence providers`).",
}
_DIRECTIONS: Final = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
"""Unicode's bidirectional classes of characters that turn the text around them."""
_AGAIN: Final = "Nothing is lost: run the same command again in a few minutes."
_DOCTOR: Final = "Run `tuppence doctor` to see what is wrong."
_REMEDIES: Final = {
    ErrorCode.NOT_FOUND: "Check its name in your configuration; `tuppence deploy` makes what is missing.",
    ErrorCode.UNAUTHENTICATED: "Check the credentials of this machine.",
    ErrorCode.FORBIDDEN: "Allow it for the account in use.",
}
"""What `doctor` says instead of sending people to itself."""
_REPORT: Final = "Run it again with --debug, and report what it prints."


class CommandError(click.ClickException):
    """A command could not do what was asked; says why, and what to do next."""

    def __init__(self, message: str, next_step: str) -> None:
        super().__init__(message)
        self.next_step = next_step


class Output:
    """Where a command prints.

    Args:
        json: print one JSON document on standard output, and no other word there.

    """

    def __init__(self, *, json: bool) -> None:
        self.json = json

    def say(self, text: str = "") -> None:
        """Print a line for people."""
        if not self.json:
            click.echo(printable(text))

    def note(self, text: str) -> None:
        """Print a line for people on standard error: what is not the result itself."""
        if not self.json:
            click.echo(printable(text), err=True)

    def aside(self, text: str) -> None:
        """Print a line on standard error, beside a JSON document too: what someone who waits has to know."""
        click.echo(printable(text), err=True)

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """Say what is waited for, if it takes longer than `SILENCE`."""
        timer = threading.Timer(SILENCE, self.aside, [f"Waiting for {what} …"])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def table(self, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Print a table for people; into a pipe, lines with tabs between the columns and no header."""
        if self.json:
            return
        if not _is_terminal(sys.stdout):
            for row in rows:
                click.echo("\t".join(printable(cell) for cell in row))
            return
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, header_style="bold", pad_edge=False)
        for name in header:
            table.add_column(name, overflow="fold")
        for row in rows:
            table.add_row(*(Text(printable(cell)) for cell in row))
        Console().print(table)

    def result(self, document: Any) -> None:
        """Print the document for programs."""
        if self.json:
            self.document(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")

    def document(self, content: bytes) -> None:
        """Print a document as it is, whatever the encoding of the stream: JSON and HTML are UTF-8."""
        click.echo(content, nl=False)

    @contextmanager
    def progress(self, what: str, total: int | None = None) -> Iterator[Advance]:
        """Show on a terminal how far long work has come."""
        if self.json or not _is_terminal(sys.stderr):
            yield lambda _done: None
            return
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(what, total=total)
            yield lambda done: bar.advance(task, done)

    def fail(self, message: str, next_step: str, kind: str = "error") -> None:
        """Say in one sentence what is wrong, and in another what to do next."""
        if self.json:
            self.result({"error": {"kind": kind, "message": message, "next": next_step}})
        else:
            click.echo(f"Error: {printable(message)}\n  {printable(next_step)}", err=True)

    def error(self, error: Exception, *, traceback: bool = False) -> None:
        """Explain an error that was to be expected."""
        if traceback:
            click.echo("".join(tracebacks.format_exception(error)), err=True)
        kind = error.code.value if isinstance(error, DriverError) else type(error).__name__
        self.fail(_sentence(message_of(error)), next_step(error), kind)

    def bug(self, error: Exception, *, traceback: bool = False) -> None:
        """Own up to an error that nobody expected."""
        if traceback:
            click.echo("".join(tracebacks.format_exception(error)), err=True)
        self.fail(
            f"tuppence ran into a bug of its own ({type(error).__name__}).",
            "Please report it with what `--debug` prints, private texts taken out.",
            "bug",
        )

    def usage(self, error: click.UsageError) -> None:
        """Say how a command line should have been written."""
        if not self.json:
            error.show()
            return
        path = error.ctx.command_path if error.ctx else "tuppence"
        self.fail(error.format_message(), f"Run `{path} --help`.", "usage")


def _is_terminal(stream: TextIO | None) -> bool:
    """Whether a standard stream is a terminal; it is `None` in a process that was started without it."""
    return stream is not None and stream.isatty()


def tolerate_narrow_streams() -> None:
    """Let text reach a stream whose encoding lacks some of its characters: a replacement stands for each."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors in {"strict", "surrogateescape"}:
            stream.reconfigure(errors="replace")


def discard_output() -> None:
    """Write what is still to be printed to nowhere: whoever read standard output has closed it."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def printable(text: str) -> str:
    """Return text that cannot steer a terminal: control and bidirectional characters become their escapes."""
    return "".join(c.encode("unicode_escape").decode() if _steers(c) else c for c in text)


def count(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun: `1 event`, `3,000 events`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _steers(character: str) -> bool:
    """Whether a terminal takes a character as an order: a control (Cc), half a pair (Cs), a direction."""
    if character in "\n\t":
        return False
    return category(character) in {"Cc", "Cs"} or bidirectional(character) in _DIRECTIONS


def message_of(error: Exception) -> str:
    """Return what is wrong, in words for people."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, click.ClickException):
        return error.format_message()
    return str(error)


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


def next_step(error: Exception) -> str:
    """Return what to do about an error."""
    if isinstance(error, CommandError | DeployError):
        return error.next_step
    if isinstance(error, DriverError):
        return _NEXT.get(error.code, _AGAIN if error.code.retryable else _DOCTOR)
    if isinstance(error, ConfigError):
        return "`docs/reference/configuration.md` lists all settings; `tuppence doctor` tries yours."
    if isinstance(error, PluginError):
        return "`tuppence providers` shows what is installed."
    if isinstance(error, OSError):
        return "Check that the place exists and that you may read and write there."
    return _DOCTOR


def remedy(error: Exception) -> str:
    """Return what to do about an error that `doctor` has found."""
    step = next_step(error)
    if isinstance(error, DriverError):
        step = _REMEDIES.get(error.code, step)
    return _REPORT if step == _DOCTOR else step
