import pytest

from aws.faulty import Faulty
from gcp.fixtures import *  # noqa: F403 - fixtures, which pytest finds by their names here
from tuppence.clock import Deadline, SystemClock
from tuppence.drivers import Context
from tuppence.meter import UnitMeter


@pytest.fixture
def clock():
    return SystemClock()


@pytest.fixture
def meter():
    return UnitMeter()


@pytest.fixture
def context(project, meter, clock):
    return Context(project=project, meter=meter, clock=clock)


@pytest.fixture
def soon(clock):
    return lambda: Deadline.after(30, clock)


@pytest.fixture
def opened(context):
    """Return what builds a driver; all are closed in the end."""
    built = []

    def opened(driver_class, url, **options):
        built.append(driver_class(driver_class.Options(endpoint=url, **options), context))
        return built[-1]

    yield opened
    for driver in built:
        driver.close()


@pytest.fixture
def stand_in():
    """Return what starts a server that answers every request as `answer` says."""
    started = []

    def stand_in(answer):
        proxy = Faulty("http://127.0.0.1:1", (lambda request, _: answer(request),), rate=1.0)
        proxy.faults[0].__name__ = "stand_in"
        running = proxy.running()
        running.__enter__()
        started.append(running)
        return proxy.url

    yield stand_in
    for running in started:
        running.__exit__(None, None, None)
