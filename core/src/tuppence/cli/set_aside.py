"""What commands say of the batches that the queue refused on this machine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

from tuppence.capture import places
from tuppence.capture.set_aside import Rejection, SetAsideFolder
from tuppence.cli.output import count
from tuppence.config import Config
from tuppence.findings import Finding, note, wrong
from tuppence.runtime import Runtime

RESEND: Final = "Remove the cause, then run `tuppence drain` here: it sends them once more."


def set_aside(runtime: Runtime) -> Iterator[Finding]:
    """Look at what the queue refused on this machine, a finding for each reason."""
    folder = SetAsideFolder(places.directory(runtime.config))
    reasons: dict[str, list[Rejection]] = defaultdict(list)
    for one in folder.rejections():
        reasons[one.reason].append(one)
    for reason, rejections in reasons.items():
        events = count(sum(one.events for one in rejections), "event")
        until = rejections[0].since + runtime.config.capture.orphan_age
        yield wrong(
            f"{events} in {count(len(rejections), 'batch', 'batches')}, refused by the queue: {reason}",
            f"{RESEND} They lie in {folder.path} until {until:%Y-%m-%d}.",
            part="set aside",
        )
    removed = folder.removals()
    if removed.last is not None:
        yield note(
            f"{count(removed.events, 'event')} were removed unsent, the last on {removed.last:%Y-%m-%d}",
            f"The reports count them as lost. Delete {folder.path / 'removed.json'} once you have read this.",
            part="set aside",
        )


def summary(config: Config) -> dict[str, Any]:
    """Return how much is set aside on this machine and why, for `tuppence status`."""
    folder = SetAsideFolder(places.directory(config))
    rejections = folder.rejections()
    return {
        "batches": len(rejections),
        "events": sum(one.events for one in rejections),
        "reasons": sorted({one.reason for one in rejections}),
        "removed_events": folder.removals().events,
    }
