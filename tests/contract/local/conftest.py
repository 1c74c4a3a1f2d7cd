import pytest

from tuppence.drivers import Context
from tuppence.meter import UnitMeter
from tuppence.testing import ManualClock


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def context(clock):
    return Context(project="contract", meter=UnitMeter(), clock=clock)
