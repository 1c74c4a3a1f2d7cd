"""`tuppence import`: events from a file, or from whatever prints them, into the queue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import BinaryIO, Final, cast

import click

from tuppence.cli.app import COULD_NOT, DONE, Session, shared
from tuppence.cli.output import count
from tuppence.clock import Deadline
from tuppence.event import MAX_EVENT_BYTES
from tuppence.pipeline.importer import Format, Imported, Refusal, import_lines

PATIENCE: Final = timedelta(hours=12)
"""How long an import may take; its queue's own calls have shorter limits."""
LONGEST_LINE: Final = 2 * MAX_EVENT_BYTES
"""Bytes of a line that are read: enough to see that it is too long, never a file without line ends."""
PROGRESS: Final = 1_000
"""Lines between two looks of the progress bar."""


@click.command("import")
@click.argument("file", type=click.File("rb"))
@click.option(
    "--format",
    "form",
    type=click.Choice(["ndjson", "csv"]),
    show_default="csv where FILE is named so, else ndjson",
    help="One JSON object a line, or CSV with a header line.",
)
@shared
def import_(session: Session, file: BinaryIO, form: str | None) -> int:
    """Put the events of FILE into the queue.

    A FILE called - is standard input.

    A line that cannot be an event is named on standard error, and the rest goes on. The same file twice
    changes nothing.
    """
    form = form or ("csv" if file.name.lower().endswith(".csv") else "ndjson")
    imported = _import(session, _bounded(file), cast("Format", form))
    lines, sent = count(imported.lines, "line"), count(imported.sent, "event")
    session.output.say(f"{sent} imported from {lines}; {imported.refused:,} refused.")
    session.output.result(imported)
    return COULD_NOT if imported.refused else DONE


def _import(session: Session, lines: Iterable[bytes], form: Format) -> Imported:
    output = session.output

    def name(refusal: Refusal) -> None:
        output.note(f"line {refusal.line}: {refusal.reason}")

    with session.runtime() as runtime, output.progress("Importing lines") as advance:
        read = 0

        def step() -> None:
            nonlocal read
            read += 1
            if read % PROGRESS == 0:
                advance(PROGRESS)

        return import_lines(
            lines,
            runtime.queue,
            project=runtime.config.project,
            format=form,
            deadline=Deadline.after(PATIENCE, session.clock),
            redacted=runtime.config.capture.redact,
            on_line=step,
            on_refusal=name,
        )


def _bounded(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a file, those over `LONGEST_LINE` cut to it."""
    while line := file.readline(LONGEST_LINE):
        yield line
        while len(line) == LONGEST_LINE and not line.endswith(b"\n"):
            line = file.readline(LONGEST_LINE)
