"""Schedulers that are bad, each in one way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from suite.bad.drivers import Alone, error, found_by, invalid, pause
from tuppence.errors import DriverError, ErrorCode
from tuppence.local.database import microseconds
from tuppence.local.scheduler import LocalScheduler

WEEKDAYS = str.maketrans("0123456", "6012345")


class Listing(LocalScheduler):
    """What changes the list of schedules derives from this."""

    def listed(self, found):
        raise NotImplementedError

    def schedules(self):
        return self.listed(list(super().schedules()))


@found_by("a schedule is kept as given", "every payload is kept", "another process sees what was made")
class DropsPayloads(Listing):
    """Keeps no payload."""

    def listed(self, found):
        return [replace(one, payload={}) for one in found]


@found_by("every payload is kept")
class FillsTemplates(LocalScheduler):
    """Takes a part of a payload for a template of its service's."""

    def upsert(self, schedule, /):
        filled = {n: t.replace("<aws.scheduler.execution-id>", "42") for n, t in schedule.payload.items()}
        super().upsert(replace(schedule, payload=filled))


@found_by("every payload is kept")
class CutsPayloads(LocalScheduler):
    """Cuts a payload at 255 letters, as many as a label of its service takes."""

    def upsert(self, schedule, /):
        super().upsert(replace(schedule, payload={n: t[:255] for n, t in schedule.payload.items()}))


@found_by("portable lines are accepted", "a schedule is kept as given")
class WritesCapitals(Listing):
    """Gives back the line that its service keeps, and not the one that it was given."""

    def listed(self, found):
        return [replace(one, cron=f"cron({one.cron.upper()})") for one in found]


@found_by("portable lines are accepted")
class KnowsNoNames(LocalScheduler):
    """Refuses names of months and days."""

    def upsert(self, schedule, /):
        if any(letter.isalpha() for letter in schedule.cron):
            raise invalid("scheduler.upsert")
        super().upsert(schedule)


@found_by("every zone is kept")
class TakesEveryZoneForUtc(Listing):
    """Takes every zone for UTC."""

    def listed(self, found):
        return [replace(one, timezone="UTC") for one in found]


@found_by("no schedules are an empty list")
class IsAwayWhenEmpty(Listing):
    """Says that it is away when there is no schedule."""

    def listed(self, found):
        if not found:
            raise error(ErrorCode.UNAVAILABLE, "scheduler.schedules")
        return found


@found_by("upsert replaces the schedule of that name")
class KeepsTheFirst(LocalScheduler):
    """Keeps the first schedule of a name."""

    def upsert(self, schedule, /):
        if schedule.name not in {one.name for one in self.schedules()}:
            super().upsert(schedule)


@found_by("upsert replaces the schedule of that name")
class RefusesASecondTime(LocalScheduler):
    """Refuses to make a schedule that is there."""

    def upsert(self, schedule, /):
        if schedule.name in {one.name for one in self.schedules()}:
            raise error(ErrorCode.ALREADY_EXISTS, "scheduler.upsert")
        super().upsert(schedule)


@found_by("schedules come by name")
class ListsTheLastFirst(Listing):
    """Lists schedules in the wrong order."""

    def listed(self, found):
        return list(reversed(found))


@found_by("a removed schedule is gone")
class RemovesNothing(LocalScheduler):
    """Removes nothing."""

    def remove(self, name, /):
        super().schedules()


@found_by("a removed schedule is gone")
class MissesTheRemoved(LocalScheduler):
    """Refuses to remove what is not there."""

    def remove(self, name, /):
        if name not in {one.name for one in self.schedules()}:
            raise error(ErrorCode.NOT_FOUND, "scheduler.remove")
        super().remove(name)


@found_by("projects do not see each other", "a worker is given nothing of another project")
class MixesProjects(LocalScheduler):
    """Keeps the schedules of all projects together."""

    def __init__(self, options, context):
        super().__init__(options, replace(context, project="all"))


