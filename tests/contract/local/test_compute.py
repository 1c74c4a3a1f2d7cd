from datetime import UTC, datetime

import pytest

from tuppence.clock import SystemClock
from tuppence.drivers import Context, Delivery
from tuppence.local.compute import LocalCompute
from tuppence.meter import UnitMeter
from tuppence.testing import ComputeContract


class Worker:
    """The long-running worker, as far as the driver's functions can tell."""

    def __init__(self):
        context = Context(project="contract", meter=UnitMeter(), clock=SystemClock())
        self.driver = LocalCompute(LocalCompute.Options(), context)

    def deliver(self, consumer, messages):
        expires = datetime(2026, 11, 16, tzinfo=UTC)
        deliveries = [Delivery(message=message, receipt=None, expires=expires) for message in messages]
        return {error.position for error in consumer(deliveries)}

    def fire(self, runner, run):
        try:
            runner(run)
        except ValueError:
            return False
        return True


class TestLocalCompute(ComputeContract):
    counterpart = "embedded, functions of this process"

    @pytest.fixture
    def platform(self):
        return Worker()
