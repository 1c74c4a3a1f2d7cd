"""What the doctor looks for on the way from the journals to the mail: things begun and not ended."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

from tuppence.capture import places
from tuppence.capture.places import Durability, Lock
from tuppence.capture.state import FileOutbox
from tuppence.cli.output import count
from tuppence.clock import Deadline
from tuppence.findings import Finding, note, ok, wrong
from tuppence.pipeline import dead
from tuppence.pipeline.reader import waiting_hours
from tuppence.report.claims import unconfirmed
from tuppence.runtime import Runtime

PATIENCE: Final = timedelta(seconds=30)
"""How long one look may take."""
SURVIVES: Final = {
    Durability.HOST: "events survive the death of the process",
    Durability.BOOT: "events survive the death of the process, not a restart of the machine",
    Durability.CONTAINER: "events survive the death of the process, not that of the container",
    Durability.PROCESS: "events are kept in memory and die with the process",
}


def journals(runtime: Runtime) -> Iterator[Finding]:
    """Look at where events are kept before they are sent, and at what dead processes left there."""
    folder = places.directory(runtime.config)
    try:
        with tempfile.TemporaryFile(dir=places.prepared(folder)):
            survives = places.durability(folder)
    except OSError as error:
        yield wrong(
            f"{folder} cannot be used: {error.strerror or error}",
            "Name another `directory` below [capture].",
            part="journal",
        )
        return
    said = f"{folder} ({places.file_system(folder) or 'unknown file system'}): {SURVIVES[survives]}"
    if survives is Durability.PROCESS:
        yield wrong(
            f"{said}: {places.unfit(folder)}",
            "Name a `directory` on a local disk below [capture].",
            part="journal",
        )
    else:
        yield ok(said, part="journal")
    yield from _left_behind(folder)


def store(runtime: Runtime) -> Iterator[Finding]:
    """Look at what is not sealed, not readable, or not known to have been mailed."""
    deadline = Deadline.after(PATIENCE, runtime.clock)
    project = runtime.config.project
    hours = waiting_hours(runtime.store, project, deadline=deadline)
    if hours:
        yield note(f"{count(len(hours), 'hour')} not sealed yet", "`tuppence seal` does it now.", part="seal")
    for reason, group in dead.grouped(dead.letters(runtime.store, project, deadline=deadline)).items():
        yield note(
            f"{count(group.letters, 'dead letter')}, {reason}: {group.detail}",
            "See `tuppence dead list`.",
            part="dead letters",
        )
    in_doubt = unconfirmed(runtime.store, project, runtime.clock.now(), deadline=deadline)
    for week in sorted({claim.week for claim in in_doubt}):
        yield wrong(
            f"a mail about {week} may have been sent or not",
            f"Ask who should have it; `tuppence report --week {week} --send --to ADDRESS` sends it again.",
            part="mail",
        )


def _left_behind(folder: Path) -> Iterator[Finding]:
    dead_processes = [path for path in places.instances(folder) if _is_dead(path)]
    if dead_processes:
        yield note(
            f"{count(len(dead_processes), 'dead process', 'dead processes')} left unsent events",
            "`tuppence drain` sends them; so does the next process that captures here.",
            part="orphans",
        )
    damaged = sum(FileOutbox(path).load().torn for path in places.instances(folder))
    if damaged:
        yield note(
            f"{count(damaged, 'place')} in journals damaged; what stood there counts as dropped",
            f"Look for what else writes to {folder}.",
            part="damage",
        )


def _is_dead(instance: Path) -> bool:
    """Whether no living process owns a journal."""
    try:
        lock = Lock.take(instance / places.OWNER_LOCK, create=False)
    except OSError:
        return False
    if lock is not None:
        lock.release()
    return lock is not None