@found_by("other lines are refused")
class TakesEveryLine(LocalScheduler):
    """Takes lines that it cannot run, and does not run them."""

    def upsert(self, schedule, /):
        try:
            super().upsert(schedule)
        except DriverError as refused:
            if refused.code is not ErrorCode.INVALID or "zone" in str(refused):
                raise


@found_by("other lines are refused")
class ForgetsBeforeItRefuses(LocalScheduler):
    """Removes the old schedule before it refuses the new one."""

    def upsert(self, schedule, /):
        if schedule.name in {one.name for one in self.schedules()}:
            self.remove(schedule.name)
        super().upsert(schedule)


@found_by("an unknown zone is refused")
class TakesEveryZone(LocalScheduler):
    """Takes a zone that is none for UTC."""

    def upsert(self, schedule, /):
        try:
            ZoneInfo(schedule.timezone)
        except (KeyError, ValueError):
            schedule = replace(schedule, timezone="UTC")
        super().upsert(schedule)


@found_by("every name is kept")
class WantsLetters(LocalScheduler):
    """Refuses names that are not made of letters alone."""

    def upsert(self, schedule, /):
        if not schedule.name.isalpha():
            raise invalid("scheduler.upsert")
        super().upsert(schedule)


@found_by("another process sees what was made", "racing upserts make one schedule")
class KeepsToItself(Alone, LocalScheduler):
    """Keeps schedules where no other process looks."""


@found_by("racing upserts make one schedule")
class LosesRaces(LocalScheduler):
    """Fails the second of two workers that make one schedule at the same moment."""

    def upsert(self, schedule, /):
        there = bool(self.schedules())
        pause()
        if not there and self.schedules():
            raise error(ErrorCode.CONFLICT, "scheduler.upsert")
        super().upsert(schedule)


@found_by("a long list is whole")
class ListsOnePage(Listing):
    """Lists the first page only."""

    def listed(self, found):
        return found[:100]


@found_by("a missing scheduler takes no schedule", "a missing scheduler is not an empty one")
class TakesMissingForEmpty(LocalScheduler):
    """Says of a scheduler that is missing that it is empty, and that it has made a schedule."""

    def upsert(self, schedule, /):
        try:
            super().upsert(schedule)
        except DriverError as missing:
            if missing.code is not ErrorCode.NOT_FOUND:
                raise

    def schedules(self):
        try:
            return super().schedules()
        except DriverError:
            return []


@found_by("a schedule fires by the clock on the wall", "a change of the clocks disturbs one night only")
class KeepsWinterTime(LocalScheduler):
    """Stores a zone as the hours it is away from UTC today, and gives back its name."""

    zones = {}  # noqa: RUF012 - stands for a label the service would keep

    def upsert(self, schedule, /):
        zone = schedule.timezone
        self.zones[self.context.project, schedule.name] = zone
        away = self.context.clock.now().astimezone(ZoneInfo(zone)).utcoffset()
        if away % timedelta(hours=1):
            return super().upsert(schedule)
        hours = int(away / timedelta(hours=1))
        return super().upsert(replace(schedule, timezone=f"Etc/GMT{-hours:+}" if hours else "UTC"))


@found_by("a portable line means what cron means")
class CountsFromMonday(LocalScheduler):
    """Counts weekdays from Monday, as its service does, in a line that counts from Sunday."""

    def upsert(self, schedule, /):
        *fields, weekday = schedule.cron.split()
        super().upsert(replace(schedule, cron=" ".join([*fields, weekday.translate(WEEKDAYS)])))


@found_by("a changed schedule fires by its new line", "a changed schedule is due by its new line")
class KeepsItsTime(LocalScheduler):
    """Lets a changed schedule fire when the old one would have."""

    def upsert(self, schedule, /):
        with self._database.read("scheduler.upsert", self._deadline()) as connection:
            kept = connection.execute("SELECT name, due FROM schedules").fetchall()
        super().upsert(schedule)
        with self._database.write("scheduler.upsert", self._deadline()) as connection:
            for name, due in kept:
                connection.execute("UPDATE schedules SET due = ? WHERE name = ?", (due, name))


