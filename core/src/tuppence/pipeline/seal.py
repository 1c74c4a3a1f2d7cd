"""The seal: from the segments of an hour to its rollup and texts, and from hours to days.

It is exact whoever else is sealing or draining at the same time. Of an hour, and in the same way of a day,
first the marker and what was made before are read, then the parts. What was made is replaced only if it is
still what was read, so an older result never covers a newer one. Last the marker is deleted, only if it is
still the one that was read: a part that came in between has written another, and the hour is sealed again.

When the owner's time zone changes, the hours that were counted by another one get markers of their own, and
are counted again in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from traceback import extract_tb
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from tuppence.batch import peek
from tuppence.clock import Clock, Deadline
from tuppence.config import Retention
from tuppence.drivers import Absent, Record, Version
from tuppence.errors import BadBatch, DriverError, ErrorCode
from tuppence.event import hour_start
from tuppence.pipeline import dead, layout, records
from tuppence.pipeline.day_zone import DayZone, choose_day_zone, read_day_zone
from tuppence.pipeline.heartbeat import failure_of
from tuppence.pipeline.intake import Reason, Unusable
from tuppence.pipeline.owner_clock import HOUR, days_of_hour, hours_of_day
from tuppence.pipeline.recount import mark_other_zones
from tuppence.pipeline.relabel import relabel_hour, relabel_texts
from tuppence.pipeline.rollup import Rollup, days_of, merge_day, start_day
from tuppence.pipeline.segments import Segments
from tuppence.pipeline.tally import Tally
from tuppence.pipeline.unsealed import TOO_LONG, Attempts
from tuppence.pipeline.visitors import visitor_hashes
from tuppence.store import RACES, Store

LATE: Final = timedelta(hours=1)
"""An event is late when its segment is received more than this after its hour ended."""
KEEP_HOURS: Final = timedelta(days=30)
"""How much longer than its segments an hour's rollup is kept: days are merged from hours, and when a late
segment comes, the other hours of its day must still be there."""
MARGIN: Final = timedelta(days=1)
"""Hours that expire sooner than this are not relied on to be there when their day is merged."""
RECOUNT_SHARE: Final = 0.5
"""Of the time that is left after new hours have been sealed, how much goes to hours of another time zone; the
rest is for their days."""
RESERVE: Final = 5.0
"""Seconds kept for the hour or day that has been begun."""
_OF_ONE_PERIOD: Final = frozenset({ErrorCode.CONFLICT, ErrorCode.TOO_LARGE, ErrorCode.INVALID})
"""What a store says of a record; anything else is about the store."""


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did.

    Attributes:
        hours, days: how many were sealed.
        closed: segments that came too late for their period, and are dead letters now.
        left: markers that were left for another run, for lack of time or because their hour is young.
        recounted: hours counted in another time zone that were looked at again.

    """

    hours: int = 0
    days: int = 0
    closed: int = 0
    left: int = 0
    recounted: int = 0


def seal(
    store: Store,
    *,
    project: str,
    zone: ZoneInfo,
    retention: Retention,
    clock: Clock,
    deadline: Deadline,
    settle: timedelta | None = None,
) -> Sealed:
    """Seal every hour with a marker, then every day with one, while time is left.

    Args:
        store: what is read and written.
        project: whose.
        zone: the owner's, as configured; `day_zone` says when another process's counts.
        retention: how long rollups are kept.
        clock: what time it is.
        deadline: nothing is begun shortly before it.
        settle: leave hours that ended less than this ago, so that they are not sealed over and over.

    Raises:
        DriverError: the store cannot be used.
        UnsealedError: some hours or days cannot be counted; all others have been.

    """
    day_zone = choose_day_zone(store, project, zone.key, clock=clock, deadline=deadline)
    day_zone = mark_other_zones(store, project, day_zone, retention=retention, clock=clock, deadline=deadline)
    work = _Seal(store, project, day_zone, retention, clock, deadline)
    hours = work.all("h.", work.hour, newest=None if settle is None else clock.now() - settle - HOUR)
    recounted = work.all("z.", work.recount, share=RECOUNT_SHARE)
    days = work.all("d.", work.day)
    work.attempts.settle()
    return Sealed(hours=hours, days=days, closed=work.closed, left=work.left, recounted=recounted)


