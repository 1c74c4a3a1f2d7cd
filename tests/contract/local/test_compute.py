import pytest

from suite.running import Worker
from tuppence.clock import SystemClock
from tuppence.drivers import Context
from tuppence.local.compute import LocalCompute
from tuppence.meter import UnitMeter
from tuppence.testing import ComputeContract


class TestLocalCompute(ComputeContract):
    counterpart = "embedded, functions of this process"

    @pytest.fixture
    def platform(self):
        context = Context(project="contract", meter=UnitMeter(), clock=SystemClock())
        return Worker(LocalCompute(LocalCompute.Options(), context))
