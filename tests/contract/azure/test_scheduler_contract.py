from itertools import islice

import pytest

from azure.hosting import Called, timer_of
from azure.ncrontab import ticks
from tuppence.drivers import Context
from tuppence.meter import UnitMeter
from tuppence.testing import ManualClock, SchedulerContract
from tuppence_azure.compute import FunctionsCompute
from tuppence_azure.scheduler import TimerScheduler
from tuppence_azure.timers import FUNCTION


class TestTimerSchedulerOnOurResourceManager(SchedulerContract):
    """Apps for each test, and for each project that the test makes up."""

    counterpart = "a stand-in for Resource Manager of our own; timers evaluated by Azure's documentation"

    @pytest.fixture
    def open_driver(self, arm, project):
        names = {"contract": project, "other": f"{project}-other"}

        def open_driver(context, *, missing=False):
            app = f"{project}-nowhere" if missing else names[context.project]
            return TimerScheduler(TimerScheduler.Options(app=app, **arm.options), context)

        with arm.project(names["contract"]), arm.project(names["other"]):
            yield open_driver

    @pytest.fixture
    def fires(self, arm, project, driver, monkeypatch):
        """Let a timer fire as Azure's documentation says, and its function look whether it is time."""

        def fires(schedule, after, count):
            driver.upsert(schedule)
            part = "reporter" if schedule.job == "report" else "processor"
            settings = arm.apps[f"{project}-{part}"].settings
            signs = schedule.name.upper()
            monkeypatch.setenv(f"TUPPENCE_SCHEDULE_{signs}", settings[f"TUPPENCE_SCHEDULE_{signs}"])
            moments = ticks(settings[f"TUPPENCE_TIMER_{signs}"], after)
            return list(islice(fired(schedule.name, moments), count))

        return fires


def fired(name, moments):
    """Yield the moments, of those at which a timer fires, at which its function runs the job."""
    last = None
    for moment in moments:
        seen = []
        context = Context(project="contract", meter=UnitMeter(), clock=ManualClock(moment))
        compute = FunctionsCompute(FunctionsCompute.Options(), context)
        compute.runner(seen.append)(timer_of(last, moment), Called(f"{FUNCTION}{name}"))
        last = moment
        yield from [moment] * len(seen)
