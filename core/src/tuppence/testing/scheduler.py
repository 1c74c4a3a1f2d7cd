"""The contract of a scheduler."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tuppence.drivers import Context, Schedule, SchedulerDriver
from tuppence.errors import ErrorCode
from tuppence.testing.contract import DriverContract, OpenDriver, refused

WEEKLY = Schedule(
    name="report", cron="0 7 * * MON", job="report", timezone="Europe/London", payload={"week": "last"}
)

PORTABLE = [
    "* * * * *",
    "*/15 * * * *",
    "0 7 * * MON",
    "30 6 1 * *",
    "5,35 8-17/3 * JAN-MAR,dec 1-5",
    "0 0 * * 0,6",
    "0 0 * * 7",
]
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


class SchedulerContract(DriverContract):
    """What every scheduler does."""

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
        other = open_driver(replace(context, project="other"))

        before = list(other.schedules())
        other.upsert(replace(WEEKLY, cron="0 9 * * *"))
        other.remove(WEEKLY.name)
        other.close()

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

    def test_a_missing_scheduler_is_not_found(self, missing: SchedulerDriver) -> None:
        """Every call on a resource that is not there says so."""
        with refused(ErrorCode.NOT_FOUND):
            missing.upsert(WEEKLY)
        with refused(ErrorCode.NOT_FOUND):
            missing.schedules()
        with refused(ErrorCode.NOT_FOUND):
            missing.remove(WEEKLY.name)
