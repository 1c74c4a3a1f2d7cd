"""`tuppence dead`: what could not be processed, looked at and tried again."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

import click
import msgspec

from tuppence.batch import peek
from tuppence.cli.app import COULD_NOT, DONE, Session, shared
from tuppence.cli.output import CommandError, count
from tuppence.clock import Deadline
from tuppence.errors import BadBatch
from tuppence.pipeline import dead as letters
from tuppence.pipeline.dead import Letter
from tuppence.pipeline.replay import Replayed, replay
from tuppence.runtime import Runtime

PATIENCE: Final = timedelta(minutes=10)
MOST_LISTED: Final = 1_000
"""Letters in one list; `status` counts them all."""
SHOWN: Final = 2_000
"""Bytes of a message that are shown."""


@click.group()
def dead() -> None:
    """Look at dead letters, and replay them.

    They are messages that could not be processed, kept with the reason.
    """


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
        raise _missing(letter_id)
    described = _described(found) | {"content": _readable(found.body)}
    for name, value in described.items():
        session.output.say(f"{name}: {value}")
    session.output.result(described)


@dead.command("replay")
@click.argument("letter_ids", metavar="[ID]...", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Replay every one there is.")
@shared
def replay_(session: Session, letter_ids: tuple[str, ...], *, every: bool) -> int:
    """Process them again; each is deleted once its events are readable in the store."""
    if bool(letter_ids) == every:
        raise click.UsageError(
            "Name the dead letters to replay, or all with --all.", click.get_current_context()
        )
    with session.runtime() as runtime, session.output.progress("Replaying", len(letter_ids) or 1) as advance:
        done = []
        for letter_id in letter_ids or (None,):
            done.append(_replay(runtime, letter_id))
            advance(1)
    replayed, kept = sum(one.replayed for one in done), sum(one.kept for one in done)
    session.output.say(f"{count(replayed, 'dead letter')} replayed, {kept:,} kept: their reason still holds.")
    session.output.result({"replayed": replayed, "kept": kept})
    return COULD_NOT if kept else DONE


def _replay(runtime: Runtime, letter_id: str | None) -> Replayed:
    """Replay one, or all of them. Raises `CommandError` for one that is not there."""
    config = runtime.config
    deadline = Deadline.after(PATIENCE, runtime.clock)
    if letter_id and letters.letter(runtime.store, config.project, letter_id, deadline=deadline) is None:
        raise _missing(letter_id)
    return replay(
        runtime.store,
        letter_id,
        project=config.project,
        zone=ZoneInfo(config.timezone),
        retention=config.retention,
        clock=runtime.clock,
        deadline=deadline,
        redacted=config.capture.redact,
    )


def _missing(letter_id: str) -> CommandError:
    return CommandError(f"There is no dead letter {letter_id!r}.", "`tuppence dead list` lists them.")


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
