import pytest

from aws.faulty import Faulty
from aws.queues import queues_at
from tuppence.clock import Deadline, SystemClock
from tuppence.drivers import Context
from tuppence.meter import UnitMeter
from tuppence_aws.queue import SqsQueue


@pytest.fixture
def clock():
    return SystemClock()


@pytest.fixture
def context(project, clock):
    return Context(project=project, meter=UnitMeter(), clock=clock)


@pytest.fixture
def soon(clock):
    return lambda: Deadline.after(30, clock)


@pytest.fixture
def opened(context):
    """Return what builds a driver; all are closed in the end."""
    built = []

    def opened(url, **options):
        built.append(SqsQueue(SqsQueue.Options(endpoint=url, **options), context))
        return built[-1]

    yield opened
    for driver in built:
        driver.close()


@pytest.fixture
def service(ministack_url, project):
    """Yield the SDK's client, to look at the queues with."""
    with queues_at(ministack_url, project) as client:
        yield client


@pytest.fixture
def queue(opened, ministack_url, service):
    return opened(ministack_url)


@pytest.fixture
def faulty(ministack_url, service):
    with Faulty(ministack_url).running() as proxy:
        yield proxy


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
