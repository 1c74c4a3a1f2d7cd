"""Batches that the queue refused for what they are, kept with the reason until someone has dealt with them.

    <state directory>/<project>-<destination>/set-aside/
        <batch id>.json         why it was refused, whose it is and how many events it holds (`Rejection`)
        <batch id>.rejected     the batch
        removed.json            what has been removed for its age, or for the size of the folder (`Removal`)

The folder outlives the instances whose batches it holds. `tuppence drain` sends them once more.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from tuppence.batch import Header, peek
from tuppence.capture.files import make_folder, names_in, read_file, remove_file, replace_file, status_of
from tuppence.errors import BadBatch, DriverError, ErrorCode

SET_ASIDE: Final = "set-aside"
"""The folder's name, beside those of the instances."""
BATCH_SUFFIX: Final = ".rejected"
REASON_SUFFIX: Final = ".json"
REMOVALS: Final = "removed.json"


class Rejection(msgspec.Struct, frozen=True, kw_only=True):
    """Why a batch was refused. Holds nothing of what its events say.

    Attributes:
        batch: the batch's id.
        instance: the capturing run it comes from.
        hour: the UTC hour of its events.
        events: how many it holds.
        code: the error's code.
        reason: the error in words.
        since: when it was set aside.

    """

    batch: str
    instance: str
    hour: str
    events: int
    code: str
    reason: str
    since: datetime


class Removal(msgspec.Struct, frozen=True, kw_only=True):
    """What was removed without having been sent: batches, their events, and when that last happened."""

    batches: int = 0
    events: int = 0
    last: datetime | None = None


def rejection_of(body: bytes, error: DriverError, now: datetime) -> Rejection:
    """Return the reason that is kept beside a batch."""
    batch_id, header = peek(body)
    return Rejection(
        batch=batch_id,
        instance=header.instance,
        hour=header.hour,
        events=header.count,
        code=error.code.value,
        reason=str(error),
        since=now,
    )


class SetAsideFolder:
    """The batches set aside on this host for one destination.

    Args:
        folder: the one that holds the instances.

    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / SET_ASIDE

    def add(self, body: bytes, rejection: Rejection) -> None:
        """Keep a batch. The reason is written first, so that no batch is ever seen without one."""
        make_folder(self.path, exist_ok=True)
        replace_file(self.path / f"{rejection.batch}{REASON_SUFFIX}", msgspec.json.encode(rejection))
        replace_file(self.path / f"{rejection.batch}{BATCH_SUFFIX}", body)

    def rejections(self) -> list[Rejection]:
        """Return the reasons of all that is set aside, the oldest first."""
        try:
            names = names_in(self.path)
        except FileNotFoundError:
            return []
        found = [self._rejection(self.path / name) for name in names if name.endswith(BATCH_SUFFIX)]
        return sorted((one for one in found if one is not None), key=lambda one: (one.since, one.batch))

    def events_of(self, instance: str) -> int:
        """Return how many events of an instance are set aside."""
        return sum(one.events for one in self.rejections() if one.instance == instance)

    def body(self, batch_id: str) -> bytes | None:
        """Return a batch's bytes; `None` where they are gone."""
        try:
            return read_file(self.path / f"{batch_id}{BATCH_SUFFIX}")
        except FileNotFoundError:
            return None

    def remove(self, batch_id: str) -> None:
        """Forget a batch. The reason goes last: without a batch it counts for nothing."""
        for suffix in (BATCH_SUFFIX, REASON_SUFFIX):
            remove_file(self.path / f"{batch_id}{suffix}")

    def expire(self, *, before: datetime, most_bytes: int, now: datetime) -> Removal:
        """Remove and count what was set aside before a moment, and the oldest beyond a size.

        Returns:
            What was removed by this call.

        """
        rejections = self.rejections()
        sizes = {one.batch: self._size(one.batch) for one in rejections}
        total, removed = sum(sizes.values()), []
        for one in rejections:
            if one.since < before or total > most_bytes:
                total -= sizes[one.batch]
                removed.append(one)
        if not removed:
            return Removal()
        gone = Removal(batches=len(removed), events=sum(one.events for one in removed), last=now)
        earlier = self.removals()
        total_removal = Removal(
            batches=earlier.batches + gone.batches, events=earlier.events + gone.events, last=now
        )
        replace_file(self.path / REMOVALS, msgspec.json.encode(total_removal))
        for one in removed:
            self.remove(one.batch)
        return gone

    def removals(self) -> Removal:
        """Return all that was ever removed without having been sent."""
        try:
            return msgspec.json.decode(read_file(self.path / REMOVALS), type=Removal)
        except (FileNotFoundError, msgspec.MsgspecError):
            return Removal()

    def _rejection(self, batch: Path) -> Rejection | None:
        """Return the reason beside a batch; where there is none, what the batch itself says."""
        try:
            return msgspec.json.decode(read_file(batch.with_suffix(REASON_SUFFIX)), type=Rejection)
        except (FileNotFoundError, msgspec.MsgspecError):
            return _rejection_without_reason(batch)

    def _size(self, batch_id: str) -> int:
        try:
            return status_of(self.path / f"{batch_id}{BATCH_SUFFIX}").st_size
        except FileNotFoundError:
            return 0


def _rejection_without_reason(batch: Path) -> Rejection | None:
    """Return what is known of a batch whose reason is missing or damaged; `None` where the batch is gone."""
    try:
        since = datetime.fromtimestamp(status_of(batch).st_mtime, UTC)
        header = peek(read_file(batch))[1]
    except FileNotFoundError:
        return None
    except BadBatch:
        header = Header(project="", hour="", count=0)
    return Rejection(
        batch=batch.stem,
        instance=header.instance,
        hour=header.hour,
        events=header.count,
        code=ErrorCode.UNKNOWN.value,
        reason="the reason is missing",
        since=since,
    )
