"""Whether the jobs behind the application run: judged by their heartbeats and by what waits in the queue.

A job that fails says so in its heartbeat. One that never runs, or that may not even write its heartbeat, is
known by the age of the last one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import msgspec

from tuppence.errors import TuppenceError
from tuppence.pipeline.heartbeat import Failure, Heartbeat, failure_of, read_heartbeats
from tuppence.schedule import next_due
from tuppence.schedules import SCHEDULED, schedules

if TYPE_CHECKING:
    from tuppence.clock import Deadline
    from tuppence.config import Config
    from tuppence.drivers import Schedule
    from tuppence.runtime import Runtime

MISSED: Final = 3
"""A job is overdue when it should have run so many times since it last did."""
LEAST: Final = timedelta(minutes=30)
"""Nothing is overdue before this: clouds start jobs late, and tell of a queue minutes later."""
STUCK: Final = timedelta(hours=6)
"""A message that has waited for longer is stuck, even if the drain takes others."""
DRAINS: Final = ("drain", "consume")
"""The jobs that empty the queue."""


class State(StrEnum):
    """How a job is."""

    OK = "ok"
    WAITING = "waiting"  # it has not run yet, and need not have
    FAILING = "failing"  # its last run failed
    OVERDUE = "overdue"  # it should have run


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a job; times and failure are those of its heartbeat."""

    job: str
    state: State
    started: datetime | None = None
    ended: datetime | None = None
    succeeded: datetime | None = None
    failure: Failure | None = None


class Pipeline(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the way from the queue to the numbers.

    Attributes:
        jobs: all jobs that are expected or have ever run.
        waiting: messages in the queue, or `None` where that is not known.
        oldest_seconds: for how long the oldest of them has waited, where that is known.
        queue_failure: why the queue could not be asked.
        store_failure: why the heartbeats could not be read.

    """

    jobs: list[Job] = []
    waiting: int | None = None
    oldest_seconds: int | None = None
    queue_failure: Failure | None = None
    store_failure: Failure | None = None

    @property
    def sick(self) -> list[Job]:
        """The jobs that fail or are overdue."""
        return [one for one in self.jobs if one.state in {State.FAILING, State.OVERDUE}]


def observe(runtime: Runtime, expected: Collection[Schedule], *, deadline: Deadline) -> Pipeline:
    """Ask queue and store. What cannot be asked is part of the answer.

    Args:
        runtime: whose pipeline it is.
        expected: the schedules that are known to be set.
        deadline: when to give up.

    """
    waiting, oldest, queue_failure, store_failure = None, None, None, None
    beats: Mapping[str, Heartbeat] = {}
    try:
        waiting, oldest = runtime.queue.depth(deadline=deadline.within(deadline.remaining() / 2))
    except (TuppenceError, OSError) as error:
        queue_failure = failure_of(error)
    try:
        beats = read_heartbeats(runtime.store, runtime.config.project, deadline=deadline)
    except (TuppenceError, OSError) as error:
        store_failure = failure_of(error)
    jobs: list[Job] = []
    if store_failure is None:
        jobs = judged(runtime.config, beats, expected, waiting, oldest, now=runtime.clock.now())
    return Pipeline(
        jobs=jobs,
        waiting=waiting,
        oldest_seconds=None if oldest is None else int(oldest.total_seconds()),
        queue_failure=queue_failure,
        store_failure=store_failure,
    )


def schedules_set(runtime: Runtime) -> Sequence[Schedule]:
    """Return the schedules that are set; none where the scheduler does not say."""
    try:
        return runtime.scheduler.schedules()
    except (TuppenceError, OSError):
        return ()


def judged(
    config: Config,
    beats: Mapping[str, Heartbeat],
    expected: Collection[Schedule],
    waiting: int | None,
    oldest: timedelta | None,
    *,
    now: datetime,
) -> list[Job]:
    """Return how each job is. Pure; the arguments are those of `observe` and `Pipeline`."""
    every = {job: one for one in schedules(config) for job in SCHEDULED[one.name]}
    set_ = {job for one in expected for job in SCHEDULED.get(one.name, ())}
    found = []
    for name in dict.fromkeys([*every, *beats]):
        beat = beats.get(name, Heartbeat(job=name))
        state = _state(beat, every.get(name), scheduled=name in set_, now=now)
        if name == "drain" and waiting and state in {State.OK, State.WAITING}:
            drained = _newest(beats[one].succeeded for one in DRAINS if one in beats)
            state = _drain_state(drained, beat.expected, every[name], oldest, state, now)
        found.append(
            Job(
                job=name,
                state=state,
                started=beat.started,
                ended=beat.ended,
                succeeded=beat.succeeded,
                failure=beat.failure,
            )
        )
    return found


def _state(beat: Heartbeat, schedule: Schedule | None, *, scheduled: bool, now: datetime) -> State:
    if beat.failure is not None:
        return State.FAILING
    since = beat.ended or beat.expected
    if scheduled and schedule is not None and since is not None and now > _limit(schedule, since):
        return State.OVERDUE
    return State.OK if beat.ended else State.WAITING


def _drain_state(
    drained: datetime | None,
    expected: datetime | None,
    schedule: Schedule,
    oldest: timedelta | None,
    state: State,
    now: datetime,
) -> State:
    """Return how the drain is when messages wait, whoever is to run it."""
    if oldest is None:  # nobody knows how long they have waited
        since = drained or expected
        return State.OVERDUE if since is None or now > _limit(schedule, since) else state
    sent = now - oldest
    if drained is None or drained < sent:
        return State.OVERDUE if now > _limit(schedule, sent) else state
    return State.OVERDUE if oldest > max(STUCK, _limit(schedule, sent) - sent) else state


def _newest(moments: Iterable[datetime | None]) -> datetime | None:
    return max((moment for moment in moments if moment), default=None)


def _limit(schedule: Schedule, since: datetime) -> datetime:
    """Return when a job that last ran at `since` is overdue."""
    due = since
    for _ in range(MISSED):
        due = next_due(schedule.cron, ZoneInfo(schedule.timezone), due)
    return max(due, since + LEAST).astimezone(UTC)
