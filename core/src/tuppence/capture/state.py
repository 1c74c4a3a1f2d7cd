"""What is known about one instance's journal beside the journal itself: how far it was read and packed.

Kept in a file next to the segments and replaced as a whole, so that a crash leaves the state before or the
state after. The packed batches lie beside it; a batch counts only once the state names it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from tuppence.batch import Batch
from tuppence.capture.files import names_in, read_file, remove_file, replace_file
from tuppence.capture.frames import Frame
from tuppence.capture.set_aside import Rejection, SetAsideFolder

VERSION: Final = 1
STATE_FILE: Final = "state"
BATCH_SUFFIX: Final = ".batch"


class State(msgspec.Struct, kw_only=True):
    """How far an instance's journal has been dealt with.

    Attributes:
        read: offsets up to which segments are packed; a finished one stands at its size.
        seen: sequence numbers packed so far, as `[first, last]` runs.
        boundary: below this number, what was not seen has been dropped.
        opened: questions whose end is still to come, by sequence number.
        closed: ends whose question was not read yet.
        pending: ids of batches packed and not yet acknowledged by the queue, oldest first.
        hello, goodbye: whether the first and the last batch have been packed.
        refused: calls that gave no event.
        failed: the highest number of an event that found no room.
        ignored: statements that could not be recorded, by the process's own count.
        late: outcomes stated when their question had been packed.
        torn: places whose bytes were no frame.
        set_aside: events in batches that the queue refused.

    """

    version: int = VERSION
    read: dict[int, int] = {}
    seen: list[list[int]] = []
    boundary: int = 0
    opened: dict[int, Frame] = {}
    closed: dict[int, dict[str, Any]] = {}
    pending: list[str] = []
    hello: bool = False
    goodbye: bool = False
    refused: int = 0
    failed: int = 0
    ignored: int = 0
    late: int = 0
    torn: int = 0
    set_aside: int = 0


class Outbox(Protocol):
    """Where state and packed batches are kept."""

    def load(self) -> State:
        """Return the state as last saved; a new one where there is none."""

    def save(self, state: State) -> None:
        """Replace the state; it is whole even if the process dies meanwhile."""

    def put(self, batch: Batch) -> None:
        """Keep a batch; it counts once a saved state names it."""

    def get(self, batch_id: str) -> bytes | None:
        """Return a batch's bytes; `None` where they are gone."""

    def remove(self, batch_id: str) -> None:
        """Forget a batch the queue has."""

    def set_aside(self, rejection: Rejection) -> None:
        """Copy a batch that the queue refused to where it outlives the instance, if there is such a place."""


class FileOutbox:
    """State and batches as files in the instance's folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._aside = SetAsideFolder(folder.parent)

    def load(self) -> State:
        """Return the state as last saved. Raises `OSError` for one of a version to come."""
        try:
            content = read_file(self._folder / STATE_FILE)
        except FileNotFoundError:
            return State()
        try:
            state = _decode(content)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            whole = [path.stem for path in self._batches() if not path.name.startswith(".")]
            return State(pending=sorted(whole))  # someone else wrote to it
        if state.version > VERSION:
            raise OSError(f"its state has version {state.version}, this release reads {VERSION}")
        return state

    def remove_strays(self) -> None:
        """Remove batches that no saved state names. For the host's sender alone: another may be about to.

        A batch that is pending has not been counted as set aside, though a copy of it may lie there.
        """
        pending = self.load().pending
        for path in self._batches():
            if path.stem not in pending:
                remove_file(path)
        for batch_id in pending:
            self._aside.remove(batch_id)

    def save(self, state: State) -> None:
        """Replace the state."""
        replace_file(self._folder / STATE_FILE, _encode(state))

    def put(self, batch: Batch) -> None:
        """Keep a batch."""
        replace_file(self._path(batch.id), batch.body)

    def get(self, batch_id: str) -> bytes | None:
        """Return a batch's bytes; `None` where they are gone."""
        try:
            return read_file(self._path(batch_id))
        except FileNotFoundError:
            return None

    def remove(self, batch_id: str) -> None:
        """Forget a batch."""
        remove_file(self._path(batch_id))

    def set_aside(self, rejection: Rejection) -> None:
        """Copy a batch to where it outlives the instance."""
        body = self.get(rejection.batch)
        if body is not None:
            self._aside.add(body, rejection)

    def _batches(self) -> list[Path]:
        return [self._folder / name for name in names_in(self._folder) if name.endswith(BATCH_SUFFIX)]

    def _path(self, batch_id: str) -> Path:
        return self._folder / f"{batch_id}{BATCH_SUFFIX}"


class MemoryOutbox:
    """State and batches in this process's memory, beside a journal that is there too."""

    def __init__(self) -> None:
        self._state = State()
        self._batches: dict[str, bytes] = {}

    def load(self) -> State:
        """Return the state as last saved."""
        return self._state

    def save(self, state: State) -> None:
        """Keep the state."""
        self._state = state

    def put(self, batch: Batch) -> None:
        """Keep a batch."""
        self._batches[batch.id] = batch.body

    def get(self, batch_id: str) -> bytes | None:
        """Return a batch's bytes."""
        return self._batches.get(batch_id)

    def remove(self, batch_id: str) -> None:
        """Forget a batch."""
        self._batches.pop(batch_id, None)

    def set_aside(self, rejection: Rejection) -> None:
        """Do nothing: where no file can be kept, no place outlives the process. The events are counted."""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(State).decode
