from typing import ClassVar

import pytest

from gcp.issuer import INVOKER
from gcp.served import ACKNOWLEDGED, EVENT, post, push, served
from tuppence.clock import SystemClock
from tuppence.drivers import Context
from tuppence.meter import UnitMeter
from tuppence.testing import ComputeContract
from tuppence_gcp.compute import CloudRunCompute

ADDRESS = "https://functions.example/{function}"


class Platform:
    """Cloud Run, as far as the driver's functions can tell: calls come over HTTP, with a token."""

    signature = "http"
    headers: ClassVar = {}

    def __init__(self, driver, issuer):
        self.driver = driver
        self._issuer = issuer

    def deliver(self, consumer, messages):
        headers = {**self.headers, **self._issuer.bearer(ADDRESS.format(function="consume"))}
        again = set()
        with served(consumer, self.signature) as url:
            for number, message in enumerate(messages):
                status, _ = post(url, push(message, number), headers)
                again |= set() if status in ACKNOWLEDGED else {number}
        return again

    def fire(self, runner, run):
        asked = {"job": run.job, "run_id": run.run_id, "payload": dict(run.payload)}
        with served(runner) as url:
            status, _ = post(url, asked, self._issuer.bearer(ADDRESS.format(function="seal")))
        return status // 100 == 2


class Eventarc(Platform):
    """Messages come as events, to a function that is served as one for events."""

    signature = "cloudevent"
    headers: ClassVar = EVENT

    def __init__(self, driver, issuer):
        super().__init__(driver, issuer)
        driver.consumer = driver.listener


class Called:
    __test__ = False
    platform_class = Platform
    counterpart = "functions-framework 3.10, called as Cloud Run does"

    @pytest.fixture
    def platform(self, issuer, functions_service):
        functions_service.deploy("computed", "drain", "seal", "report")
        options = CloudRunCompute.Options(
            endpoint=functions_service.url,
            function_url=ADDRESS,
            invoker=INVOKER,
            certificates=issuer.certificates,
        )
        context = Context(project="computed", meter=UnitMeter(), clock=SystemClock())
        driver = CloudRunCompute(options, context)
        yield self.platform_class(driver, issuer)
        driver.close()


class TestCloudRunComputeByPush(Called, ComputeContract):
    __test__ = True


class TestCloudRunComputeByEvents(Called, ComputeContract):
    __test__ = True
    platform_class = Eventarc
