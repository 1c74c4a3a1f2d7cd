from datetime import UTC, datetime

import pytest

from azure.hosting import Called, from_service_bus, from_storage, timer_of
from tuppence.drivers import Context, Schedule
from tuppence.errors import DriverError
from tuppence.meter import UnitMeter
from tuppence.testing import ComputeContract, ManualClock
from tuppence_azure.compute import FunctionsCompute
from tuppence_azure.messages import text_of
from tuppence_azure.timers import FUNCTION, encoded, schedule_setting


class Host:
    """The host of function apps, as far as the driver's functions can tell."""

    def __init__(self, driver, clock, convert, monkeypatch):
        self.driver = driver
        self._clock = clock
        self._convert = convert
        self._environment = monkeypatch

    def deliver(self, consumer, messages):
        again = set()
        for number, message in enumerate(messages):
            try:
                consumer(self._convert(message, number), Called())
            except (ValueError, DriverError):  # the host lets what was raised come again
                again.add(number)
        return again

    def fire(self, runner, run):
        """Have a timer fire at the moment that the run's name tells, for a schedule of its job."""
        moment = self._clock.now()
        if "@" in run.run_id:
            moment = datetime.strptime(run.run_id.partition("@")[2], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        self._clock.advance(moment - self._clock.now())
        schedule = Schedule(name=run.job, cron="* * * * *", job=run.job, payload=run.payload)
        self._environment.setenv(schedule_setting(run.job), encoded(schedule))
        try:
            runner(timer_of(None, moment), Called(FUNCTION + run.job))
        except ValueError:
            return False
        return True


class Functions:
    __test__ = False
    counterpart = (
        "azure-functions 1.26 makes the arguments; apps on a stand-in for Resource Manager of our own"
    )

    @pytest.fixture
    def platform(self, arm, project, monkeypatch):
        clock = ManualClock()
        context = Context(project=project, meter=UnitMeter(), clock=clock)
        with arm.project(project):
            driver = FunctionsCompute(FunctionsCompute.Options(app=project, **arm.options), context)
            yield Host(driver, clock, self.convert, monkeypatch)
            driver.close()


class TestFunctionsComputeOfServiceBus(Functions, ComputeContract):
    __test__ = True

    @staticmethod
    def convert(message, number):
        return from_service_bus(message, number)


class TestFunctionsComputeOfAStorageQueue(Functions, ComputeContract):
    __test__ = True

    @staticmethod
    def convert(message, number):
        return from_storage(text_of(message), number)
