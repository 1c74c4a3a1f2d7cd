"""`tuppence import`: events from a file, or from whatever prints them, into the queue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import BinaryIO, Final, TextIO, cast

import click
import msgspec

from tuppence.cli.app import COULD_NOT, DONE, Session, shared
from tuppence.cli.import_head import recognised
from tuppence.cli.output import Advance, count
from tuppence.clock import Deadline
from tuppence.event import MAX_EVENT_BYTES
from tuppence.pipeline.importer import Format, Imported, Reason, Refusal, import_lines

PATIENCE: Final = timedelta(hours=12)
"""How long an import may take; its queue's own calls have shorter limits."""
LONGEST_LINE: Final = 2 * MAX_EVENT_BYTES
"""Bytes of a line that are read: enough to see that it is too long, never a file without line ends."""
CLOCK_SKEW: Final = timedelta(minutes=5)
"""How far the clocks of two machines may be apart before an event counts as one of the future."""
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
@click.option(
    "--refused",
    type=click.File("w", encoding="utf-8", lazy=True),
    metavar="FILE",
    help="Write the number of each refused line and the reason here, one JSON object a line.",
)
@shared
def import_(session: Session, file: BinaryIO, form: str | None, refused: TextIO | None) -> int:
    """Put the events of FILE into the queue.

    A FILE called - is standard input.

    Lines that cannot be events are named on standard error by reason, and the rest goes on. The same file
    twice changes nothing.
    """
    form = form or ("csv" if file.name.lower().endswith(".csv") else "ndjson")
    file = recognised(file, csv=form == "csv")
    imported = _import(session, _bounded(file), cast("Format", form), refused)
    for reason in imported.reasons:
        session.output.note(f"{_lines_of(reason)}: {reason.reason}")
    for note in _times(imported, session.config().retention.rollups):
        session.output.note(note)
    lines, sent = count(imported.lines, "line"), count(imported.sent, "event")
    session.output.say(f"{sent} imported from {lines}; {imported.refused:,} refused.")
    session.output.result(imported)
    return COULD_NOT if imported.refused else DONE


def _lines_of(reason: Reason) -> str:
    """Return `line 3`, `lines 3 and 7` or `lines 3, 7, 9 and 9,997 more`."""
    *first, last = [f"{number}" for number in reason.lines]
    more = reason.count - len(reason.lines)
    if more:
        return f"lines {', '.join([*first, last])} and {more:,} more"
    return f"lines {', '.join(first)} and {last}" if first else f"line {last}"


def _times(imported: Imported, kept: timedelta) -> Iterator[str]:
    """Yield what is to be said of events that are very old, or not yet due."""
    if imported.early:
        yield (
            f"{count(imported.early, 'event')} older than the {kept.days} days that numbers are kept; "
            "counted in the weeks they belong to, and kept from now on."
        )
    if imported.future:
        yield (
            f"{count(imported.future, 'event')} in the future; counted when their week comes. "
            "Is the clock of their source right, and the offset of `time`?"
        )


def _import(session: Session, lines: Iterable[bytes], form: Format, refused: TextIO | None) -> Imported:
    output = session.output

    def write(refusal: Refusal) -> None:
        if refused is not None:
            refused.write(msgspec.json.encode(refusal).decode() + "\n")

    with session.runtime() as runtime, output.progress("Importing lines") as advance:
        now, config = runtime.clock.now(), runtime.config
        return import_lines(
            _watched(lines, advance),
            runtime.queue,
            project=config.project,
            format=form,
            deadline=Deadline.after(PATIENCE, session.clock),
            redacted=config.capture.redact,
            between=(now - config.retention.rollups, now + CLOCK_SKEW),
            on_refusal=write,
        )


def _watched(lines: Iterable[bytes], advance: Advance) -> Iterator[bytes]:
    """Yield lines, and move the progress bar on now and then."""
    for number, line in enumerate(lines, 1):
        yield line
        if number % PROGRESS == 0:
            advance(PROGRESS)


def _bounded(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a file, those over `LONGEST_LINE` cut to it."""
    while line := file.readline(LONGEST_LINE):
        yield line
        while len(line) == LONGEST_LINE and not line.endswith(b"\n"):
            line = file.readline(LONGEST_LINE)
