"""Takes made-up events through the same door as real ones: a client captures them, its sender sends them."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tuppence.capture.client import Client
from tuppence.config import Config, load
from tuppence.errors import TuppenceError

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
"""Seconds the sender gets to hand a week to a queue in the same folder."""


class PastClock:
    """The machine's clock, except that it is whenever the events happened."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC)

    def now(self) -> datetime:
        """Return the moment of the event."""
        return self.at

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


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


def capture(config: Config, events: Sequence[Mapping[str, Any]], advance: Callable[[int], None]) -> None:
    """Capture events as the shop's bot would have, each at its own time, and send them.

    Raises:
        TuppenceError: not all of them were captured and sent.

    """
    clock = PastClock()
    ids: dict[str, str] = {}
    with Client(config, clock=clock) as client:
        for event in events:
            clock.at = datetime.fromisoformat(event["time"])
            _capture_one(client, event, ids)
            advance(1)
        captured = client.stats.captured
        if not client.close(PATIENCE) or captured != len(events):
            problem = client.stats.problem or "is TUPPENCE_DISABLED set, or the disk full?"
            raise TuppenceError(
                f"{captured} of {len(events)} events were captured, and not all sent: {problem}"
            )


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


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
