import pytest

from gcp.scheduler_service import SchedulerService
from gcp.unix_cron import runs
from tuppence.testing import SchedulerContract
from tuppence_gcp.scheduler import CloudScheduler

REGION = "europe-west2"


class TestCloudSchedulerOnOurService(SchedulerContract):
    counterpart = "our stand-in of Cloud Scheduler; lines evaluated by Google's documentation"

    @pytest.fixture
    def service(self, issuer):
        with SchedulerService(issuer).running() as service:
            yield service

    @pytest.fixture
    def open_driver(self, service):
        def open_driver(context, *, missing=False):
            region = "nowhere" if missing else REGION
            return CloudScheduler(CloudScheduler.Options(endpoint=service.url, region=region), context)

        return open_driver

    @pytest.fixture
    def fires(self, service, driver):
        """Work out, from Google's documentation, when it would run what is stored."""

        def fires(schedule, after, count):
            driver.upsert(schedule)
            name = f"projects/proj/locations/{REGION}/jobs/tuppence-contract-{schedule.name}"
            stored = service.jobs[name]
            return runs(stored["schedule"], stored["timeZone"], after, count)

        return fires