def may_seal(
    store: Store,
    hour: str,
    *,
    project: str,
    zone: ZoneInfo,
    retention: Retention,
    clock: Clock,
    deadline: Deadline,
) -> bool:
    """Whether a segment that came now could still be counted in its hour and day."""
    day_zone = read_day_zone(store, project, deadline=deadline) or DayZone(zone=zone.key)
    return _Seal(store, project, day_zone, retention, clock, deadline).may_seal(hour)


class _OutOfTimeError(Exception):
    """An hour that has been begun cannot be finished in this run."""


class _Seal:
    """One run."""

    def __init__(
        self,
        store: Store,
        project: str,
        day_zone: DayZone,
        retention: Retention,
        clock: Clock,
        deadline: Deadline,
    ) -> None:
        self._store = store
        self._project = project
        self._day_zone = day_zone
        self._zone = ZoneInfo(day_zone.zone)
        self._zones = [self._zone, *map(ZoneInfo, day_zone.previous)]
        self._retention = retention
        self._clock = clock
        self._deadline = deadline
        self._reserve = min(RESERVE, deadline.remaining() / 4)
        self._hashes = visitor_hashes(store, project, deadline=deadline)
        self._days_open: dict[date, bool] = {}
        self.closed = 0
        self.left = int(day_zone.scan_from is not None)
        self._begun = 0
        self.attempts = Attempts(store, project, clock, deadline)

    def all(
        self,
        prefix: str,
        make: Callable[[str], bool],
        *,
        newest: datetime | None = None,
        share: float = 1.0,
    ) -> int:
        """Seal what the markers with this prefix name; return how many.

        Those after `newest` are left, and so is what does not fit into this share of the time that is left.
        What could not be counted before comes last.
        """
        reserve = max(self._reserve, self._deadline.remaining() * (1 - share))
        markers = self._store.query(
            layout.dirty(self._project), start=prefix, end=f"{prefix}~", deadline=self._deadline
        )
        done = 0
        for marker in sorted(markers, key=lambda marker: self.attempts.failed(marker.key.sort)):
            name = marker.key.sort.removeprefix(prefix)
            young = newest is not None and hour_start(name) > newest
            if young or self._deadline.remaining() <= reserve or not self.attempts.is_due(marker.key.sort):
                self._leave(marker.key.sort)
            elif self._sealed(marker.key.sort, name, make):
                self._store.delete(
                    marker.key, condition=Version(marker.version or ""), deadline=self._deadline
                )
                done += 1
        return done

    def _sealed(self, marker: str, name: str, make: Callable[[str], bool]) -> bool:
        """Make a period's rollup until no one else interferes. What cannot be made holds up nothing else."""
        self._begun += 1
        try:
            for _ in range(RACES):
                if make(name):
                    return True
            self.attempts.set_aside(marker, "other runs kept sealing it")
        except _OutOfTimeError:
            if self._begun == 1:
                self.attempts.set_aside(marker, TOO_LONG)  # it had the whole run
            else:
                self._leave(marker)
        except DriverError as error:
            if error.code not in _OF_ONE_PERIOD:
                raise
            self.attempts.set_aside(marker, failure_of(error).message)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one hour is not wrong with the others
            failure = failure_of(error)
            place = extract_tb(error.__traceback__)[-1]
            reason = (
                failure.message or f"an unexpected error, {failure.code} in {place.name}, line {place.lineno}"
            )
            self.attempts.set_aside(marker, reason)
        return False

    def _leave(self, marker: str) -> None:
        """Leave a period for another run."""
        self.attempts.leave(marker)
        self.left += 1

    def hour(self, hour: str) -> bool:
        """Make an hour's rollup and texts; say whether no one else did at the same time."""
        keys = [layout.hour(self._project, hour), layout.texts(self._project, hour)]
        old, old_texts = self._store.get_many(keys, deadline=self._deadline)
        before = records.read_rollup(old) if old is not None else None
        zone = self._zone_for(hour, before)
        segments = self._segments(hour)
        began = self._deadline.remaining()

        def read_again(part: str) -> bytes | None:
            self._check_time(began)
            return segments.body(part)

        tally = Tally(hour, zone, self._hashes, read_again)
        known = set(before.parts) if before is not None else set()
        ends = []
        for segment in segments.in_order(known):
            self._check_time(began)
            ends.append(segment.expires_at or self._clock.now())
            self._add(tally, hour, segment)
        if not known <= set(tally.parts) or not self._may_change(hour, zone):
            self._close(hour, known)
            return True
        if not tally.parts:
            return True
        rollup, texts = tally.finish()
        made = Record(
            key=keys[0],
            body=records.pack_rollup(rollup),
            attributes={records.LATE: str(tally.late)},
            expires_at=max(ends) + KEEP_HOURS,
        )
        made_texts = Record(key=keys[1], body=records.pack_texts(texts), expires_at=min(ends))
        unchanged = _same(old, made) and _same(old_texts, made_texts)
        if old_texts is not None and not unchanged:
            records.read_texts(old_texts)  # raises on those of a newer release, which are not to be replaced
        if not unchanged and not (self._put(made_texts, old_texts) and self._put(made, old)):
            return False
        self._mark_days(hour, rollup, before)
        return True

    def _check_time(self, began: float) -> None:
        """Raise `_OutOfTimeError` unless there is time for the rest of an hour and for others.

        `began` is what there was when the hour was begun. The rest takes less than half of what went by.
        """
        left = self._deadline.remaining()
        if left <= self._reserve + (began - left) / 2:
            raise _OutOfTimeError

    def recount(self, hour: str) -> bool:
        """Count an hour by the owner's clock that was counted by another; say whether no one else did.

        Where only the names of the hours differ, the segments are not needed. An hour that must stay as it is
        keeps its zone, which its days then name.
        """
        keys = [layout.hour(self._project, hour), layout.texts(self._project, hour)]
        old, old_texts = self._store.get_many(keys, deadline=self._deadline)
        if old is None:
            return True
        before = records.read_rollup(old)
        zone = self._zone_for(hour, before)
        if zone.key == before.zone:
            self._mark_days(hour, before)
            return True
        rollup = relabel_hour(hour, before, zone)
        if rollup is None:
            return self.hour(hour)
        if old_texts is not None:
            texts = relabel_texts(records.read_texts(old_texts), hour, zone)
            made_texts = replace(old_texts, body=records.pack_texts(texts))
            if not _same(old_texts, made_texts) and not self._put(made_texts, old_texts):
                return False
        if not self._put(replace(old, body=records.pack_rollup(rollup)), old):
            return False
        self._mark_days(hour, rollup, before)
        return True

    def _zone_for(self, hour: str, before: Rollup | None) -> ZoneInfo:
        """Return the zone to count an hour by: the owner's, unless it would change a day that is closed."""
        if before is None or before.zone == self._zone.key:
            return self._zone
        days = days_of(hour, before) | days_of_hour(hour, self._zone)
        return self._zone if all(map(self._day_open, days)) else ZoneInfo(before.zone)

    def _mark_days(self, hour: str, *rollups: Rollup | None) -> None:
        """Write a marker for each day that an hour is part of, or was by a clock that has been replaced.

        By those as well, since a run that was killed may have written the hour and marked no day.
        """
        days = {day for rollup in rollups if rollup is not None for day in days_of(hour, rollup)}
        for zone in self._zones[1:]:
            days |= days_of_hour(hour, zone)
        self._put_all([records.marker(layout.dirty_day(self._project, day)) for day in sorted(days)])

    def may_seal(self, hour: str) -> bool:
        """Whether all that an hour's rollup was made from is there, and all that its days were."""
        old = self._store.get(layout.hour(self._project, hour), deadline=self._deadline)
        before = records.read_rollup(old) if old is not None else None
        known = set(before.parts) if before is not None else set()
        found = {segment.key.sort for segment in self._segments(hour)}
        return known <= found and self._may_change(hour, self._zone_for(hour, before))

    def day(self, name: str) -> bool:
        """Make a day's rollup; say whether no one else did at the same time."""
        day = date.fromisoformat(name)
        key = layout.day(self._project, day)
        old = self._store.get(key, deadline=self._deadline)
        known = records.read_rollup(old).parts if old is not None else []
        near = {hour for zone in self._zones for hour in hours_of_day(day, zone)}
        found = self._hours(near | set(known))
        hours = {hour: records.read_rollup(record) for hour, record in found.items()}
        hours = {hour: rollup for hour, rollup in hours.items() if day in days_of(hour, rollup)}
        if not found.keys() >= set(known):
            for hour in hours.keys() - set(known):
                self._close(hour, set())
            return True
        if old is None and not hours:
            return True
        late = sum(
            records.late_events(found[hour])
            for hour, rollup in hours.items()
            if start_day(hour, rollup) == day
        )
        made = Record(
            key=key,
            body=records.pack_rollup(merge_day(day, self._zone.key, hours)),
            attributes={records.LATE: str(late)},
            expires_at=self._clock.now() + self._retention.rollups,
        )
        return _same(old, made) or self._put(made, old)

    def _segments(self, hour: str) -> Segments:
        return Segments(self._store, self._project, hour, self._deadline)

    def _hours(self, hours: Iterable[str]) -> dict[str, Record]:
        """Return the records of those hours that have one."""
        ordered = sorted(hours)
        keys = [layout.hour(self._project, hour) for hour in ordered]
        found = self._store.get_many(keys, deadline=self._deadline)
        return {hour: record for hour, record in zip(ordered, found, strict=True) if record is not None}

    def _add(self, tally: Tally, hour: str, segment: Record) -> None:
        """Count a segment; one that cannot be read becomes a dead letter as well."""
        received = datetime.fromisoformat(segment.attributes["received"])
        try:
            tally.add(segment.key.sort, segment.body, late=received > hour_start(hour) + HOUR + LATE)
        except BadBatch as error:
            self._bury(segment, Unusable(Reason.BAD_COLUMNS, str(error)))

    def _may_change(self, hour: str, zone: ZoneInfo) -> bool:
        """Whether the days of an hour can be merged again: all the hours they were merged from are there.

        Hours that have not been kept for long have not expired, so this is asked of older ones only.
        """
        start = hour_start(hour)
        if self._clock.now() < start + KEEP_HOURS:
            return True
        return all(map(self._day_open, days_of_hour(hour, zone)))

    def _day_open(self, day: date) -> bool:
        if day not in self._days_open:
            record = self._store.get(layout.day(self._project, day), deadline=self._deadline)
            parts = records.read_rollup(record).parts if record is not None else []
            lasting = self._clock.now() + MARGIN
            there = self._hours(parts).values()
            self._days_open[day] = len(parts) == sum(
                one.expires_at is None or one.expires_at > lasting for one in there
            )
        return self._days_open[day]

    def _close(self, hour: str, known: set[str]) -> None:
        """Write a dead letter for each segment that came after its period could still be counted."""
        for segment in self._segments(hour):
            if segment.key.sort not in known:
                self._bury(segment, Unusable(Reason.PERIOD_CLOSED, f"came too late to be counted in {hour}"))
                self.closed += 1

    def _bury(self, segment: Record, problem: Unusable) -> None:
        letter = dead.record_of(
            self._project,
            segment.body,
            problem,
            events=_events_in(segment.body),
            retention=self._retention,
            now=self._clock.now(),
        )
        self._store.put(letter, deadline=self._deadline)

    def _put(self, made: Record, old: Record | None) -> bool:
        """Write what was made in place of what was read, or nothing if that has changed."""
        condition = Absent() if old is None else Version(old.version or "")
        return self._store.put(made, condition=condition, deadline=self._deadline)

    def _put_all(self, made: Sequence[Record]) -> None:
        errors = self._store.put_many(made, deadline=self._deadline)
        if errors:
            raise errors[0].error


def _same(old: Record | None, made: Record) -> bool:
    return old is not None and old.body == made.body


def _events_in(body: bytes) -> int:
    try:
        return peek(body)[1].count
    except BadBatch:
        return 0
