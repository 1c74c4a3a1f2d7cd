import pytest

from aws.faulty import Faulty
from aws.store.faults import ALL
from aws.tables import table_at
from tuppence.clock import Deadline
from tuppence.drivers import Context
from tuppence.meter import UnitMeter
from tuppence.store import Store
from tuppence.testing import ManualClock
from tuppence_aws.store import DynamoStore


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def meter():
    return UnitMeter()


@pytest.fixture
def soon(clock):
    return lambda: Deadline.after(600, clock)


@pytest.fixture
def url(ministack_url):
    return ministack_url


@pytest.fixture
def table(url, project):
    with table_at(url, f"tuppence-{project}") as name:
        yield name


@pytest.fixture
def opened(project, clock, meter):
    """Return what builds a driver, and closes it in the end."""
    drivers = []

    def opened(endpoint, *, clock=clock, **options):
        context = Context(project=project, meter=meter, clock=clock)
        drivers.append(DynamoStore(DynamoStore.Options(endpoint=endpoint, **options), context))
        return drivers[-1]

    yield opened
    for driver in drivers:
        driver.close()


@pytest.fixture
def faulty(url, table):
    with Faulty(url, ALL).running() as proxy:
        yield proxy


@pytest.fixture
def driver(opened, faulty):
    """Return the driver behind the faults."""
    return opened(faulty.url)


@pytest.fixture
def store(driver, clock):
    """Return core's store on the driver behind the faults."""
    return Store(driver, clock)


@pytest.fixture
def plain(opened, url, table):
    """Return a driver on the same table that meets no faults."""
    return opened(url)
