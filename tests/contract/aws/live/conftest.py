"""One run on a real account: everything it makes bears the run's name, and is gone at its end.

Credentials and region are the environment's, as the SDK finds them.
"""

from __future__ import annotations

import itertools
import time
import uuid

import boto3
import pytest
from botocore.exceptions import ClientError

from aws.deploy.conftest import terraform, tuppence
from aws.functions import role_at
from aws.sweep import sweep
from aws.tables import client_at, create_table
from tuppence import retry
from tuppence.clock import Deadline, SystemClock
from tuppence.drivers import Context, Schedule
from tuppence.meter import UnitMeter
from tuppence_aws.scheduler import EventBridgeScheduler

__all__ = ["terraform", "tuppence"]

HERE = ""
"""The address of the services: the SDK's own."""
PATIENCE = 120
"""Seconds until a role that was made is known to all services."""


class WaitingClock(SystemClock):
    """The service's time is real, so to move it is to wait."""

    def advance(self, span):
        """Wait."""
        time.sleep(max(0.0, span.total_seconds()))


@pytest.fixture(autouse=True)
def _credentials(pytestconfig):
    """Leave the credentials as they are, since they are real."""
    assert pytestconfig.getoption("--tuppence-live"), "nobody has asked for a real account"


@pytest.fixture(scope="session")
def run(pytestconfig):
    """Return the name that all projects of this run begin with; remove what is left of them at its end."""
    assert pytestconfig.getoption("--tuppence-live"), "nobody has asked for a real account"
    name = f"t{uuid.uuid4().hex[:8]}"
    yield name
    sweep(f"tuppence-{name}")


@pytest.fixture(scope="session")
def numbers():
    return itertools.count()


@pytest.fixture
def project(run, numbers):
    """Return a name that no other test has."""
    return f"{run}-{next(numbers)}"


@pytest.fixture
def address(pytestconfig):
    """Return where mail goes."""
    address = pytestconfig.getoption("--tuppence-live-mail")
    if not address:
        pytest.skip("needs --tuppence-live-mail ADDRESS")
    return address


@pytest.fixture(scope="session")
def table(run):
    """Return the name of the table of all tests, since one takes long to make; it is paid by request."""
    with client_at(HERE) as client:
        create_table(client, f"tuppence-{run}", on_demand=True)
        client.get_waiter("table_exists").wait(TableName=f"tuppence-{run}")
        yield f"tuppence-{run}"


@pytest.fixture(scope="session")
def assumed(run):
    """Return a role that schedules and functions may have, once the services know it."""
    with role_at(HERE, f"tuppence-{run}-invoke", []) as arn:
        context = Context(project=run, meter=UnitMeter(), clock=SystemClock())
        group = f"tuppence-{run}-known"
        client = boto3.client("scheduler")
        client.create_schedule_group(Name=group)
        known = EventBridgeScheduler(EventBridgeScheduler.Options(group=group, role_arn=arn), context)

        def upsert(*, deadline):
            known.upsert(Schedule(name="known", cron="0 0 1 1 *", job="drain"))

        clock = SystemClock()
        retry.call(upsert, deadline=Deadline.after(PATIENCE, clock), clock=clock, name="scheduler.upsert")
        known.close()
        client.delete_schedule_group(Name=group)
        client.close()
        yield arn


def once_known(make):
    """Return what `make` returns once Lambda knows a role that was just made."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return make()
        except ClientError as error:
            if "role" not in str(error) or time.monotonic() > end:
                raise
            time.sleep(1)
