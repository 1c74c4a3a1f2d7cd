"""Heartbeats: one small record for each job, of when it last ran, how that ended, and why.

Nobody watches a job that runs on a schedule. Whoever asks later, `tuppence status`, `tuppence doctor` or the
mail, reads here whether it is alive (`tuppence.liveness` judges).
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import msgspec

from tuppence.clock import Clock, Deadline
from tuppence.drivers import Absent, Record
from tuppence.errors import DriverError, TuppenceError
from tuppence.pipeline import layout
from tuppence.store import Store

REPEATED: Final = timedelta(minutes=1)
"""A run that ended as the one before, within this time, is not written down again.

A queue that calls the drain by itself may do so many times a second.
"""
MESSAGE_CHARS: Final = 300
_ADDRESS: Final = re.compile(r"[^\s<>,;:'\"()]+@[^\s<>,;:'\"()]+")
_PREFIX: Final = "heartbeat."


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a run failed.

    Attributes:
        code: an error code of `tuppence.errors.ErrorCode`, or the name of an exception.
        operation, provider: what was being done, and where; empty where no driver was involved.
        message: what the driver said, bounded, without anyone's address.

    """

    code: str
    operation: str = ""
    provider: str = ""
    message: str = ""


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True):
    """When a job last ran and how that ended.

    Attributes:
        job: its name.
        expected: since when it has been expected to run; of a job that has not run yet.
        started, ended: of the last run.
        succeeded: when a run last ended well.
        failure: why the last run failed, or `None` where it ended well.

    """

    job: str
    expected: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None
    succeeded: datetime | None = None
    failure: Failure | None = None


class Heartbeats:
    """Writes the heartbeats of one project."""

    def __init__(self, store: Store, project: str, clock: Clock) -> None:
        self._store = store
        self._project = project
        self._clock = clock
        self._written: dict[str, Heartbeat] = {}

    def record(
        self, job: str, *, started: datetime, failure: Failure | None = None, deadline: Deadline
    ) -> None:
        """Write down a run that has just ended. Raises `DriverError`."""
        ended = self._clock.now()
        if self._repeats(job, ended, failure):
            return
        beat = Heartbeat(
            job=job, started=started, ended=ended, succeeded=None if failure else ended, failure=failure
        )
        if failure is None:
            self._store.put(self._record(beat), deadline=deadline)
        else:
            self._store.update(
                layout.heartbeat(self._project, job),
                lambda current: self._record(beat, current),
                deadline=deadline,
            )
        self._written[job] = beat

    def _repeats(self, job: str, ended: datetime, failure: Failure | None) -> bool:
        """Whether a run ended as the one written down just before it."""
        last = self._written.get(job)
        if last is None or last.ended is None or abs(ended - last.ended) >= REPEATED:
            return False
        return (last.failure and last.failure.code) == (failure and failure.code)

    def expect(self, *jobs: str, deadline: Deadline) -> None:
        """Write down that these jobs run from now on, where they have no heartbeat. Raises `DriverError`."""
        for job in jobs:
            beat = Heartbeat(job=job, expected=self._clock.now())
            self._store.put(self._record(beat), condition=Absent(), deadline=deadline)

    def _record(self, beat: Heartbeat, current: Record | None = None) -> Record:
        """Return the record of a heartbeat; a run that failed keeps when the job last succeeded."""
        if current is not None:
            beat = msgspec.structs.replace(beat, succeeded=_succeeded(current))
        body = msgspec.json.encode(beat)
        key = layout.heartbeat(self._project, beat.job)
        return replace(current or Record(key=key, body=b""), body=body)


def failure_of(error: Exception) -> Failure:
    """Return what is written down of an error. An unexpected one may quote anything, so only its kind is."""
    if isinstance(error, DriverError):
        return Failure(
            code=error.code.value,
            operation=error.operation,
            provider=error.provider,
            message=_bounded(error.message),
        )
    message = _bounded(str(error)) if isinstance(error, TuppenceError) else ""
    return Failure(code=type(error).__name__, message=message)


def read_heartbeats(store: Store, project: str, *, deadline: Deadline) -> dict[str, Heartbeat]:
    """Return the heartbeats there are, by job. Raises `TuppenceError`."""
    start = layout.heartbeat(project, "")
    found = {}
    for record in store.query(start.partition, start=_PREFIX, end=f"{_PREFIX}~", deadline=deadline):
        try:
            beat = msgspec.json.decode(record.body, type=Heartbeat)
        except msgspec.MsgspecError:
            raise TuppenceError(
                f"the record {record.key.partition}/{record.key.sort} cannot be read; "
                f"delete it, and the next run writes it anew"
            ) from None
        found[beat.job] = beat
    return found


def _succeeded(record: Record) -> datetime | None:
    try:
        return msgspec.json.decode(record.body, type=Heartbeat).succeeded
    except msgspec.MsgspecError:
        return None


def _bounded(text: str) -> str:
    plain = " ".join(_ADDRESS.sub("[address]", text).split())
    return plain if len(plain) <= MESSAGE_CHARS else plain[: MESSAGE_CHARS - 1] + "…"
