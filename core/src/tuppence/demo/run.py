"""Takes made-up events through the same doors as real ones: client, sender, queue and drain."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from tuppence.capture.client import Client
from tuppence.clock import Deadline
from tuppence.config import Config, load
from tuppence.errors import TuppenceError
from tuppence.pipeline.drain import drain
from tuppence.runtime import Runtime

MARK: Final = "# Written by `tuppence demo`. This folder may be deleted at any time.\n"
"""The first line of a demo's configuration, by which a later demo knows that it may start over."""
SETTINGS: Final = """
provider = "local"
project = "fernway"
timezone = "Europe/London"

[capture]
directory = "journals"

[queue]
path = "tuppence.db"

[store]
path = "tuppence.db"
"""
FILES: Final = ("report.html", "report.txt", "report.json")
MADE: Final = ("tuppence.db", "tuppence.db-wal", "tuppence.db-shm", "journals", *FILES)
PATIENCE: Final = 120.0
"""Seconds a step of an hour may take: the queue is a file in the same folder."""
_HOUR: Final = len("2026-11-16T09")


class PastClock:
    """The shop's clock: it says whenever the events happen, and waiting takes no time."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC)
        self._waited = 0.0

    def now(self) -> datetime:
        """Return the moment of the event."""
        return self.at

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        return time.monotonic() + self._waited

    def sleep(self, seconds: float) -> None:
        """Go on at once, as if the time had passed."""
        self._waited += seconds


def prepare(folder: Path) -> Config:
    """Make the folder ready for a new demo, and return its configuration.

    Raises:
        TuppenceError: the folder holds something that no demo wrote.

    """
    place = folder / "tuppence.toml"
    ours = place.is_file() and place.read_text(encoding="utf-8", errors="replace").startswith(MARK)
    if not ours and folder.exists() and any(folder.iterdir()):
        raise TuppenceError(f"{folder} is not empty, and no demo's; name another folder with --output DIR")
    folder.mkdir(parents=True, exist_ok=True)
    for name in MADE:
        _remove(folder / name)
    place.write_text(MARK + SETTINGS, encoding="utf-8")
    return load(place, environ={})


def live(config: Config, events: Sequence[Mapping[str, Any]], advance: Callable[[int], None]) -> None:
    """Live through events in order of time, an hour at a time: captured, sent, drained into the store.

    Raises:
        TuppenceError: not all of them were captured and sent.

    """
    clock = PastClock()
    ids: dict[str, str] = {}
    with Runtime(config, clock=clock) as runtime, Client(config, clock=clock) as client:
        for hour, happened in groupby(events, key=lambda event: str(event["time"])[:_HOUR]):
            for event in happened:
                clock.at = datetime.fromisoformat(event["time"])
                _capture_one(client, event, ids)
                advance(1)
            client.flush(PATIENCE)
            clock.at = datetime.fromisoformat(f"{hour}:00+00:00") + timedelta(hours=1)
            _drain(runtime)
        captured, sent = client.stats.captured, client.close(PATIENCE)
        _drain(runtime)
    if captured != len(events) or not sent:
        problem = client.stats.problem or "is TUPPENCE_DISABLED set, or the disk full?"
        raise TuppenceError(f"of {len(events)} events {captured} were captured and not all sent: {problem}")


def _capture_one(client: Client, event: Mapping[str, Any], ids: dict[str, str]) -> None:
    """Make the call that the shop's bot would have made; `ids` maps made-up names to questions' ids."""
    who = {"user": event["user"], "session": event["session"]}
    data = dict(event["data"])
    if event["type"] == "question":
        outcome = data.pop("outcome")
        with client.question(data.pop("text"), source=event["source"], **who) as question:
            getattr(question, outcome)(**data)
        ids[event["id"]] = question.id
    elif event["type"] == "feedback":
        client.feedback(ids[data["question"]], useful=data["useful"], **who)
    else:
        client.capture(event["type"], source=event["source"], **who, **data)


def _drain(runtime: Runtime) -> None:
    drain(
        runtime.queue,
        runtime.store,
        project=runtime.config.project,
        retention=runtime.config.retention,
        clock=runtime.clock,
        deadline=Deadline.after(PATIENCE, runtime.clock),
    )


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
