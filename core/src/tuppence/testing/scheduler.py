"""The contract of a scheduler."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tuppence.drivers import Context, Schedule, SchedulerDriver
from tuppence.errors import ErrorCode
from tuppence.testing.contract import OpenDriver, opened, race, refused
from tuppence.testing.cron import PORTABLE, FiringContract
from tuppence.testing.polling import PollingContract

WEEKLY = Schedule(
    name="report", cron="0 7 * * MON", job="report", timezone="Europe/London", payload={"week": "last"}
)

NOT_PORTABLE = [
    "",
    "@daily",
    "0 7 * *",
    "0 7 L * *",
    "0 7 ? * 2#1",
    "0 7 1 * MON",
    "60 7 * * *",
    "5/10 * * * *",
]


MANY = 101
"""More than a page of the services that list by a hundred."""
PAYLOADS = {
    "empty": {},
    "unicode": {"why": "fünf £ \U0001f4ca"},
    "quotes": {"a": "\"'\\", "b": "<aws.scheduler.execution-id>", "c": "${x} {{y}} %d"},
    "lines": {"a": "one\r\ntwo\t"},
    "the longest": {"a": "x" * 1_000},
}


class SchedulerContract(FiringContract, PollingContract):
    """What every scheduler does."""

    about = "schedules"

    def test_a_schedule_is_kept_as_given(self, driver: SchedulerDriver) -> None:
        """Cron line, zone, job and payload come back."""
        driver.upsert(WEEKLY)

        assert list(driver.schedules()) == [WEEKLY]

    def test_no_schedules_are_an_empty_list(self, driver: SchedulerDriver) -> None:
        """Nothing is there before the first `upsert`."""
        assert not driver.schedules()

    def test_upsert_replaces_the_schedule_of_that_name(self, driver: SchedulerDriver) -> None:
        """Once or often, there is one."""
        changed = replace(WEEKLY, cron="0 8 * * TUE", timezone="Asia/Kathmandu", payload={})
        driver.upsert(WEEKLY)

        driver.upsert(changed)
        driver.upsert(changed)

        assert list(driver.schedules()) == [changed]

    def test_schedules_come_by_name(self, driver: SchedulerDriver) -> None:
        """The order does not depend on when they were made."""
        for name in ("seal", "drain", "purge"):
            driver.upsert(replace(WEEKLY, name=name))

        assert [schedule.name for schedule in driver.schedules()] == ["drain", "purge", "seal"]

    def test_a_removed_schedule_is_gone(self, driver: SchedulerDriver) -> None:
        """And to remove what is not there is no error."""
        driver.upsert(WEEKLY)

        driver.remove(WEEKLY.name)
        driver.remove(WEEKLY.name)

        assert not driver.schedules()

    def test_projects_do_not_see_each_other(
        self, driver: SchedulerDriver, open_driver: OpenDriver[SchedulerDriver], context: Context
    ) -> None:
        """The same name in another project is another schedule."""
        driver.upsert(WEEKLY)

        with opened(open_driver, replace(context, project="other")) as other:
            before = list(other.schedules())
            other.upsert(replace(WEEKLY, cron="0 9 * * *"))
            other.remove(WEEKLY.name)

        assert not before
        assert list(driver.schedules()) == [WEEKLY]

    @pytest.mark.parametrize("line", PORTABLE)
    def test_portable_lines_are_accepted(self, driver: SchedulerDriver, line: str) -> None:
        """The driver translates its own dialect both ways."""
        driver.upsert(replace(WEEKLY, cron=line))

        assert [schedule.cron for schedule in driver.schedules()] == [line]

    @pytest.mark.parametrize("line", NOT_PORTABLE)
    def test_other_lines_are_refused(self, driver: SchedulerDriver, line: str) -> None:
        """`INVALID`, also where this one provider could run them; the old schedule stays."""
        driver.upsert(WEEKLY)

        with refused(ErrorCode.INVALID):
            driver.upsert(replace(WEEKLY, cron=line))

        assert list(driver.schedules()) == [WEEKLY]

    def test_an_unknown_zone_is_refused(self, driver: SchedulerDriver) -> None:
        """`INVALID`."""
        with refused(ErrorCode.INVALID):
            driver.upsert(replace(WEEKLY, timezone="Europe/Londinium"))

    @pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/St_Johns", "Etc/GMT+12"])
    def test_every_zone_is_kept(self, driver: SchedulerDriver, zone: str) -> None:
        """Whatever its offset and its name."""
        driver.upsert(replace(WEEKLY, timezone=zone))

        assert [schedule.timezone for schedule in driver.schedules()] == [zone]

    @pytest.mark.parametrize("name", ["a", "x" * 32, "drain-2", "0", "a--b"])
    def test_every_name_is_kept(self, driver: SchedulerDriver, name: str) -> None:
        """As long as is allowed, and of every kind of letter that is."""
        driver.upsert(replace(WEEKLY, name=name))

        assert [schedule.name for schedule in driver.schedules()] == [name]

    @pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
    def test_every_payload_is_kept(self, driver: SchedulerDriver, payload: dict[str, str]) -> None:
        """Any text, up to 1 KiB; nothing in it is a template of the service's."""
        driver.upsert(replace(WEEKLY, payload=payload))

        assert [dict(schedule.payload) for schedule in driver.schedules()] == [payload]

    def test_another_process_sees_what_was_made(
        self, driver: SchedulerDriver, open_driver: OpenDriver[SchedulerDriver], context: Context
    ) -> None:
        """Schedules are the service's, not the driver's."""
        driver.upsert(WEEKLY)

        with opened(open_driver, context) as other:
            assert list(other.schedules()) == [WEEKLY]

    def test_racing_upserts_make_one_schedule(
        self, driver: SchedulerDriver, open_driver: OpenDriver[SchedulerDriver], context: Context
    ) -> None:
        """Sixteen workers that start at once all make the same schedule, and none of them fails."""

        def make(_: int) -> None:
            with opened(open_driver, context) as worker:
                worker.upsert(WEEKLY)

        race(make)

        assert list(driver.schedules()) == [WEEKLY]

    def test_a_long_list_is_whole(self, driver: SchedulerDriver) -> None:
        """A service that lists by pages is asked for all of them."""
        names = [f"job-{number:03}" for number in range(MANY)]
        for name in names:
            driver.upsert(replace(WEEKLY, name=name))

        assert [schedule.name for schedule in driver.schedules()] == names

    def test_a_missing_scheduler_takes_no_schedule(self, missing: SchedulerDriver) -> None:
        """`NOT_FOUND`, on a resource that is not there."""
        with refused(ErrorCode.NOT_FOUND, operation="scheduler.upsert"):
            missing.upsert(WEEKLY)

    @pytest.mark.parametrize("call", ["schedules", "remove"])
    def test_a_missing_scheduler_is_not_an_empty_one(self, missing: SchedulerDriver, call: str) -> None:
        """`NOT_FOUND` likewise."""
        with refused(ErrorCode.NOT_FOUND, operation=f"scheduler.{call}"):
            if call == "schedules":
                missing.schedules()
            else:
                missing.remove(WEEKLY.name)