@found_by("a scheduler is polled or fires by itself")
class HidesThatItIsPolled(LocalScheduler):
    """Fires nothing by itself, and does not say so: no worker asks it."""

    features = frozenset()


@found_by("a scheduler is polled or fires by itself")
class ClaimsToBePolled(LocalScheduler):
    """Claims to be polled, and knows nothing that is due."""

    def claim_due(self):
        raise error(ErrorCode.UNSUPPORTED, "scheduler.claim_due")


class Claiming(LocalScheduler):
    """What changes the runs that are due derives from this."""

    def claimed(self, runs):
        raise NotImplementedError

    def claim_due(self):
        return self.claimed(list(super().claim_due()))


@found_by("a run is what was scheduled")
class RunsWithoutPayload(Claiming):
    """Gives a run no payload."""

    def claimed(self, runs):
        return [replace(run, payload={}) for run in runs]


@found_by("a run is what was scheduled")
class RunsAnotherJob(Claiming):
    """Gives every run the job of the first schedule."""

    def claimed(self, runs):
        return [replace(run, job=self.schedules()[0].job) for run in runs]


@found_by("each run has an id of its own")
class NamesRunsByJob(Claiming):
    """Names every run of a job the same, so that the second is taken for a repeat."""

    def claimed(self, runs):
        return [replace(run, run_id=run.job) for run in runs]


@found_by("each run has an id of its own")
class NamesRunsByMoment(Claiming):
    """Names runs by their moment alone."""

    def claimed(self, runs):
        return [replace(run, run_id=run.run_id.partition("@")[2]) for run in runs]


@found_by("nothing is due before its time")
class FiresWhenMade(LocalScheduler):
    """Lets a schedule fire when it is made."""

    def upsert(self, schedule, /):
        super().upsert(schedule)
        with self._database.write("scheduler.upsert", self._deadline()) as connection:
            connection.execute("UPDATE schedules SET due = ?", (microseconds(self.context.clock.now()),))


@found_by("the next is the first of all")
class WaitsForTheLast(LocalScheduler):
    """Says when the last schedule is due, and not the first."""

    def next_due(self):
        with self._database.read("scheduler.next_due", self._deadline()) as connection:
            (due,) = connection.execute("SELECT max(due) FROM schedules").fetchone()
        return (
            None
            if due is None
            else self.context.clock.now()
            + timedelta(microseconds=due - microseconds(self.context.clock.now()))
        )


@found_by("a run is claimed once by one of many workers")
class GivesToTwo(LocalScheduler):
    """Looks what is due, and moves it on in a second step."""

    def claim_due(self):
        with self._database.read("scheduler.claim_due", self._deadline()) as connection:
            before = connection.execute("SELECT name, due FROM schedules").fetchall()
        pause()
        with self._database.write("scheduler.claim_due", self._deadline()) as connection:
            for name, due in before:
                connection.execute("UPDATE schedules SET due = ? WHERE name = ?", (due, name))
        return super().claim_due()


@found_by("what was missed is due once")
class CatchesUp(LocalScheduler):
    """Lets fire each time what fell due several times."""

    def claim_due(self):
        runs = []
        while found := super().claim_due():
            runs += found * 4
        return runs


@found_by("a restart does not skip what is due")
class SkipsAtARestart(LocalScheduler):
    """Counts from now on when a schedule is made again."""

    def upsert(self, schedule, /):
        self.remove(schedule.name)
        super().upsert(schedule)


@found_by("a removed schedule is not due")
class RunsTheRemoved(LocalScheduler):
    """Lets fire once more what was removed."""

    removed = ()

    def remove(self, name, /):
        self.removed = [one for one in super().schedules() if one.name == name]
        super().remove(name)

    def claim_due(self):
        gone, self.removed = self.removed, ()
        for one in gone:
            super().upsert(replace(one, cron="* * * * *"))
        if gone:
            self.context.clock.advance(timedelta(minutes=1))
        return super().claim_due()
