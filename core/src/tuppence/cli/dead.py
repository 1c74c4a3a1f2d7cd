"""`tuppence dead`: what could not be processed, looked at and tried again."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import click
import msgspec

from tuppence.batch import peek
from tuppence.cli.app import Session, shared
from tuppence.cli.output import CommandError
from tuppence.clock import Deadline
from tuppence.errors import BadBatch
from tuppence.pipeline import dead as letters
from tuppence.pipeline.dead import Letter

PATIENCE: Final = timedelta(minutes=10)
MOST_LISTED: Final = 1_000
"""Letters in one list; `status` counts them all."""
SHOWN: Final = 2_000
"""Bytes of a message that are shown."""


@click.group()
def dead() -> None:
    """Look at messages that could not be processed, and process them again."""


@dead.command("list")
@shared
def list_(session: Session) -> None:
    """List them, with the reason of each."""
    with session.runtime() as runtime:
        deadline = Deadline.after(PATIENCE, runtime.clock)
        found = letters.letters(runtime.store, runtime.config.project, deadline=deadline)
        listed = [one for one, _ in zip(found, range(MOST_LISTED), strict=False)]
    session.output.table(
        ("id", "received", "events", "reason", "detail"),
        [
            (one.id, f"{one.received:%Y-%m-%d %H:%M}", str(one.events), one.reason, one.detail)
            for one in listed
        ],
    )
    if not listed:
        session.output.note("No dead letters.")
    session.output.result({"dead_letters": [_described(one) for one in listed]})


@dead.command()
@click.argument("letter_id", metavar="ID")
@shared
def show(session: Session, letter_id: str) -> None:
    """Show one, as far as it can be read."""
    with session.runtime() as runtime:
        deadline = Deadline.after(PATIENCE, runtime.clock)
        found = letters.letter(runtime.store, runtime.config.project, letter_id, deadline=deadline)
    if found is None:
        raise CommandError(f"There is no dead letter {letter_id!r}.", "`tuppence dead list` lists them.")
    described = _described(found) | {"content": _readable(found.body)}
    for name, value in described.items():
        session.output.say(f"{name}: {value}")
    session.output.result(described)


def _readable(body: bytes) -> str:
    """Return what can be read of a message: a batch's header, or text."""
    try:
        return msgspec.json.encode(peek(body)[1]).decode()
    except BadBatch:
        return body[:SHOWN].decode("utf-8", "backslashreplace")


def _described(letter: Letter) -> dict[str, object]:
    return {
        "id": letter.id,
        "received": letter.received,
        "reason": letter.reason,
        "detail": letter.detail,
        "events": letter.events,
        "bytes": len(letter.body),
    }
